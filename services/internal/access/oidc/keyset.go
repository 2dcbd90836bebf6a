package oidc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
)

const (
	// askEvery is how often the issuer is asked at most, whatever tokens come.
	askEvery = 5 * time.Second
	// goodFor is for how long keys are used before the issuer is asked whether it still has them.
	goodFor = 10 * time.Minute
	// askFor is how long the issuer has to answer.
	askFor = 5 * time.Second
)

// keySet has the keys of the issuer. It asks for them when it needs them.
type keySet struct {
	issuer     string
	algorithms []jose.SignatureAlgorithm
	client     *http.Client
	logger     *slog.Logger
	now        func() time.Time
	asking     singleflight.Group
	last       atomic.Pointer[asked]
}

// asked is what came of asking the issuer.
type asked struct {
	// keys that it had when it last answered.
	keys []jose.JSONWebKey
	// at is when it was asked; the zero time: never.
	at time.Time
	// err says that it did not answer then.
	err error
}

func newKeySet(cfg Config, o Options) *keySet {
	s := &keySet{issuer: cfg.Issuer, client: newClient(), logger: o.Logger, now: o.Now}
	for _, name := range cfg.Algorithms {
		s.algorithms = append(s.algorithms, jose.SignatureAlgorithm(name))
	}

	s.last.Store(new(asked))

	return s
}

// errNoKey says that the issuer has no key that signed a token.
var errNoKey = errors.New("no key of the issuer fits the signature")

// VerifySignature implements upstream.KeySet. Its error is an *access.Error, or that of ctx.
func (s *keySet) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(jwt, s.algorithms)
	if err != nil {
		return nil, errInvalid
	}

	last := s.last.Load()

	payload, err := last.prove(signed)
	if err == nil {
		if s.now().Sub(last.at) >= goodFor {
			s.refresh(ctx) // nobody waits for it
		}

		return payload, nil
	}

	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.refresh(ctx):
	}

	last = s.last.Load()
	if payload, err = last.prove(signed); err == nil {
		return payload, nil
	}

	if last.err != nil { // it may have a key by now that is not known here
		return nil, errUnavailable
	}

	return nil, errInvalid
}

// prove returns what was signed, if one of the keys did it.
func (a *asked) prove(signed *jose.JSONWebSignature) ([]byte, error) {
	wanted := signed.Signatures[0].Header

	for i := range a.keys {
		key := &a.keys[i]
		if wanted.KeyID != "" && key.KeyID != wanted.KeyID || key.Algorithm != "" && key.Algorithm != wanted.Algorithm {
			continue
		}

		if payload, err := signed.Verify(key); err == nil {
			return payload, nil
		}
	}

	return nil, errNoKey
}

// refresh asks the issuer for its keys, unless it was asked just now. All who want it at the same time wait for one answer.
func (s *keySet) refresh(ctx context.Context) <-chan singleflight.Result {
	return s.asking.DoChan("", func() (any, error) {
		last, now := s.last.Load(), s.now()
		if !last.at.IsZero() && now.Sub(last.at) < askEvery {
			return nil, nil // what came of it stands in last
		}

		// Whoever asks first may go; the others still want the answer.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askFor)
		defer cancel()

		keys, err := ask(ctx, s.client, s.issuer)
		if err != nil {
			s.logger.WarnContext(ctx, "the issuer of tokens does not answer", "issuer", s.issuer, "error", err)

			keys = last.keys // they stay good
		}

		s.last.Store(&asked{keys: keys, at: now, err: err})

		return nil, nil
	})
}
