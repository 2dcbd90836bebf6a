package fault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"hale.dev/services/e2e/rig"
)

// clockStep sets the clients' clock wrong, within what is accepted: an hour ahead, 7 days back.
type clockStep struct{ by time.Duration }

func newClockStep(r *rand.Rand, _ *rig.Fleet) Fault {
	const spare = 2 * time.Hour // a batch may be tried for long
	steps := []time.Duration{
		some(r, time.Minute, 58*time.Minute), -some(r, time.Minute, time.Hour),
		-some(r, time.Hour, 24*time.Hour), -some(r, 24*time.Hour, 7*24*time.Hour-spare),
	}
	return &clockStep{by: pick(r, steps).Round(time.Second)}
}

func (c *clockStep) Class() Class   { return ClockStep }
func (c *clockStep) String() string { return fmt.Sprintf("clock of the clients set by %s", c.by) }

func (c *clockStep) Inject(_ context.Context, f *rig.Fleet) error {
	f.Clock.Step(c.by)
	return nil
}

func (c *clockStep) Heal(_ context.Context, f *rig.Fleet) error {
	f.Clock.Step(0)
	return nil
}
