package access

import "slices"

// Need is what a call needs of who makes it.
type Need struct {
	// Roles that may make it. None: everyone may, without a key.
	Roles []Role
	// Installation says that the call concerns all workspaces: only who is of DefaultWorkspace may make it.
	Installation bool
}

// Any needs one of those roles.
func Any(roles ...Role) Need { return Need{Roles: roles} }

// open says that everyone may call.
func (n Need) open() bool { return len(n.Roles) == 0 }

// refuses says why somebody may not call; nil: who calls may.
func (n Need) refuses(p Principal) error {
	switch {
	case !slices.Contains(n.Roles, p.Role):
		return ErrWrongKind
	case n.Installation && p.Workspace != DefaultWorkspace:
		return ErrInstallation
	default:
		return nil
	}
}
