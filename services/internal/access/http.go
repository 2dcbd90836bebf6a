package access

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// BearerOrBasic returns the key in the authorization header of a request: that of "Bearer <key>", or the user name
// of "Basic", which is where Segment's clients put theirs. Empty: there is none.
func BearerOrBasic(r *http.Request) string { return headerKey(r.Header.Get("Authorization")) }

// headerKey reads the value of an authorization header.
func headerKey(value string) string {
	scheme, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimSpace(rest)

	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return rest
	case strings.EqualFold(scheme, "Basic"):
		plain, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return ""
		}

		user, _, _ := strings.Cut(string(plain), ":")

		return user
	default:
		return ""
	}
}
