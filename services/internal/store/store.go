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
	"fmt"
	"time"
)

// ErrFenced is returned by Commit when epoch, generation or cursor are not the ones expected: another owner
// took the partition, or the store fell back. Nothing was written. Reload and go on from the head.
var ErrFenced = errors.New("store: partition is fenced")

// ErrUnknown wraps a Commit error after which it is not known whether the commit took place (a timeout,
// a broken connection). Read the head, then decide.
var ErrUnknown = errors.New("store: outcome unknown")

// ErrNoDraft is returned by ReadDraft where a partition has no draft.
var ErrNoDraft = errors.New("store: the partition has no draft")

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
	// Revision grows by one with every commit, and with every head that is put in place of another; a store that lost
	// a commit which left the cursor as it was shows by it.
	Revision uint64
}

// Lease says who holds a partition. It keeps others from claiming a partition that is in good hands; it is no fence:
// whether a commit counts is decided by the epoch alone.
type Lease struct {
	// Owner is the name of the process, another one at each start.
	Owner string
	// Deployment is the id of the log that the owner reads: two deployments on one store show by it.
	Deployment string
	// TTL is how long the lease holds after it was last renewed, by the engine's own clock.
	TTL time.Duration
}

// HeldError is returned by Claim while another owner's lease holds. Nothing was changed.
type HeldError struct {
	// Lease of the holder; its TTL is what is left of it.
	Lease Lease
}

// Error implements error.
func (e *HeldError) Error() string {
	return fmt.Sprintf("store: the partition is held by %s for another %s", e.Lease.Owner, e.Lease.TTL)
}

// Status is what can be seen of a partition from outside.
type Status struct {
	Head

	// Lease that holds now, its TTL what is left of it; no Owner: none holds.
	Lease Lease
	// Draft is the head of the draft; nil: there is none.
	Draft *Head
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
	// Revision must equal the stored one; 0: it is not looked at. A commit raises the stored one by one.
	Revision uint64
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
	// Lease is renewed by the commit, whoever held it; zero: it stays as it is.
	Lease Lease
	// Draft applies the commit to the partition's draft: its head is checked and replaced, its generation's values are
	// written, and watchers hear nothing. ErrFenced if there is no draft.
	Draft bool
}

// Change tells a watcher what one commit changed.
type Change struct {
	Partition                 int
	Epoch, Generation, Cursor uint64
	// Revision of the head after the commit; it tells commits apart that leave the cursor where it is.
	Revision uint64
	// Accounts that changed, as in Commit.Changed.
	Accounts []string
	// Lost says that changes before this one may be missing (a gap, a fall-back, a new generation): what the
	// watcher derived for the partition must be filled again. Such a Change has no Accounts.
	Lost bool
}

// Leases say who holds the partitions.
type Leases interface {
	// Claim takes the partition for a new owner: it raises the epoch, of a draft too, sets the lease and returns the
	// head. While a lease of another Owner holds it returns *HeldError. A zero lease asks and sets none: it takes the
	// partition whoever holds it.
	Claim(ctx context.Context, partition int, l Lease) (Head, error)
	// Renew renews the lease of an owner that has nothing to commit. ErrFenced if epoch is not the stored one.
	Renew(ctx context.Context, partition int, epoch uint64, l Lease) error
	// Release ends the lease, so that the next owner need not wait for its end. The epoch stays. ErrFenced if epoch is
	// not the stored one.
	Release(ctx context.Context, partition int, epoch uint64) error
	// Inspect returns head, lease and draft of a partition, as of one instant.
	Inspect(ctx context.Context, partition int) (Status, error)
}

// Drafts are what a rebuild fills. A partition may have a draft beside what is live: a head of its own, and values of a
// generation of its own that nobody reads but by ReadDraft, until Publish puts it in place of what is live. A
// generation's number is never given twice.
type Drafts interface {
	// BeginDraft makes an empty draft, in place of one that is there: a new generation, cursor 0, no state, the
	// partition's epoch. What is live is not touched. ErrFenced if epoch is not the stored one.
	BeginDraft(ctx context.Context, partition int, epoch uint64) (Head, error)
	// ReadDraft is Read of the draft. ErrNoDraft if there is none.
	ReadDraft(ctx context.Context, partition int, keys ...string) (Head, [][]byte, error)
	// Publish puts the draft of that generation in place of what is live, in one step, and returns the new head. What
	// was live is removed as by Reset. Watchers get Lost. ErrFenced if epoch is not the stored one or there is no draft
	// of that generation. Where that generation is live already, its head is returned and nothing is done; so after any
	// other error, when it may have happened or not, it may be called again.
	Publish(ctx context.Context, partition int, epoch, generation uint64) (Head, error)
	// DropDraft removes the draft, if there is one, with all its values, in the engine's own time. ErrFenced if epoch
	// is not the stored one.
	DropDraft(ctx context.Context, partition int, epoch uint64) error
}

// Store keeps the derived state of all partitions. Keys are strings of any bytes, private to a partition.
// All methods are safe for concurrent use.
type Store interface {
	Leases
	Drafts

	// Read returns the head and the values of keys (nil: absent), as of one instant where the
	// engine allows it for a single partition.
	Read(ctx context.Context, partition int, keys ...string) (Head, [][]byte, error)
	// Commit applies c atomically. Errors: ErrFenced (nothing written), ErrUnknown (perhaps written), and any
	// other, such as *Error or the end of ctx before anything was sent (nothing written).
	Commit(ctx context.Context, c *Commit) error
	// Reset empties a partition for its present owner, so that the log is folded into it again from the start: the
	// head gets the next generation, cursor 0 and no state; the epoch stays. A draft is dropped. No Read or Commit sees
	// a value of an earlier generation again; the engine removes them in its own time. Watchers get Lost. ErrFenced if
	// epoch is not the stored one. After any other error it may have happened or not, and may be called again.
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
