package access

import "context"

// Role is what a key may do.
type Role uint8

// The roles.
const (
	// RoleNone may do nothing.
	RoleNone Role = iota
	// RoleIngest may only write events.
	RoleIngest
	// RoleQuery may only read.
	RoleQuery
	// RoleAdmin may do both, and change settings.
	RoleAdmin
)

// String returns the role's name, as stored.
func (r Role) String() string {
	switch r {
	case RoleIngest:
		return "ingest"
	case RoleQuery:
		return "query"
	case RoleAdmin:
		return "admin"
	case RoleNone:
	}

	return "none"
}

// parseRole undoes String; RoleNone for every other text.
func parseRole(s string) Role {
	for _, r := range []Role{RoleIngest, RoleQuery, RoleAdmin} {
		if r.String() == s {
			return r
		}
	}

	return RoleNone
}

// Principal is who calls.
type Principal struct {
	// Workspace that the key opens.
	Workspace string
	// Role of the key.
	Role Role
	// KeyID names the key in logs: the beginning of its hash.
	KeyID string
}

// principalKey is the context key of the principal.
type principalKey struct{}

// NewContext returns a context that carries the principal.
func NewContext(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// FromContext returns the principal that an interceptor put there.
func FromContext(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)

	return p, ok
}
