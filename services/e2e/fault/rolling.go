package fault

import (
	"context"
	"fmt"
	"slices"

	"hale.dev/services/e2e/rig"
)

// rolling restarts everything, one process after another, each when all is whole again: an upgrade.
type rolling struct {
	order []int
	done  int
}

func (r *rolling) Class() Class { return RollingRestart }
func (r *rolling) String() string {
	return fmt.Sprintf("rolling restart of %d processes", len(r.order))
}

func (r *rolling) Inject(ctx context.Context, f *rig.Fleet) error {
	all := f.Processes()
	for _, i := range r.order {
		all[i].Stop()
		if err := all[i].Start(); err != nil {
			return err
		}
		if err := Settle(ctx, f); err != nil {
			return fmt.Errorf("after the restart of %s: %w", all[i].Name, err)
		}
		r.done++
	}
	return nil
}

// Heal starts what a failure left stopped.
func (r *rolling) Heal(_ context.Context, f *rig.Fleet) error {
	i := slices.IndexFunc(f.Processes(), func(p *rig.Process) bool { return !p.Running() })
	if i < 0 {
		return nil
	}
	return f.Processes()[i].Start()
}

// Settle waits until the whole fleet says that it is whole: engines first, then every service.
func Settle(ctx context.Context, f *rig.Fleet) error {
	if err := f.SettledNATS(ctx); err != nil {
		return err
	}
	if err := f.SettledRedis(ctx); err != nil {
		return err
	}
	for _, s := range f.Services() {
		if err := s.WaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}
