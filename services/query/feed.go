package query

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/store"
	"hale.dev/services/query/internal/catalog"
	"hale.dev/services/query/internal/column"
	"hale.dev/services/query/internal/hub"
)

const (
	// restLeast and restMost bound the rest between two rounds, during which changes of one account melt into one.
	restLeast, restMost = 50 * time.Millisecond, 2 * time.Second
	// restWatched bounds it while somebody watches.
	restWatched = 200 * time.Millisecond
	// restFactor is how many times its own duration the feed rests after a round, so that lists, however many accounts
	// change, take a fixed share of the machine. Nobody waits for that: a reader who does ends the rest.
	restFactor = 4
	// publishEvery is how often watchers hear of what a round that takes long has done so far.
	publishEvery = 20 * time.Millisecond
	// retryLeast and retryMost bound the pause after an error of the store.
	retryLeast, retryMost = 100 * time.Millisecond, 5 * time.Second
)

// summarize makes the row of an account from its stored value, and decodes it; nil: there is none any more.
type summarize func(ctx context.Context, partition int, id string, main []byte) (*column.Row, *health.Account, error)

// feed follows the store's changes: it tells progress what is stored, and keeps the columns of lists and what features
// are used.
type feed struct {
	store     store.Store
	logger    *slog.Logger
	metrics   *metrics
	summarize summarize

	// stored is how far the store is, listed how far the columns are.
	stored, listed *progress
	book           column.Book
	features       *catalog.Book
	hub            *hub.Hub
	// published is when watchers were told last, in nanoseconds since began.
	published    atomic.Int64
	began        time.Time
	parts        []feedPart
	wake, urgent chan struct{}
	failing      atomic.Pointer[error]
}

// feedPart is what the feed knows of one partition.
type feedPart struct {
	// logTime is the log time up to which the columns are complete, in microseconds; 0: nothing seen yet.
	logTime atomic.Int64
	filled  atomic.Bool
	// state is the partition's state when the columns were last brought up to date; nil: not yet.
	state atomic.Pointer[fold.State]
	// seen is a log time that holds once the columns have reached its cursor. Only the worker touches it.
	seen struct {
		pending bool
		cursor  uint64
		logTime int64
	}

	mu   sync.Mutex
	todo chore
}

// chore is what is to be done for a partition.
type chore struct {
	// fill says that everything is to be read; accounts then are those that changed since.
	fill bool
	any  bool
	// at is how far the partition will be, lost is where the newest Lost stood.
	at, lost hub.Position
	// accounts that changed, with the place of their newest change.
	accounts map[string]column.Place
	since    time.Time
}

func newFeed(s store.Store, partitions, ring int, f summarize, m *metrics, l *slog.Logger) *feed {
	made := &feed{
		store: s, logger: l, metrics: m, summarize: f, began: time.Now(),
		stored: newProgress(partitions), listed: newProgress(partitions),
		features: catalog.New(partitions), parts: make([]feedPart, partitions),
		wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
	}
	made.hub = hub.New(&made.book, partitions, ring)

	return made
}

// run follows the store until ctx ends.
func (f *feed) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)

	g.Go(func() error {
		for pause := retryLeast; ; pause = min(2*pause, retryMost) {
			err := f.store.Watch(ctx, len(f.parts), func(c store.Change) error {
				pause = retryLeast
				f.change(c)

				return nil
			})
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}

			f.logger.WarnContext(ctx, "watching the store again soon", "error", err)

			if err := sleep(ctx, pause); err != nil {
				return err
			}
		}
	})
	g.Go(func() error { return f.work(ctx) })

	return g.Wait() //nolint:wrapcheck // the errors of this file
}

// change takes one change up; it must not block.
func (f *feed) change(c store.Change) {
	p := &f.parts[c.Partition]

	p.mu.Lock()
	p.todo.add(c)
	p.mu.Unlock()

	f.stored.set(c.Partition, c.Cursor)
	poke(f.wake)

	if f.listed.anybody() {
		poke(f.urgent)
	}
}

// add takes a change up.
func (t *chore) add(c store.Change) {
	if !t.any {
		t.any, t.since = true, time.Now()
	}

	t.at = hub.Position{
		Known: true, Generation: c.Generation, Epoch: c.Epoch,
		Place: column.Place{Cursor: c.Cursor, Revision: c.Revision},
	}

	if c.Lost {
		t.fill, t.accounts, t.lost = true, nil, t.at
	}

	if t.accounts == nil {
		t.accounts = make(map[string]column.Place, len(c.Accounts))
	}

	for _, id := range c.Accounts {
		t.accounts[id] = t.at.Place
	}
}

