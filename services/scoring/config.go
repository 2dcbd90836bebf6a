package scoring

import (
	"errors"
	"time"
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
	// Now is the owner's clock; nil: time.Now. It decides when ticks are due and whether a message's
	// timestamp is believable, never a score.
	Now func() time.Time `koanf:"-"`
}

const (
	defaultCacheMiB    = 512
	defaultCommitDelay = 100 * time.Millisecond
	// clockTolerance is how far ahead of the owner's clock a message's timestamp may be.
	clockTolerance = 5 * time.Minute
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
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
