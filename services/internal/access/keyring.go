package access

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"hale.dev/services/internal/jsretry"
	"hale.dev/services/internal/settings"
)

const (
	// retryWatch is how long a keyring waits before it watches again after NATS was lost.
	retryWatch = time.Second
	// openWait is how long Open tries.
	openWait = 30 * time.Second
)

// known is somebody who may come in. It is never changed.
type known struct {
	Principal

	// hash of the key; token: there is none.
	hash    settings.KeyHash
	token   bool
	expires *time.Time
	meter   *meter
}

// ended says whether the key or token has come to its end.
func (p *known) ended(now time.Time) bool { return p.expires != nil && !now.Before(*p.expires) }

// principals by the hash of their key. The hash is looked up, never the key, so the time of a lookup tells
// nothing about keys.
type principals map[settings.KeyHash]*known

// Keyring knows who may come in: it has all keys, hears of new ones, and asks Tokens, if there are any, about the rest.
// It is safe for concurrent use.
type Keyring struct {
	keys     atomic.Pointer[principals]
	tokens   Tokens // nil: keys only
	limits   Limits
	now      func() time.Time
	subjects subjects
	holds    holds
}

// Option changes how a keyring works.
type Option func(*options)

type options struct {
	logger *slog.Logger
	limits Limits
	now    func() time.Time
	tokens Tokens
}

// WithTokens also lets those in who show a token; nil: keys only.
func WithTokens(t Tokens) Option { return func(o *options) { o.tokens = t } }

// WithLimits bounds the requests of every key that has no limits of its own, and of every holder of a token; by default
// nothing is bounded.
func WithLimits(l Limits) Option { return func(o *options) { o.limits = l } }

// WithClock says what time it is.
func WithClock(now func() time.Time) Option { return func(o *options) { o.now = now } }

// WithLogger says where a keyring reports what it cannot read; by default nowhere.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// Open reads all keys and keeps watching them until ctx ends. It returns when all keys there are known. A cluster that
// cannot answer yet is asked again for half a minute.
func Open(ctx context.Context, s *settings.Settings, opts ...Option) (*Keyring, error) {
	o := options{logger: slog.New(slog.DiscardHandler), now: time.Now}
	for _, opt := range opts {
		opt(&o)
	}

	var (
		k      = &Keyring{tokens: o.tokens, limits: o.limits, now: o.now}
		synced = make(chan struct{})
		failed = make(chan error, 1)
	)

	k.keys.Store(new(principals))

	go k.guard(ctx)
	go func() {
		patient, cancel := context.WithTimeout(ctx, openWait)
		first := sync.OnceFunc(func() { close(synced) })
		failed <- jsretry.Do(patient, o.logger, func(context.Context) error {
			return k.watch(ctx, s, o.logger, first) // for longer than this try
		})

		cancel()

		for ctx.Err() == nil { // what is known stays good meanwhile
			if err := k.watch(ctx, s, o.logger, func() {}); err != nil && ctx.Err() == nil {
				o.logger.WarnContext(ctx, "watching keys again soon", "error", err)
			}

			select {
			case <-ctx.Done():
			case <-time.After(retryWatch):
			}
		}
	}()

	select {
	case <-synced:
		return k, nil
	case err := <-failed:
		return nil, err
	}
}

// watch follows the bucket and calls synced when all keys that were there are known. Until then those known
// before stay, afterwards those that the bucket does not have are gone.
func (k *Keyring) watch(ctx context.Context, s *settings.Settings, log *slog.Logger, synced func()) error {
	var (
		next = principals{}
		live bool
	)

	return s.WatchKeys(ctx, func(c settings.KeyChange) error {
		switch p := principal(c.Key); {
		case c.Synced:
			live = true

			defer synced()
		case c.Err != nil || !c.Removed && p.Role == RoleNone:
			log.WarnContext(ctx, "a key that cannot be used", "key_id", p.KeyID, "error", c.Err)
			delete(next, c.Key.Hash)
		case c.Removed:
			delete(next, c.Key.Hash)
		default:
			next[c.Key.Hash] = k.entry(p, c.Key, next[c.Key.Hash])
		}

		if live {
			published := maps.Clone(next)
			k.keys.Store(&published)
		}

		return nil
	})
}

// principal returns who a stored key stands for.
func principal(k settings.Key) Principal {
	return Principal{Workspace: k.Workspace, Role: ParseRole(k.Role), KeyID: KeyID(k.Hash), Name: k.Name}
}

// entry is what is kept of a key. A meter that counts by the same limits goes on.
func (k *Keyring) entry(p Principal, stored settings.Key, old *known) *known {
	limits := k.limits
	if l := stored.Limits; l != nil {
		limits = Limits{Rate: l.Rate, Burst: l.Burst, MaxBytes: l.MaxBytes}
	}

	p.MaxBytes = limits.MaxBytes
	entry := &known{Principal: p, hash: stored.Hash, expires: stored.Expires}

	if old != nil && old.meter.limits == limits {
		entry.meter = old.meter
	} else {
		entry.meter = newMeter(limits)
	}

	return entry
}

// Admit lets a request in, which is to be made now and has a size in bytes (negative: it is not known yet), and returns
// who makes it. key is what the request shows: a key, or a token. Errors: an *Error, a *LimitError, that of ctx.
func (k *Keyring) Admit(ctx context.Context, key string, size int64, need Need) (Principal, error) {
	who, err := k.admit(ctx, key, size, need)
	if err != nil {
		return Principal{}, err
	}

	return who.Principal, nil
}

// admit is Admit.
func (k *Keyring) admit(ctx context.Context, key string, size int64, need Need) (*known, error) {
	who, err := k.find(ctx, key)
	if err != nil {
		return nil, err
	}

	if err := need.refuses(who.Principal); err != nil {
		return nil, err
	}

	return who, who.meter.take(k.now(), size)
}

// find returns who shows a key or a token.
func (k *Keyring) find(ctx context.Context, key string) (*known, error) {
	switch {
	case key == "":
		return nil, ErrMissingKey
	case k.tokens != nil && isToken(key):
		return k.readToken(ctx, key)
	case len(key) > maxKey:
		return nil, ErrUnknownKey
	}

	who, ok := (*k.keys.Load())[Hash(key)]
	if !ok || who.ended(k.now()) {
		return nil, ErrUnknownKey
	}

	return who, nil
}

// stands says why somebody who was let in may stay no longer.
func (k *Keyring) stands(who *known) error {
	if who.token {
		if who.ended(k.now()) {
			return ErrTokenExpired
		}

		return nil
	}

	if now, ok := (*k.keys.Load())[who.hash]; !ok || now.ended(k.now()) {
		return ErrKeyEnded
	}

	return nil
}