// merge puts what an older chore did not get done before what came since.
func (t *chore) merge(older chore) {
	if !t.any {
		*t = older

		return
	}

	t.since = older.since
	if t.fill {
		return
	}

	t.fill, t.lost = older.fill, older.lost

	for id, at := range older.accounts {
		if _, ok := t.accounts[id]; !ok {
			t.accounts[id] = at
		}
	}
}

// work does what there is to do, round by round.
func (f *feed) work(ctx context.Context) error {
	retry := retryLeast

	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-f.wake:
		}

		start := time.Now()

		if err := f.round(ctx); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}

			f.failing.Store(&err)
			f.logger.WarnContext(ctx, "filling lists again soon", "error", err)
			poke(f.wake)

			if err := sleep(ctx, retry); err != nil {
				return err
			}

			retry = min(2*retry, retryMost)

			continue
		}

		retry = retryLeast
		f.failing.Store(nil)

		if err := f.rest(ctx, time.Since(start)); err != nil {
			return err
		}
	}
}

// rest lets changes gather, unless somebody waits for them.
func (f *feed) rest(ctx context.Context, spent time.Duration) error {
	most := restMost
	if f.hub.Watchers() > 0 {
		most = restWatched
	}

	timer := time.NewTimer(min(max(restFactor*spent, restLeast), most))
	defer timer.Stop()

	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	case <-f.urgent:
	}

	return nil
}

// round does everything that is to be done now.
func (f *feed) round(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))

	for n := range f.parts {
		p := &f.parts[n]

		p.mu.Lock()
		todo := p.todo
		p.todo = chore{}
		p.mu.Unlock()

		if !todo.any {
			continue
		}

		g.Go(func() error {
			err := f.do(ctx, n, &todo)
			if err != nil {
				p.mu.Lock()
				p.todo.merge(todo)
				p.mu.Unlock()
			}

			return err
		})
	}

	err := g.Wait()

	f.publish(0)

	return err //nolint:wrapcheck // the errors of do
}

// publish lets watchers have what is in the columns, unless it was done less than an age ago.
func (f *feed) publish(age time.Duration) {
	last := f.published.Load()
	now := int64(time.Since(f.began))

	if age > 0 && (now-last < int64(age) || !f.published.CompareAndSwap(last, now)) {
		return
	}

	f.published.Store(now)
	f.hub.Publish(f.asOf())
}

// wait returns when the columns have reached a place in the log.
func (f *feed) wait(ctx context.Context, partition int, sequence uint64) error {
	f.listed.waiting.Add(1) // before the poke, so that a change that comes between pokes too
	defer f.listed.waiting.Add(-1)

	poke(f.urgent)

	return f.listed.wait(ctx, partition, sequence)
}

// await returns when the columns are as far as a watch's token.
func (f *feed) await(ctx context.Context, t *hub.Token) error {
	f.listed.waiting.Add(1)
	defer f.listed.waiting.Add(-1)

	poke(f.urgent)

	return f.hub.Await(ctx, t)
}

// asOf is the log time up to which all columns are complete, in microseconds; 0: nothing seen yet. Partitions that
// never saw anything do not count.
func (f *feed) asOf() int64 {
	var oldest int64

	for i := range f.parts {
		if t := f.parts[i].logTime.Load(); t != 0 && (oldest == 0 || t < oldest) {
			oldest = t
		}
	}

	return oldest
}

// ready returns nil when the columns of all partitions have been filled, else why not.
func (f *feed) ready() error {
	for i := range f.parts {
		if f.parts[i].filled.Load() {
			continue
		}

		if err := f.failing.Load(); err != nil {
			return *err
		}

		return fmt.Errorf("the lists of partition %d are being filled", i)
	}

	return nil
}

// lag is how long the oldest change that is not in the columns yet has been known.
func (f *feed) lag() time.Duration {
	var most time.Duration

	for i := range f.parts {
		p := &f.parts[i]

		p.mu.Lock()
		if p.todo.any {
			most = max(most, time.Since(p.todo.since))
		}
		p.mu.Unlock()
	}

	return most
}

// accounts is how many accounts the columns hold.
func (f *feed) accounts() int {
	n := 0

	f.book.Each(func(_ string, t *column.Table) { n += t.Len() })

	return n
}

// poke leaves a token unless one is there.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// sleep waits, or returns the cause that ended ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()

	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
