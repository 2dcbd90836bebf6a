package oidc

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/settings"
)

const (
	defaultRoleClaim = "groups"
	defaultSkew      = 30 * time.Second
	maxSkew          = 5 * time.Minute
)

// Algorithms returns those with which tokens may be signed: only such with a private and a public key, so that whoever
// can prove a token cannot make one.
func Algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// Config says whose tokens are taken, and what their claims mean. The zero value takes none.
type Config struct {
	// Issuer is the URL of the issuer, as it stands in its tokens; empty: no tokens.
	Issuer string
	// Audience must stand in every token: it says that the token was made for Hale.
	Audience string
	// Algorithms that tokens may be signed with, of those that Algorithms lists; empty: all of them.
	Algorithms []string
	// Workspace of everybody who has a token; empty: WorkspaceClaim says it.
	Workspace string
	// WorkspaceClaim is the claim that names the workspace; empty: Workspace says it.
	WorkspaceClaim string
	// RoleClaim is the claim that says what the holder may do: a text, or a list of them; empty: groups.
	RoleClaim string
	// Roles are the roles of values of that claim: hale-admins=admin. The most that any value gives is what the holder
	// may do.
	Roles []string
	// ClockSkew is how much the clocks of the issuer and of Hale may differ; 0: 30 s.
	ClockSkew time.Duration
}

// Errors of Validate.
var (
	// ErrIncomplete says that something is missing that tokens cannot be read without.
	ErrIncomplete = errors.New("access.oidc: incomplete")
	// ErrIssuer says that the issuer is no URL that can be trusted.
	ErrIssuer = errors.New("access.oidc.issuer: must be https://host/path, or http:// on this machine")
	// ErrAlgorithm says that tokens must not be signed in a way.
	ErrAlgorithm = errors.New("access.oidc.algorithms")
	// ErrRoles says that the list of roles cannot be read.
	ErrRoles = errors.New("access.oidc.roles")
	// ErrSkew says that clocks must not differ by so much.
	ErrSkew = errors.New("access.oidc.clock_skew: must be from 0 to 5m")
)

// On says whether tokens are taken.
func (c Config) On() bool { return c.Issuer != "" }

// Validate reports the first value that cannot be used.
func (c Config) Validate() error {
	if !c.On() {
		if c.Audience != "" || c.Workspace != "" || c.WorkspaceClaim != "" || len(c.Algorithms)+len(c.Roles) > 0 {
			return fmt.Errorf("%w: issuer says whose tokens are taken", ErrIncomplete)
		}

		return nil
	}

	if err := c.validateIssuer(); err != nil {
		return err
	}

	switch {
	case c.Audience == "":
		return fmt.Errorf("%w: audience says which tokens were made for Hale", ErrIncomplete)
	case (c.Workspace == "") == (c.WorkspaceClaim == ""):
		return fmt.Errorf("%w: set one of workspace and workspace_claim", ErrIncomplete)
	case c.ClockSkew < 0 || c.ClockSkew > maxSkew:
		return ErrSkew
	}

	if c.Workspace != "" {
		if err := settings.CheckWorkspace(c.Workspace); err != nil {
			return fmt.Errorf("access.oidc.workspace: %w", err)
		}
	}

	for _, name := range c.Algorithms {
		if !slices.Contains(Algorithms(), name) {
			return fmt.Errorf("%w: %q is none of %s", ErrAlgorithm, name, strings.Join(Algorithms(), ", "))
		}
	}

	_, err := parseRoles(c.Roles)

	return err
}

func (c Config) validateIssuer() error {
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !safe(u) {
		return ErrIssuer
	}

	return nil
}

// safe says that nobody between here and the host of a URL can change what comes from there.
func safe(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())

	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// parseRoles reads which value of the claim gives which role. Values may have an equals sign in them.
func parseRoles(pairs []string) (map[string]access.Role, error) {
	if len(pairs) == 0 {
		return nil, fmt.Errorf("%w: nobody would have a role: list some, as hale-admins=admin", ErrRoles)
	}

	roles := make(map[string]access.Role, len(pairs))

	for _, pair := range pairs {
		at := strings.LastIndexByte(pair, '=')
		if at <= 0 {
			return nil, fmt.Errorf("%w: %q is not value=role", ErrRoles, pair)
		}

		value, role := pair[:at], access.ParseRole(pair[at+1:])
		if role == access.RoleNone {
			return nil, fmt.Errorf("%w: %q: the role must be ingest, viewer, operator or admin", ErrRoles, pair)
		}

		if _, twice := roles[value]; twice {
			return nil, fmt.Errorf("%w: %q stands there twice", ErrRoles, value)
		}

		roles[value] = role
	}

	return roles, nil
}

// complete fills what is zero.
func (c Config) complete() Config {
	if len(c.Algorithms) == 0 {
		c.Algorithms = Algorithms()
	}

	if c.RoleClaim == "" {
		c.RoleClaim = defaultRoleClaim
	}

	if c.ClockSkew == 0 {
		c.ClockSkew = defaultSkew
	}

	return c
}
