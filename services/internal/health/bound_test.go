package health_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// near requires an estimate to be off by less than 2 %.
func near(t *testing.T, want float64, got scorecard.Value) {
	t.Helper()
	require.True(t, got.Known)
	require.InEpsilon(t, want*float64(one), got.Micros, 0.02)
}

func TestAMillionUsersAndManyFeaturesStayBounded(t *testing.T) {
	t.Parallel()
	const users, features = 1_000_000, 100_000
	set := standard(t, scorecard.Milestone{Feature: "first step", DueDay: 1}, scorecard.Milestone{Feature: "last step", DueDay: 2})
	a := health.New()
	a.Begin(today())
	add := func(f fact) { applyAt(t, a, f.ev, f.time()) }
	add(on(30, seats(int64(users))))
	add(on(5, role("champion", "champion")))
	add(on(3, usage("champion", "first step")))
	for i := range users {
		id := fmt.Sprintf("user-%d", i)
		add(on(1+i%20, login(id))) // each of 20 days sees a twentieth
		if i%2 == 0 {
			add(on(0, login(id)))
		}
		if i%4 == 0 {
			add(on(2, answered(id, nps, 10, 0)))
		}
		if i%1000 == 0 {
			a.Evaluate(set)
		}
	}
	for i := range features {
		add(on(2+i%40, usage("champion", fmt.Sprintf("feature %d", i))))
		if i%1000 == 0 {
			a.Evaluate(set)
		}
	}
	add(on(0, usage("", "last step")))
	add(on(1, answered("", nps, 0, 0)))
	a.Evaluate(set)
	require.True(t, a.Approximate())
	require.Less(t, a.Size(), 40<<20)
	check := func(a *health.Account) {
		v := a.Measures(set)
		near(t, 100, v[scorecard.ActiveUsers])
		near(t, 100.0/28, v[scorecard.Stickiness]) // one day of each user in 28 days
		near(t, features*28/40, v[scorecard.FeaturesUsed])
		near(t, 100, v[scorecard.NPS])
		require.Less(t, v[scorecard.NPS].Micros, 100*one)
		require.Equal(t, known(100*one), v[scorecard.Milestones], "milestones are exact")
		require.Equal(t, known(2*one), v[scorecard.ChampionSeen], "roles are exact")
		require.True(t, a.Explain(set).Approximate)
	}
	check(a)
	heap := stored(t, a)
	require.Less(t, heap.bytes, 6<<20)
	require.Less(t, heap.largest, 64<<10)
	b := heap.read(t)
	check(b)
	runtime.KeepAlive(a)

	t.Run("a commit rewrites what changed", func(t *testing.T) {
		add(on(0, login("champion")))
		a.Evaluate(set)
		changed := 0
		main := a.Encode(func(uint32, []byte) { changed++ }, func(uint32) { require.Fail(t, "a part is gone") })
		require.Equal(t, 1, changed)
		require.Less(t, len(main), 1000)
	})
	t.Run("a roll makes the sums anew", func(t *testing.T) {
		a.Roll(today()+9, set, func(health.Row) {}) // a twentieth was last seen 20 days before
		near(t, 95, a.Measures(set)[scorecard.ActiveUsers])
		a.Roll(today()+18, set, func(health.Row) {}) // and four more, 18 to 10 days before
		near(t, 70, a.Measures(set)[scorecard.ActiveUsers])
	})
}

// blob is a stored account.
type blob struct {
	main           []byte
	parts          map[uint32][]byte
	bytes, largest int
}

func stored(t *testing.T, a *health.Account) *blob {
	t.Helper()
	s := &blob{parts: map[uint32][]byte{}}
	s.write(a)
	numbers, err := health.Parts(s.main)
	require.NoError(t, err)
	require.Len(t, numbers, len(s.parts))
	s.bytes = len(s.main)
	for _, n := range numbers {
		require.Contains(t, s.parts, n)
		s.bytes += len(s.parts[n])
		s.largest = max(s.largest, len(s.parts[n]))
	}
	return s
}

func (s *blob) write(a *health.Account) {
	s.main = a.Encode(func(n uint32, v []byte) { s.parts[n] = v }, func(n uint32) { delete(s.parts, n) })
}

func (s *blob) read(t *testing.T) *health.Account {
	t.Helper()
	a, err := health.Decode(s.main, func(n uint32) []byte { return s.parts[n] })
	require.NoError(t, err)
	return a
}

func TestTheSampleDependsOnTheUsersAlone(t *testing.T) {
	t.Parallel()
	const users = 150_000
	set := standard(t)
	up, down := health.New(), health.New()
	for i := range users {
		up.Begin(today())
		down.Begin(today())
		applyAt(t, up, login(fmt.Sprint(i)), today().Start())
		applyAt(t, down, login(fmt.Sprint(users-1-i)), today().Start())
	}
	require.Nil(t, up.Apply(seats(users), today().Start()))
	require.Nil(t, down.Apply(seats(users), today().Start()))
	require.Equal(t, up.Measures(set), down.Measures(set))
	up.Evaluate(set)
	down.Evaluate(set)
	require.Equal(t, stored(t, up), stored(t, down))
}

func TestCollectionsMoveIntoPartsAndBack(t *testing.T) {
	t.Parallel()
	set := standard(t)
	a := health.New()
	a.Begin(today() - 500)
	var s *blob
	for i := range 2000 {
		f := on(500, login(fmt.Sprint("user ", i)))
		require.Nil(t, a.Apply(f.ev, f.time()))
		require.Nil(t, a.Apply(usage("", fmt.Sprint("feature ", i/4)), f.time()))
		require.Nil(t, a.Apply(ticket(fmt.Sprint("ticket ", i/8), closed), f.time()))
		require.Nil(t, a.Apply(joined("user 0", fmt.Sprint("user 0 also ", i)), f.time()))
		switch i {
		case 255:
			s = stored(t, a)
			require.Empty(t, s.parts, "256 stand in the main value")
			a = s.read(t)
		case 256:
			s.write(a)
			require.Len(t, s.parts, 4, "users and aliases are halved")
		}
	}
	s.write(a)
	require.Len(t, s.parts, 8+2+8)
	b := s.read(t)
	require.Equal(t, a.Measures(set), b.Measures(set))
	a = b
	a.Roll(today(), set, func(health.Row) {})
	require.Nil(t, a.Apply(login("u"), today().Start()))
	s.write(a)
	require.Empty(t, s.parts, "all is forgotten")
	require.Equal(t, known(one), s.read(t).Measures(set)[scorecard.LoginDays])
}
