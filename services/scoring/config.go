package scoring

import (
	"cmp"
	"errors"
	"time"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/scorecard"
)

// Config of the scoring service. The zero value works.
type Config struct {
	// CacheMiB bounds the accounts kept decoded in memory, all partitions together; 0: 512.
	CacheMiB int `koanf:"cache_mib"`
	// CommitDelay bounds how long folded events wait for their commit to begin under load; 0: 100 ms. Commits of a
	// partition keep a tenth of it from each other; the rest is for the commit before to end.
	CommitDelay time.Duration `koanf:"commit_delay"`
	// MaxMessageIDs bounds the message ids remembered by one partition; 0: 64 million.
	MaxMessageIDs int `koanf:"max_message_ids"`
	// Adopt lets the service take over a store that holds the state of another log: that state is dropped.
	Adopt bool `koanf:"adopt"`
	// SnapshotEvery is how often every partition is written to the archive; 0: 6 h.
	SnapshotEvery time.Duration `koanf:"snapshot_every"`
	// SnapshotKeep is how many good snapshots of each partition stay; 0: 3.
	SnapshotKeep int `koanf:"snapshot_keep"`
	// Retention is how long messages of the log are kept at least; 0: 400 days. Older ones are removed once every kept
	// snapshot of their stream is past them.
	Retention time.Duration `koanf:"retention"`
	// Name of the process, which the leases of one that is alone tell; empty: it takes partitions without a lease. One
	// that shares them has its name from the group.
	Name string `koanf:"-"`
	// Version of the program; snapshots and heartbeats tell it.
	Version string `koanf:"-"`
	// Now is the owner's clock; nil: time.Now. It decides when ticks are due and whether a message's
	// timestamp is believable, never a score.
	Now func() time.Time `koanf:"-"`

	// steady is a clock that never steps, for distances; nil: time.Now.
	steady func() time.Time
	// What tests change: how many partitions are opened beside each other, and how often is looked at what.
	claimsAtOnce                        int
	markEvery, checkEvery, scheduleLook time.Duration
	spreadEvery, tailPause              time.Duration
	silenceEvery                        time.Duration
	// slice is how many accounts one step of a sweep brings up to date; 0: 512.
	slice int
	// parse compiles scorecards; nil: scorecard.Parse.
	parse fold.Parser
}

const (
	minRetention = 8 * 24 * time.Hour

	defaultCacheMiB    = 512
	defaultCommitDelay = 100 * time.Millisecond
	// clockTolerance is how far ahead of the owner's clock a message's timestamp may be.
	clockTolerance = 5 * time.Minute

	defaultSnapshotEvery = 6 * time.Hour
	defaultSnapshotKeep  = 3
	defaultRetention     = 400 * 24 * time.Hour
	defaultMarkEvery     = 10 * time.Second
	defaultSlice         = 512
	// defaultSilenceEvery is how often it is looked whether a source fell silent.
	defaultSilenceEvery = time.Minute
)

// Validate reports the first value that cannot be used.
func (c Config) Validate() error {
	switch {
	case c.CacheMiB < 0:
		return errors.New("scoring: cache_mib must not be negative")
	case c.CommitDelay < 0 || c.CommitDelay > time.Second:
		return errors.New("scoring: commit_delay must be from 0 to 1s")
	case c.MaxMessageIDs < 0:
		return errors.New("scoring: max_message_ids must not be negative")
	case c.SnapshotEvery < 0 || c.SnapshotKeep < 0:
		return errors.New("scoring: snapshot_every and snapshot_keep must not be negative")
	case c.Retention != 0 && c.Retention < minRetention:
		return errors.New("scoring: retention must be at least 192h: late events are looked for in 7 days")
	}
	return nil
}

func (c Config) complete() Config {
	if c.CacheMiB == 0 {
		c.CacheMiB = defaultCacheMiB
	}
	if c.CommitDelay == 0 {
		c.CommitDelay = defaultCommitDelay
	}
	c.SnapshotEvery = cmp.Or(c.SnapshotEvery, defaultSnapshotEvery)
	c.SnapshotKeep = cmp.Or(c.SnapshotKeep, defaultSnapshotKeep)
	c.Retention = cmp.Or(c.Retention, defaultRetention)
	c.claimsAtOnce = cmp.Or(c.claimsAtOnce, claimsAtOnce)
	c.markEvery = cmp.Or(c.markEvery, defaultMarkEvery)
	c.checkEvery = cmp.Or(c.checkEvery, checkEvery)
	c.scheduleLook = cmp.Or(c.scheduleLook, scheduleLook)
	c.spreadEvery = cmp.Or(c.spreadEvery, spreadEvery)
	c.tailPause = cmp.Or(c.tailPause, tailPause)
	c.silenceEvery = cmp.Or(c.silenceEvery, defaultSilenceEvery)
	c.slice = cmp.Or(c.slice, defaultSlice)
	if c.parse == nil {
		c.parse = scorecard.Parse
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.steady == nil {
		c.steady = time.Now
	}
	return c
}
