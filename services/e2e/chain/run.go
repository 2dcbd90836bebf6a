package chain

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/e2e/rig"
)

// partitions of the log.
const partitions = 4

// run is one run.
type run struct {
	o       Options
	cluster *rig.Cluster
	notify  *rig.Process
	hook    *rig.Hook
	conn    *grpc.ClientConn
	signals signals
	traffic *traffic
	watcher *watcher
	desk    *desk
	report  Report
	// killed is closed when the victim of the round is dead; nil: webhooks are answered at once.
	killed atomic.Pointer[chan struct{}]
}

// Run starts everything, kills in rounds, and compares. The error says why that could not be done; what was found wrong is
// in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	o = o.complete()
	begun := time.Now()
	c, err := rig.NewCluster(o.Dir, o.Programs, rig.Options{Partitions: partitions})
	if err != nil {
		return nil, fmt.Errorf("laying out: %w", err)
	}
	defer c.Stop()
	hook, err := rig.NewHook()
	if err != nil {
		return nil, err
	}
	defer hook.Close()
	r := &run{o: o, cluster: c, hook: hook, signals: newSignals()}
	r.report = Report{Seed: o.Seed, Kills: map[string]int{}}
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	defer func() { _ = r.conn.Close() }()
	watching, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		r.watcher.follow(watching)
	}()
	err = r.rounds(watching)
	if err == nil {
		r.desk.wait(watching, o.Settle)
		err = r.verify(ctx)
	}
	stop()
	<-watched
	r.desk.busy.Wait()
	r.report.Seconds = time.Since(begun).Seconds()
	return &r.report, err
}

// start starts all processes and puts rules and receivers in force.
func (r *run) start(ctx context.Context) error {
	c := r.cluster
	if err := c.Start(ctx); err != nil {
		return err
	}
	var err error
	if r.notify, err = c.AddNotify(r.hook.Env()); err != nil {
		return err
	}
	if err := c.Restart(ctx, r.notify); err != nil {
		return err
	}
	if r.conn, err = rig.Dial(c.QueryGRPC, c.Keys.Admin); err != nil {
		return err
	}
	admin := adminv1.NewAdminServiceClient(r.conn)
	if _, err := admin.ApplyRules(ctx, &adminv1.ApplyRulesRequest{Document: rules}); err != nil {
		return fmt.Errorf("putting rules in force: %w", err)
	}
	if _, err := admin.ApplyReceivers(ctx, &adminv1.ApplyReceiversRequest{Document: receivers(r.hook.URL)}); err != nil {
		return fmt.Errorf("putting receivers in force: %w", err)
	}
	r.traffic = newTraffic(c, r.o.Seed)
	r.desk = &desk{client: alertv1.NewAlertServiceClient(r.conn), seed: r.o.Seed}
	r.watcher = newWatcher(r.desk.client, func() { r.signals.tell(seen) })
	r.hook.Meet(r.meet)
	return nil
}

// meet is called at every webhook. One that is waited for is not answered before the kill.
func (r *run) meet(before bool) {
	if !before {
		r.signals.tell(taken)
		return
	}
	r.signals.tell(trying)
	if killed := r.killed.Load(); killed != nil {
		select {
		case <-*killed:
		case <-time.After(r.o.Patience):
		}
	}
}

// rounds kills in rounds.
func (r *run) rounds(ctx context.Context) error {
	if err := rig.Until(ctx, func() error {
		if !r.watcher.begun() {
			return errors.New("the watch has not begun")
		}
		return nil
	}); err != nil {
		return err
	}
	victims := []*rig.Process{r.cluster.Scoring, r.notify, r.cluster.Query, r.cluster.NATS, r.cluster.Redis}
	begun := time.Now()
	for n, b := range plan(r.o.Seed, r.o.Rounds, len(victims)) {
		if r.o.Time > 0 && time.Since(begun) > r.o.Time {
			break
		}
		if err := r.round(ctx, n, b, victims[b.victim]); err != nil {
			return fmt.Errorf("round %d: %w", n+1, err)
		}
	}
	return nil
}

// round sends events and commands about the alerts that have fired, waits for the moment, kills, and starts again what it
// killed.
func (r *run) round(ctx context.Context, n int, b blow, victim *rig.Process) error {
	begun := time.Now()
	r.signals.clear()
	killing := make(chan struct{})
	if b.moment == trying {
		r.killed.Store(&killing)
	}
	r.desk.take(ctx, r.watcher.taken())
	if err := r.traffic.round(ctx); err != nil {
		return fmt.Errorf("sending events: %w", err)
	}
	r.signals.tell(accepted)
	late := ""
	if !r.signals.await(ctx, b.moment, r.o.Patience) {
		r.report.Late++
		late = ", which did not come"
	}
	time.Sleep(b.wait)
	victim.Kill()
	killed := time.Now()
	close(killing)
	r.killed.Store(nil)
	r.report.Kills[victim.Name]++
	r.report.Rounds++
	if err := r.cluster.Restart(ctx, victim); err != nil {
		return err
	}
	fmt.Fprintf(r.o.Out, "round %3d: %-8s killed after %4d ms %s%s; back after %d ms\n", n+1, victim.Name,
		killed.Sub(begun).Milliseconds(), b.moment, late, time.Since(killed).Milliseconds())
	return ctx.Err()
}
