package access

import (
	"context"
	"log/slog"
	"maps"
	"slices"
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

// known is a key that opens something.
type known struct {
	Principal

	expires *time.Time
	meter   *meter
}

// principals by the hash of their key. The hash is looked up, never the key, so the time of a lookup tells
// nothing about keys.
type principals map[settings.KeyHash]known

// Keyring knows all keys, and hears of new ones. It is safe for concurrent use.
type Keyring struct {
	keys   atomic.Pointer[principals]
	limits Limits
	now    func() time.Time
}

// Option changes how a keyring works.
type Option func(*options)

type options struct {
	logger *slog.Logger
	limits Limits
	now    func() time.Time
}

// WithLimits bounds the requests of every key that has no limits of its own; by default nothing is bounded.
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
		k      = &Keyring{limits: o.limits, now: o.now}
		synced = make(chan struct{})
		failed = make(chan error, 1)
	)

	k.keys.Store(new(principals))

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
			next[c.Key.Hash] = k.entry(p, c.Key, next[c.Key.Hash].meter)
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
func (k *Keyring) entry(p Principal, stored settings.Key, old *meter) known {
	limits := k.limits
	if l := stored.Limits; l != nil {
		limits = Limits{Rate: l.Rate, Burst: l.Burst, MaxBytes: l.MaxBytes}
	}

	if old == nil || old.limits != limits {
		old = newMeter(limits)
	}

	return known{Principal: p, expires: stored.Expires, meter: old}
}

// Authenticate returns who calls with that key. Errors: ErrMissingKey, ErrUnknownKey.
func (k *Keyring) Authenticate(key string) (Principal, error) {
	p, err := k.find(key)

	return p.Principal, err
}

// find returns what is kept of a key that opens something.
func (k *Keyring) find(key string) (known, error) {
	switch {
	case key == "":
		return known{}, ErrMissingKey
	case len(key) > maxKey:
		return known{}, ErrUnknownKey
	}

	p, ok := (*k.keys.Load())[Hash(key)]
	if !ok || p.expires != nil && !k.now().Before(*p.expires) {
		return known{}, ErrUnknownKey
	}

	return p, nil
}

// Authorize returns who calls with that key, if its role is one of those. Errors: those of Authenticate,
// ErrWrongKind.
func (k *Keyring) Authorize(key string, roles ...Role) (Principal, error) {
	p, err := k.findFor(key, roles)

	return p.Principal, err
}

// findFor is find for a key of one of those roles.
func (k *Keyring) findFor(key string, roles []Role) (known, error) {
	p, err := k.find(key)
	if err == nil && !slices.Contains(roles, p.Role) {
		return known{}, ErrWrongKind
	}

	return p, err
}

// Admit is Authorize for a request of a size in bytes that is to be made now: it also holds the key to its limits.
// Errors: those of Authorize, a *LimitError.
func (k *Keyring) Admit(key string, size int64, roles ...Role) (Principal, error) {
	p, err := k.findFor(key, roles)
	if err == nil {
		err = p.meter.take(k.now(), size)
	}

	return p.Principal, err
}
