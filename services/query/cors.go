package query

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"
)

// corsAge is for how long browsers may remember what a preflight allowed; they cap it at this or less.
const corsAge = 2 * time.Hour

// allowOrigins lets pages of the origins call the service from a browser; without any it is left as it is, and
// browsers keep other pages out. Keys travel in a header, never in cookies, so no credentials are allowed.
func allowOrigins(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}

	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: connectcors.AllowedMethods(),
		AllowedHeaders: append(connectcors.AllowedHeaders(), "Authorization"),
		ExposedHeaders: connectcors.ExposedHeaders(),
		MaxAge:         int(corsAge.Seconds()),
	}).Handler(next)
}

// checkOrigins reports the first origin that no browser would ever send. There are no wildcards: whoever may read
// scores is named.
func checkOrigins(origins []string) error {
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != o ||
			strings.ContainsAny(o, "*, ") || strings.ToLower(o) != o {
			return fmt.Errorf("%w: %q", ErrOrigin, o)
		}
	}

	return nil
}
