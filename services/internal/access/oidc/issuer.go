package oidc

import (
	"context"
	"log/slog"
	"slices"
	"time"

	upstream "github.com/coreos/go-oidc/v3/oidc"

	"hale.dev/services/internal/access"
)

// Options are what an Issuer works with. The zero value works.
type Options struct {
	// Logger is told when the issuer does not answer; nil: silent.
	Logger *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Issuer proves tokens of one issuer. It is safe for concurrent use, and implements access.Tokens.
type Issuer struct {
	cfg   Config
	now   func() time.Time
	roles map[string]access.Role
	keys  *keySet
	rules *upstream.Config
}

// New returns an issuer. It does not look whether it is there.
func New(cfg Config, o Options) (*Issuer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}

	cfg = cfg.complete()

	roles, err := parseRoles(cfg.Roles)
	if err != nil {
		return nil, err
	}

	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}

	if o.Now == nil {
		o.Now = time.Now
	}

	return &Issuer{
		cfg: cfg, now: o.Now, roles: roles, keys: newKeySet(cfg, o),
		// What is skipped is checked below, where each has a reason of its own.
		rules: &upstream.Config{
			SupportedSigningAlgs: cfg.Algorithms, SkipIssuerCheck: true, SkipClientIDCheck: true, SkipExpiryCheck: true,
		},
	}, nil
}

// Read implements access.Tokens.
func (i *Issuer) Read(ctx context.Context, text string) (access.Token, error) {
	witness := &witness{keys: i.keys}

	t, err := upstream.NewVerifier(i.cfg.Issuer, witness, i.rules).Verify(ctx, text)
	if witness.err != nil { // it says more
		return access.Token{}, witness.err
	}

	if err != nil {
		return access.Token{}, errInvalid
	}

	var c claims
	if err := t.Claims(&c); err != nil || !c.valid() {
		return access.Token{}, errInvalid
	}

	if err := i.check(t, c); err != nil {
		return access.Token{}, err
	}

	return i.token(t, c)
}

// check says what is wrong with a token that the issuer signed.
func (i *Issuer) check(t *upstream.IDToken, c claims) error {
	now := i.now()

	switch {
	case t.Issuer != i.cfg.Issuer:
		return errIssuer
	case !slices.Contains(t.Audience, i.cfg.Audience):
		return errAudience
	case !now.Before(t.Expiry.Add(i.cfg.ClockSkew)): // a token without an end ended in 1970
		return access.ErrTokenExpired
	case now.Add(i.cfg.ClockSkew).Before(c.notBefore()):
		return errEarly
	default:
		return nil
	}
}

// token reads who the holder is.
func (i *Issuer) token(t *upstream.IDToken, c claims) (access.Token, error) {
	ws, err := i.workspace(c)
	if err != nil {
		return access.Token{}, err
	}

	role := i.role(c)
	if role == access.RoleNone {
		return access.Token{}, errRole
	}

	return access.Token{
		Principal: access.Principal{Workspace: ws, Role: role, KeyID: c.holder(), Name: c.text("name")},
		Subject:   t.Subject, Expires: t.Expiry.Add(i.cfg.ClockSkew),
	}, nil
}

// witness keeps why a signature could not be proven, which the verifier tells as text only.
type witness struct {
	keys *keySet
	err  error
}

// VerifySignature implements upstream.KeySet.
func (w *witness) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	var payload []byte

	payload, w.err = w.keys.VerifySignature(ctx, jwt)

	return payload, w.err
}
