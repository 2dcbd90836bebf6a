// Package store defines what the scoring and query services need of a store of derived state.
// Everything in it can be made again from the event log. Implementations: memory and redis;
// storetest holds the suite that both must pass. What the values mean is not known here.
//
// Who owns bytes: a store copies or sends all that Commit gets before Commit returns, with whatever error; the
// caller may use the slices again at once. What Read and Claim return may be shared with the store and with
// other readers: it stays as it is, and must not be changed.
package store

import (
	"context"
	"errors"
)

// ErrFenced is returned by Commit when epoch, generation or cursor are not the ones expected: another owner
// took the partition, or the store fell back. Nothing was written. Reload and go on from the head.
var ErrFenced = errors.New("store: partition is fenced")

// ErrUnknown wraps a Commit error after which it is not known whether the commit took place (a timeout,
// a broken connection). Read the head, then decide.
var ErrUnknown = errors.New("store: outcome unknown")

// Head is the part of a partition that every commit checks and replaces.
type Head struct {
	// Epoch grows with every claim of the partition, by one or more; 0: never claimed.
	Epoch uint64
	// Generation of keys; a rebuild makes a new one.
	Generation uint64
	// Cursor is the log sequence up to which the stored state is complete.
	Cursor uint64
	// State is the fold's own state of the partition, opaque here. Nil: none yet.
	State []byte
}

// Entry is a key with a value.
type Entry struct {
	Key   string
	Value []byte
}

// Commit is all that one step changes in a partition. It is applied whole or not at all.
type Commit struct {
	Partition int
	// Epoch and Generation must equal the stored head's.
	Epoch, Generation uint64
	// From must equal the stored cursor.
	From uint64
	// Cursor and State replace the stored ones.
	Cursor uint64
	State  []byte
	// Put replaces values, Append adds bytes at the end of values (absent: empty), Delete removes keys. No key
	// stands twice in them.
	Put    []Entry
	Append []Entry
	Delete []string
	// Changed names the accounts whose state changed; watchers get it as one Change.
	Changed []string
}

// Change tells a watcher what one commit changed.
type Change struct {
	Partition                 int
	Epoch, Generation, Cursor uint64
	// Accounts that changed, as in Commit.Changed.
	Accounts []string
	// Lost says that changes before this one may be missing (a gap, a fall-back, a new generation): what the
	// watcher derived for the partition must be filled again. Such a Change has no Accounts.
	Lost bool
}

// Store keeps the derived state of all partitions. Keys are strings of any bytes, private to a partition.
// All methods are safe for concurrent use.
type Store interface {
	// Claim takes the partition for a new owner: it raises the epoch and returns the head.
	Claim(ctx context.Context, partition int) (Head, error)
	// Read returns the head and the values of keys (nil: absent), as of one instant where the
	// engine allows it for a single partition.
	Read(ctx context.Context, partition int, keys ...string) (Head, [][]byte, error)
	// Commit applies c atomically. Errors: ErrFenced (nothing written), ErrUnknown (perhaps written), and any
	// other, such as *Error or the end of ctx before anything was sent (nothing written).
	Commit(ctx context.Context, c *Commit) error
	// Reset empties a partition for its present owner, so that the log is folded into it again from the start: the
	// head gets the next generation, cursor 0 and no state; the epoch stays. No Read or Commit sees a value of an
	// earlier generation again; the engine removes them in its own time. Watchers get Lost. ErrFenced if epoch is
	// not the stored one. After any other error it may have happened or not, and may be called again.
	Reset(ctx context.Context, partition int, epoch uint64) (Head, error)
	// Watch calls f for every commit after its start, each partition in order and one call at a time, until ctx
	// ends or f fails. For each partition it first calls f with Lost, once it is certain that no later change is
	// missed. A watch outlives broken connections. A watcher that is too slow gets Lost.
	Watch(ctx context.Context, partitions int, f func(Change) error) error
	// Check reports whether the store can be used: reachable, and configured to keep what it is given.
	Check(ctx context.Context) error
	// Close frees what the store holds.
	Close() error
}
