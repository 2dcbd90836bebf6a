package chain

import (
	"context"
	"math/rand/v2"
	"time"
)

// moment is when a round kills.
type moment string

const (
	accepted moment = "after ingest took the events"
	seen     moment = "when the watch sees a transition"
	trying   moment = "while the webhook is being sent"
	taken    moment = "after the webhook was answered"
)

func moments() []moment { return []moment{accepted, seen, trying, taken} }

// blow is what a round does: whom it kills, when, and after which further wait.
type blow struct {
	victim int
	moment moment
	wait   time.Duration
}

// plan lays out rounds: within each 20 of them, every victim is met at every moment, in an order of the seed.
func plan(seed uint64, rounds, victims int) []blow {
	random := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // reproducible, no secret
	// Half of them kill at once: between an answer and the record of it there is little time.
	longest := []time.Duration{3 * time.Millisecond, 40 * time.Millisecond}
	all := make([]blow, 0, rounds)
	for len(all) < rounds {
		var turn []blow
		for v := range victims {
			for _, m := range moments() {
				wait := random.Int64N(int64(longest[random.IntN(len(longest))]))
				turn = append(turn, blow{v, m, time.Duration(wait)})
			}
		}
		random.Shuffle(len(turn), func(i, j int) { turn[i], turn[j] = turn[j], turn[i] })
		all = append(all, turn[:min(len(turn), rounds-len(all))]...)
	}
	return all
}

// signals tell when a moment has come.
type signals map[moment]chan struct{}

func newSignals() signals {
	s := signals{}
	for _, m := range moments() {
		s[m] = make(chan struct{}, 1)
	}
	return s
}

// tell says that a moment has come.
func (s signals) tell(m moment) {
	select {
	case s[m] <- struct{}{}:
	default:
	}
}

// clear forgets what came before.
func (s signals) clear() {
	for _, c := range s {
		select {
		case <-c:
		default:
		}
	}
}

// await waits for a moment, for so long at most, and reports whether it came.
func (s signals) await(ctx context.Context, m moment, patience time.Duration) bool {
	select {
	case <-s[m]:
		return true
	case <-ctx.Done():
		return false
	case <-time.After(patience):
		return false
	}
}
