package access

import (
	"context"
	"strings"
	"sync"
	"time"
)

// maxToken is the length, bytes, from which on a text cannot be a token.
const maxToken = 16 << 10

// Tokens reads what people show who have signed in elsewhere. Package oidc implements it.
type Tokens interface {
	// Read returns what a token says, once it has been proven. Its error is an *Error, or that of ctx.
	Read(ctx context.Context, token string) (Token, error)
}

// Token is what a token says that has been proven.
type Token struct {
	Principal

	// Subject tells its holder from all others.
	Subject string
	// Expires is when it ends.
	Expires time.Time
}

// isToken says whether a text has the shape of a signed token (JWS). No key has dots.
func isToken(text string) bool { return strings.Count(text, ".") == 2 }

// readToken returns who shows a token.
func (k *Keyring) readToken(ctx context.Context, text string) (*known, error) {
	if len(text) > maxToken {
		return nil, ErrUnknownKey
	}

	t, err := k.tokens.Read(ctx, text)
	if err != nil {
		return nil, err
	}

	t.MaxBytes = k.limits.MaxBytes

	return &known{Principal: t.Principal, expires: &t.Expires, token: true, meter: k.subjects.meter(t.Subject, k.limits)}, nil
}

// subjects are the meters of those who came with tokens.
type subjects struct {
	mu     sync.Mutex
	meters map[string]*meter
}

// meter returns that of a subject.
func (s *subjects) meter(subject string, l Limits) *meter {
	if l.Rate == 0 {
		return newMeter(l) // it has nothing to remember
	}

	s.mu.Lock()
	defer s.mu.Unlock()

	m := s.meters[subject]
	if m == nil {
		if s.meters == nil {
			s.meters = make(map[string]*meter)
		}

		m = newMeter(l)
		s.meters[subject] = m
	}

	return m
}

// tidy forgets the meters that are as good as new.
func (s *subjects) tidy(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()

	for subject, m := range s.meters {
		if m.full(now) {
			delete(s.meters, subject)
		}
	}
}
