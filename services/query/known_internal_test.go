package query

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/memory"
)

// shelf is a partition whose accounts a test writes, without scoring them anew as days pass.
type shelf struct {
	t        *testing.T
	store    store.Store
	head     store.Head
	state    fold.State
	accounts map[string]*health.Account
}

const firstDay = health.Day(20_000)

func newShelf(t *testing.T) *shelf {
	t.Helper()

	s, err := memory.Open(memory.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })

	head, err := s.Claim(t.Context(), 0, store.Lease{})
	require.NoError(t, err)

	return &shelf{
		t: t, store: s, head: head, accounts: map[string]*health.Account{},
		state: fold.State{LogTime: firstDay.Start()},
	}
}

// commit writes an account, "" for none, and the state.
func (s *shelf) commit(id string, more ...store.Entry) {
	c := &store.Commit{
		Epoch: s.head.Epoch, Generation: s.head.Generation, From: s.head.Cursor, Cursor: s.head.Cursor + 1, Put: more,
	}

	if a := s.accounts[id]; a != nil {
		main := a.Encode(
			func(n uint32, value []byte) {
				c.Put = append(c.Put, store.Entry{Key: store.PartKey(id, n), Value: value})
			},
			func(n uint32) { c.Delete = append(c.Delete, store.PartKey(id, n)) },
		)
		c.Put = append(c.Put, store.Entry{Key: store.AccountKey(id), Value: main})
	}

	c.State = s.state.Encode()
	require.NoError(s.t, s.store.Commit(context.WithoutCancel(s.t.Context()), c))
	s.head.Cursor++
}

// change applies something to an account.
func (s *shelf) change(id string, f func(a *health.Account)) {
	if s.accounts[id] == nil {
		s.accounts[id] = health.New()
		s.accounts[id].Begin(health.DayOf(s.state.LogTime))
	}

	f(s.accounts[id])
	s.accounts[id].Evaluate(scorecard.Shipped())
	s.commit(id)
}

func (s *shelf) apply(id string, e *eventv1.Event) {
	s.change(id, func(a *health.Account) { require.Nil(s.t, a.Apply(e, s.state.LogTime)) })
}

func accountNamed(name string) *eventv1.Event {
	return &eventv1.Event{MessageId: name, Body: &eventv1.Event_Account{Account: &eventv1.Account{Name: &name}}}
}

func using(user string) *eventv1.Event {
	return &eventv1.Event{MessageId: user, UserId: user, Body: &eventv1.Event_Usage{
		Usage: &eventv1.Usage{Feature: "f"},
	}}
}

// known reads an account as GetHealth does.
func knownValue(ctx context.Context, a *accounts, workspace, account string) (*healthv1.AccountHealth, error) {
	v, err := a.explain(ctx, 0, workspace, store.Account(workspace, account))
	if err != nil || !v.exists() {
		return nil, err
	}

	if v.answer == nil {
		return v.health(account), nil
	}

	sent, err := proto.Marshal(encodedHealth(v.answer, v.logTime, nil))
	if err != nil {
		return nil, err
	}

	var got healthv1.GetHealthResponse

	err = proto.Unmarshal(sent, &got)

	return got.GetHealth(), err
}

// TestKnownAnswers does things at random to accounts of the same names in two workspaces, and to what else an answer is
// made of, and compares each answer with one that is made anew.
func TestKnownAnswers(t *testing.T) {
	t.Parallel()

	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()

			s, rnd := newShelf(t), rand.New(rand.NewPCG(seed, 1))
			kept, anew := newAccounts(s.store, 1), newAccounts(s.store, 1)
			kept.answers = newAnswers(4 << 10) // a few accounts have room

			for step := range 300 {
				s.random(rnd, step)

				for _, ws := range []string{"one", "two"} {
					for _, account := range []string{"a", "b", "c"} {
						v, err := anew.read(t.Context(), 0, ws, store.Account(ws, account))
						require.NoError(t, err)

						got, err := knownValue(t.Context(), kept, ws, account)
						require.NoError(t, err)

						if v.account == nil {
							require.Nil(t, got)

							continue
						}

						want := v.health(account)
						require.True(t, proto.Equal(want, got), "step %d: %v, not %v", step, got, want)
					}
				}
			}
		})
	}
}

// random does one thing of many.
func (s *shelf) random(rnd *rand.Rand, step int) {
	ws := []string{"one", "two"}[rnd.IntN(2)]
	id := store.Account(ws, []string{"a", "b", "c"}[rnd.IntN(3)])

	switch rnd.IntN(9) {
	case 0, 1: // as most messages do to most accounts
		s.state.LogTime++
		s.commit("")
	case 2:
		s.apply(id, using(fmt.Sprint("user-", step)))
	case 3:
		s.apply(id, accountNamed(fmt.Sprint(ws, " ", step)))
	case 4:
		s.state.LogTime += 86_400_000_000 // nobody rolls the accounts
		s.commit("")
	case 5:
		s.change(id, func(a *health.Account) {
			a.SetOverride(health.Override{
				Score: int64(step), Reason: "r", SetAt: s.state.LogTime, LastDay: a.Day() + health.Day(rnd.IntN(3)),
			})
		})
	case 6:
		s.change(id, func(a *health.Account) {
			if a.Load() == "" && !a.Empty() {
				a.SetLoad("load")
			}
		})
	case 7:
		s.state.Loads = []fold.Load{{Workspace: ws, ID: "load", Closed: rnd.IntN(2) == 0}}
		s.commit("")
	case 8:
		version := uint64(1 + step/100) // few: they are compiled
		document := strings.Replace(
			string(scorecard.ShippedDocument()), "name: onboarding", fmt.Sprint("name: card-", version), 1)
		s.state.Sets = []fold.SetVersion{{Workspace: ws, Version: version}}
		s.commit("", store.Entry{Key: store.ScorecardsKey(ws), Value: []byte(document)})
	}
}

// TestKnownAnswersAreNotOld reads from many places while one writes: whoever reads after a commit reads what it wrote.
func TestKnownAnswersAreNotOld(t *testing.T) {
	t.Parallel()

	s := newShelf(t)
	a := newAccounts(s.store, 1)
	id := store.Account("one", "a")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)

	var (
		readers sync.WaitGroup
		mu      sync.Mutex
		written string
	)

	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				mu.Lock()
				least := written
				mu.Unlock()

				got, err := knownValue(ctx, a, "one", "a")
				if ctx.Err() == nil && (err != nil || got.GetProfile().GetName() < least) {
					t.Errorf("after %q was written: %v, %v", least, got, err)

					return
				}
			}
		})
	}

	for i := range 500 {
		name := fmt.Sprintf("%06d", i)
		s.state.LogTime++
		s.apply(id, accountNamed(name))

		mu.Lock()
		written = name
		mu.Unlock()
	}

	cancel()
	readers.Wait()
}

func TestKnownAnswersAreBounded(t *testing.T) {
	t.Parallel()

	a := newAnswers(1 << 20)
	for i := range 10_000 {
		a.put(fmt.Sprint(i), &made{main: make([]byte, 500), health: make([]byte, 500)})
		require.NotNil(t, a.get("0"), "it is in use")
	}

	held := 0

	for _, all := range []map[string]*made{a.new, a.old} {
		for id, m := range all {
			held += m.size(id)
		}
	}

	require.LessOrEqual(t, held, 1<<20+2000)
	require.Greater(t, held, 1<<19)
	require.Nil(t, a.get("1"))
}
