package settings

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrKeyHash is told for an entry of the keys bucket that Hale did not write.
var ErrKeyHash = errors.New("settings: not the hash of a key")

// KeyHash is the SHA-256 of a key; the key itself is not kept.
type KeyHash [sha256.Size]byte

// String returns the hash in hex, the name of the entry in the bucket.
func (h KeyHash) String() string { return hex.EncodeToString(h[:]) }

// Key is what is known of a key.
type Key struct {
	// Hash identifies the key.
	Hash KeyHash `json:"-"`
	// Workspace the key opens.
	Workspace string `json:"workspace"`
	// Role is what the key may do; package access gives it a meaning.
	Role string `json:"role"`
	// Created is when the key was made.
	Created time.Time `json:"created"`
	// CreatedBy is the id of the key with which it was made; empty: the first start.
	CreatedBy string `json:"created_by,omitempty"`
	// Name is what the key is for.
	Name string `json:"name,omitempty"`
	// Expires is from when on it opens nothing; nil: never.
	Expires *time.Time `json:"expires,omitempty"`
	// Limits bounds its requests; nil: what the configuration says.
	Limits *KeyLimits `json:"limits,omitempty"`
}

// KeyLimits bounds the requests of a key, in each process. 0 is no bound.
type KeyLimits struct {
	// Rate is requests a second in the long run, Burst how many at once.
	Rate  float64 `json:"rate,omitempty"`
	Burst int     `json:"burst,omitempty"`
	// MaxBytes bounds the size of a request.
	MaxBytes int64 `json:"max_bytes,omitempty"`
}

// KeyChange is what a watch of keys tells.
type KeyChange struct {
	// Synced is true, once and with nothing else, when all keys that were there at the start have been told.
	Synced bool
	// Key that was added or removed; of a removed or unreadable one only the hash is known.
	Key Key
	// Removed says that the key opens nothing any more.
	Removed bool
	// Err says why an entry cannot be read; such a key opens nothing.
	Err error
}

// PutKey adds a key, unless it is there.
func (s *Settings) PutKey(ctx context.Context, k Key) error {
	if err := CheckWorkspace(k.Workspace); err != nil {
		return err
	}

	value, err := json.Marshal(k)
	if err != nil {
		return wrap(err, "encoding a key of %q", k.Workspace)
	}

	_, err = s.keys.Create(ctx, k.Hash.String(), value)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return nil
	}

	return wrap(err, "storing a key of %q", k.Workspace)
}

// StoredKey is a key with its revision.
type StoredKey struct {
	Key

	// Revision of the entry.
	Revision uint64
}

// Keys returns the keys of a workspace, the oldest first. Entries that cannot be read are left out.
func (s *Settings) Keys(ctx context.Context, workspace string) ([]StoredKey, error) {
	w, err := s.keys.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, wrap(err, "listing the keys of %q", workspace)
	}

	defer func() { _ = w.Stop() }() // nothing is lost

	var all []StoredKey

	for {
		select {
		case <-ctx.Done():
			return nil, wrap(ctx.Err(), "listing the keys of %q", workspace)
		case e := <-w.Updates():
			if e == nil {
				slices.SortFunc(all, func(a, b StoredKey) int {
					return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.Hash.String(), b.Hash.String()))
				})

				return all, nil
			}

			if c := keyChange(e); c.Err == nil && !c.Removed && c.Key.Workspace == workspace {
				all = append(all, StoredKey{Key: c.Key, Revision: e.Revision()})
			}
		}
	}
}

// ErrKeyChanged is returned when somebody else changed the key meanwhile.
var ErrKeyChanged = errors.New("settings: the key was changed by somebody else")

// UpdateKey replaces what is known of a key of that revision. Errors: ErrKeyChanged.
func (s *Settings) UpdateKey(ctx context.Context, k StoredKey) error {
	value, err := json.Marshal(k.Key)
	if err != nil {
		return wrap(err, "encoding a key of %q", k.Workspace)
	}

	_, err = s.keys.Update(ctx, k.Hash.String(), value, k.Revision)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return ErrKeyChanged
	}

	return wrap(err, "changing a key of %q", k.Workspace)
}

// DeleteKey removes a key; it opens nothing once the watching processes have heard of it.
func (s *Settings) DeleteKey(ctx context.Context, h KeyHash) error {
	return wrap(s.keys.Delete(ctx, h.String()), "removing a key")
}

// WatchKeys calls f for every key, first for those that are there and then for each change. It runs until ctx ends,
// f fails (with its error), NATS is closed (ErrClosed), or
// it was lost and is back (ErrReconnected).
func (s *Settings) WatchKeys(ctx context.Context, f func(KeyChange) error) error {
	return s.watch(ctx, s.keys, func(e jetstream.KeyValueEntry) error {
		if e == nil {
			return f(KeyChange{Synced: true})
		}

		return f(keyChange(e))
	})
}

// keyChange reads an entry of the keys bucket.
func keyChange(e jetstream.KeyValueEntry) KeyChange {
	hash, err := hex.DecodeString(e.Key())
	if err != nil || len(hash) != sha256.Size {
		return KeyChange{Removed: true, Err: fmt.Errorf("%w: %q", ErrKeyHash, e.Key())}
	}

	c := KeyChange{Key: Key{Hash: KeyHash(hash)}}

	if e.Operation() != jetstream.KeyValuePut {
		c.Removed = true

		return c
	}

	if err := json.Unmarshal(e.Value(), &c.Key); err != nil {
		c.Removed, c.Err = true, wrap(err, "decoding key %s", e.Key())
	}

	return c
}
