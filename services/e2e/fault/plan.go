package fault

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"hale.dev/services/e2e/rig"
)

// Options choose what a plan is made of.
type Options struct {
	// Seed decides all: order, targets, durations, pairs.
	Seed uint64
	// Faults is how many there are, at most.
	Faults int
	// Classes are those to choose from; empty: all.
	Classes []Class
	// NoDisks says that the fleet has no disks that could be filled.
	NoDisks bool
	// Longest bounds how long one of the long pauses lasts; 0: 30 s.
	Longest time.Duration
}

// Planned is a fault with its times.
type Planned struct {
	Fault Fault
	// After is how long after the begin of its step the fault begins, Hold how long it lasts.
	After, Hold time.Duration
}

// Step is what goes wrong at a time: one fault, or two in different parts of the fleet.
type Step struct {
	Faults []Planned
	// Rest follows when all is whole again.
	Rest time.Duration
}

// plan is a plan under way.
type plan struct {
	o     Options
	r     *rand.Rand
	fleet *rig.Fleet
	bag   []kind
	kinds []kind
}

// Plan makes the steps, the same for the same options and the same size of fleet.
func Plan(o Options, f *rig.Fleet) ([]Step, error) {
	p := &plan{o: o, r: rand.New(rand.NewPCG(o.Seed, 0)), fleet: f} //nolint:gosec // repeatable, no secret
	for _, c := range o.Classes {
		if !slices.Contains(Classes(), c) {
			return nil, fmt.Errorf("there is no class of faults named %q", c)
		}
	}
	for _, k := range kinds() {
		if o.NoDisks && (k.class == FullNATS || k.class == FullRedis) {
			continue
		}
		if len(o.Classes) == 0 || slices.Contains(o.Classes, k.class) {
			p.kinds = append(p.kinds, k)
		}
	}
	var steps []Step
	for n := 0; n < o.Faults; {
		s := p.step(o.Faults - n)
		n += len(s.Faults)
		steps = append(steps, s)
	}
	return p.roll(steps), nil
}

// roll puts one rolling restart, which takes long, into a long plan of all classes, somewhere in its first half.
func (p *plan) roll(steps []Step) []Step {
	const long = 40
	i := slices.IndexFunc(p.kinds, func(k kind) bool { return k.class == RollingRestart })
	if len(steps) < long || i < 0 || len(p.kinds) == 1 {
		return steps
	}
	restart := Step{Faults: []Planned{p.planned(p.kinds[i], 0)}}
	return slices.Insert(steps, p.r.IntN(len(steps)/2), restart)
}

// step makes the next step, of at most so many faults.
func (p *plan) step(most int) Step {
	const pairIn, restLeast, restMost, apart = 3, 100 * time.Millisecond, 800 * time.Millisecond, 2 * time.Second
	first := p.draw(func(kind) bool { return true })
	s := Step{Faults: []Planned{p.planned(*first, 0)}, Rest: some(p.r, restLeast, restMost)}
	if most < 2 || first.area == areaAll || p.r.IntN(pairIn) != 0 {
		return s
	}
	second := p.draw(func(k kind) bool { return k.area != first.area && k.area != areaAll })
	if second != nil {
		s.Faults = append(s.Faults, p.planned(*second, some(p.r, 0, apart)))
	}
	return s
}

// draw takes a fitting kind out of the bag. An empty bag is filled with each kind as often as it is wanted, in a new
// order, so that all come up. Nil: none in the bag fits.
func (p *plan) draw(fits func(kind) bool) *kind {
	if len(p.bag) == 0 {
		for _, k := range p.kinds {
			for range k.often {
				p.bag = append(p.bag, k)
			}
		}
		if len(p.bag) == 0 { // only such as are not drawn by chance
			p.bag = append(p.bag, p.kinds...)
		}
		p.r.Shuffle(len(p.bag), func(i, j int) { p.bag[i], p.bag[j] = p.bag[j], p.bag[i] })
	}
	i := slices.IndexFunc(p.bag, fits)
	if i < 0 {
		return nil
	}
	k := p.bag[i]
	p.bag = slices.Delete(p.bag, i, i+1)
	return &k
}

// planned makes a fault of a kind. One pause in eight is long: its owner is a zombie when it wakes up.
func (p *plan) planned(k kind, after time.Duration) Planned {
	const longIn, usual = 8, 30 * time.Second
	longest := p.o.Longest
	if longest == 0 {
		longest = usual
	}
	hold := some(p.r, k.least, k.most)
	pauses := []Class{PauseIngest, PauseScoring, PauseNATS, PauseRedis}
	if slices.Contains(pauses, k.class) && p.r.IntN(longIn) == 0 {
		hold = some(p.r, k.most, max(k.most, longest))
	}
	return Planned{Fault: k.make(p.r, p.fleet), After: after, Hold: hold}
}
