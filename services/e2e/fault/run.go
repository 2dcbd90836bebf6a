package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"hale.dev/services/e2e/rig"
)

// Done is a fault that happened.
type Done struct {
	Class Class
	What  string
	// Begun is when it was injected, Healed when it was mended, Whole when the fleet was whole again.
	Begun, Healed, Whole time.Time
}

// healWithin bounds how long mending a fault may take, settleWithin how long the fleet may take to be whole after it.
const (
	healWithin   = 90 * time.Second
	settleWithin = 2 * time.Minute
)

// Run lets the faults of a step happen, and waits until the fleet is whole again. When ctx ends early, the faults
// are mended at once and nothing is awaited. It returns what happened, also beside an error.
func (s *Step) Run(ctx context.Context, f *rig.Fleet) ([]Done, error) {
	done := make([]Done, len(s.Faults))
	errs := make([]error, 1+len(s.Faults)) // of settling, of each fault
	var all sync.WaitGroup
	for i, p := range s.Faults {
		all.Go(func() { done[i], errs[1+i] = p.run(ctx, f) })
	}
	all.Wait()
	if ctx.Err() == nil && errors.Join(errs...) == nil {
		within, cancel := context.WithTimeout(ctx, settleWithin)
		defer cancel()
		if err := Settle(within, f); err != nil && ctx.Err() == nil {
			errs[0] = fmt.Errorf("the fleet is not whole again after %s: %w", s, err)
		}
	}
	var happened []Done
	for _, d := range done {
		if d.Begun.IsZero() {
			continue
		}
		d.Whole = time.Now()
		happened = append(happened, d)
	}
	return happened, errors.Join(errs...)
}

// String names the faults.
func (s *Step) String() string {
	names := make([]string, len(s.Faults))
	for i, p := range s.Faults {
		names[i] = p.Fault.String()
	}
	return strings.Join(names, " with ")
}

func (p *Planned) run(ctx context.Context, f *rig.Fleet) (Done, error) {
	d := Done{Class: p.Fault.Class()}
	if wait(ctx, p.After) != nil {
		return d, nil
	}
	d.Begun = time.Now()
	err := p.Fault.Inject(ctx, f)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("injecting %s: %w", p.Fault, err)
	}
	_ = wait(ctx, p.Hold) // an early end is no error
	healing, cancel := context.WithTimeout(context.WithoutCancel(ctx), healWithin)
	defer cancel()
	if healErr := p.Fault.Heal(healing, f); healErr != nil {
		err = errors.Join(err, fmt.Errorf("healing %s: %w", p.Fault, healErr))
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	d.What, d.Healed = p.Fault.String(), time.Now()
	return d, err
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
