package chain

import (
	"io"
	"time"

	"hale.dev/services/e2e/rig"
)

// Options of a run; zero values work, but for Programs, Dir and Out.
type Options struct {
	Programs rig.Programs
	// Dir is an empty folder for all that the processes write.
	Dir string
	// Out gets a line for each round.
	Out io.Writer
	// Seed decides whom each round kills, and when.
	Seed uint64
	// Rounds is how many processes are killed, one after another; 0: 20. In 20 of them each is killed at each moment.
	Rounds int
	// Patience bounds the wait for a round's moment (0: 8 s), Settle that for the end of everything (0: 2 min).
	Patience, Settle time.Duration
	// Time bounds the rounds; none begins after it. 0: they are not bounded.
	Time time.Duration
}

const (
	defaultRounds   = 20
	defaultPatience = 8 * time.Second
	defaultSettle   = 2 * time.Minute
)

func (o Options) complete() Options {
	if o.Rounds == 0 {
		o.Rounds = defaultRounds
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	if o.Settle == 0 {
		o.Settle = defaultSettle
	}
	return o
}
