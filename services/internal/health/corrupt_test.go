package health_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// flips are ways in which one byte goes wrong.
func flips(b byte) []byte { return []byte{b ^ 1, b ^ 0x80, ^b, b + 1, 0} }

// everything has something of every kind in its main value.
func everything(t *testing.T) *health.Account {
	t.Helper()
	a := typical(t)
	for i, ev := range number([]fact{
		on(3, fullProfile()), on(2, joined("user-1001", "user-9999")), on(2, joined("user-1002", "user-1001")),
		on(1, role("user-9999", "champion")), on(1, answered("user-1002", nps, 3, 0)), on(0, answered("", csat, 4, 5)),
		on(0, answered("", ces, 4, 0)), on(0, sent(nps)), on(0, touch(meeting, 4)), on(0, ticket("t", escalated)),
		on(0, ticket("t", closed, rating(2), severity(4))), on(0, ticket("t", reopened)),
	}) {
		require.Nil(t, a.Apply(ev.ev, ev.time()+int64(i)))
	}
	a.SetLoad("load")
	a.SetLoadTime(today().Start())
	a.SetOverride(byHand(7, 3))
	a.SetGoal(touched("g", 1, 30))
	a.SetGoal(health.Goal{ID: "f", Feature: "feature 1", Due: today() + 2, Created: today()})
	a.Evaluate(scorecard.Shipped())
	return a
}

func TestOneWrongByteIsAnErrorOrAnAccount(t *testing.T) {
	t.Parallel()
	main := everything(t).Encode(nil, nil)
	for i, was := range main {
		for _, b := range flips(was) {
			wrong := slices.Clone(main)
			wrong[i] = b
			requireUsable(t, wrong, noPart)
		}
		_, err := health.Decode(main[:i], noPart)
		require.ErrorIs(t, err, health.ErrCorrupt, "cut at %d", i)
	}
	_, err := health.Decode(append(slices.Clone(main), 0), noPart)
	require.ErrorIs(t, err, health.ErrCorrupt, "one byte more")
}

// noPart is where no part is.
func noPart(uint32) []byte { return nil }

func TestOneWrongByteInAPartIsAnErrorOrAnAccount(t *testing.T) {
	t.Parallel()
	a := health.New()
	for i := range 300 {
		apply(t, a,
			on(i%30, login(fmt.Sprint("user ", i))), on(i%9, role(fmt.Sprint("user ", i), "champion")),
			on(3, answered(fmt.Sprint("user ", i), nps, 9, 0)), on(i%30, usage("", fmt.Sprint("feature ", i))),
			on(2, ticket(fmt.Sprint("ticket ", i), closed, rating(3))), on(1, joined("user 0", fmt.Sprint("user 0 also ", i))))
	}
	s := stored(t, a)
	require.Len(t, s.parts, 8)
	for _, n := range slices.Sorted(maps.Keys(s.parts)) {
		right := s.parts[n]
		read := func(wrong []byte) func(uint32) []byte {
			return func(m uint32) []byte {
				if m == n {
					return wrong
				}
				return s.parts[m]
			}
		}
		for i := 0; i < len(right); i += 1 + len(right)/20 {
			for _, b := range flips(right[i]) {
				wrong := slices.Clone(right)
				wrong[i] = b
				requireUsable(t, s.main, read(wrong))
			}
			_, err := health.Decode(s.main, read(right[:i]))
			require.ErrorIs(t, err, health.ErrCorrupt, "part %d cut at %d", n, i)
		}
		_, err := health.Decode(s.main, read(nil))
		require.ErrorIs(t, err, health.ErrCorrupt, "without part %d", n)
		_, err = health.Decode(s.main, read(s.parts[n^1]))
		require.ErrorIs(t, err, health.ErrCorrupt, "another part for %d", n)
	}
	require.Equal(t, s.read(t).Measures(standard(t)), a.Measures(standard(t)))
}
