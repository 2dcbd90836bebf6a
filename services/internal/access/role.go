package access

import "context"

// Role is what a key may do.
type Role uint8

// The roles; numbers are those of hale.admin.v1.Role.
const (
	// RoleNone may do nothing.
	RoleNone Role = iota
	// RoleIngest may only write events.
	RoleIngest
	// RoleViewer may only read.
	RoleViewer
	// RoleOperator may read, and decide about accounts: overrides, pulses, goals, segments.
	RoleOperator
	// RoleAdmin may do everything in its workspace, write events too.
	RoleAdmin
)

// String returns the role's name, as stored.
func (r Role) String() string {
	switch r {
	case RoleIngest:
		return "ingest"
	case RoleViewer:
		return "viewer"
	case RoleOperator:
		return "operator"
	case RoleAdmin:
		return "admin"
	case RoleNone:
	}

	return "none"
}

// oldViewer is what the role of viewers was called at first; stored keys still say so.
const oldViewer = "query"

// ParseRole undoes String; RoleNone for every other text.
func ParseRole(s string) Role {
	for _, r := range []Role{RoleIngest, RoleViewer, RoleOperator, RoleAdmin} {
		if r.String() == s {
			return r
		}
	}

	if s == oldViewer {
		return RoleViewer
	}

	return RoleNone
}

// AtLeast returns the roles that may do what a viewer, an operator or an admin may; of another role that one alone.
func (r Role) AtLeast() []Role {
	switch r {
	case RoleViewer:
		return []Role{RoleViewer, RoleOperator, RoleAdmin}
	case RoleOperator:
		return []Role{RoleOperator, RoleAdmin}
	case RoleNone, RoleIngest, RoleAdmin:
	}

	return []Role{r}
}

// Principal is who calls.
type Principal struct {
	// Workspace that the key opens.
	Workspace string
	// Role of the key.
	Role Role
	// KeyID names the caller in logs and as an author: the beginning of the key's hash. Of a token it is the address of
	// its holder, or oidc: and the subject.
	KeyID string
	// Name is what the key is for, or the name of the token's holder; empty: not said.
	Name string
	// MaxBytes bounds the size of a request, bytes; 0: no bound but the service's own.
	MaxBytes int64
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
