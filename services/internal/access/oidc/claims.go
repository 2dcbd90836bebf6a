package oidc

import (
	"strings"
	"time"
	"unicode"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/settings"
)

// maxSubject is how long a subject may be, bytes, as OpenID Connect says.
const maxSubject = 255

// claims are what a token says.
type claims map[string]any

// valid says whether the holder can be told from others, and named in logs.
func (c claims) valid() bool {
	subject := c.text("sub")

	return subject != "" && len(subject) <= maxSubject && printable(subject)
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// text is a claim that is a text; empty: it is not there, or something else.
func (c claims) text(name string) string {
	s, _ := c.find(name).(string)

	return s
}

// texts is a claim that is a text or a list of them.
func (c claims) texts(name string) []string {
	switch v := c.find(name).(type) {
	case string:
		return []string{v}
	case []any:
		var all []string

		for _, one := range v {
			if s, ok := one.(string); ok {
				all = append(all, s)
			}
		}

		return all
	default:
		return nil
	}
}

// find returns a claim by its name. A name that begins with a slash is a path into claims that hold others:
// /realm_access/roles.
func (c claims) find(name string) any {
	path, nested := strings.CutPrefix(name, "/")
	if !nested {
		return c[name]
	}

	var at any = map[string]any(c)

	for part := range strings.SplitSeq(path, "/") {
		inner, ok := at.(map[string]any)
		if !ok {
			return nil
		}

		at = inner[part]
	}

	return at
}

// notBefore is when the token begins; the zero time: it always did.
func (c claims) notBefore() time.Time {
	seconds, ok := c["nbf"].(float64)
	if !ok {
		return time.Time{}
	}

	return time.Unix(int64(seconds), 0)
}

// holder names the holder in logs and as an author. Only an address that the issuer has verified is the holder's.
func (c claims) holder() string {
	verified, _ := c["email_verified"].(bool)
	if email := c.text("email"); verified && strings.Contains(email, "@") && len(email) <= maxSubject && printable(email) {
		return email
	}

	return "oidc:" + c.text("sub")
}

// workspace is the holder's.
func (i *Issuer) workspace(c claims) (string, error) {
	if i.cfg.Workspace != "" {
		return i.cfg.Workspace, nil
	}

	name := c.text(i.cfg.WorkspaceClaim)
	if settings.CheckWorkspace(name) != nil { // it becomes part of keys in the store
		return "", errWorkspace
	}

	return name, nil
}

// role is the most that the claims give.
func (i *Issuer) role(c claims) access.Role {
	most := access.RoleNone
	for _, value := range c.texts(i.cfg.RoleClaim) {
		most = max(most, i.roles[value])
	}

	return most
}
