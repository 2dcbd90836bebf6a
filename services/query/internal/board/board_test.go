package board_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/query/internal/board"
	"hale.dev/services/query/internal/filter"
)

// ended is an alert that was resolved so many days after begin.
func ended(id string, days int) *alertv1.Alert {
	at := timestamppb.New(begin().AddDate(0, 0, days))

	return &alertv1.Alert{AlertId: id, State: alertv1.State_STATE_RESOLVED, FireTime: at, ResolveTime: at}
}

// all is how many alerts the board has.
func all(b *board.Board) int {
	found, _ := b.Snapshot("home", nil)

	return len(found)
}

func TestWhatWasResolvedLongAgoIsForgotten(t *testing.T) {
	t.Parallel()

	b := board.New(16)
	open := &alertv1.Alert{AlertId: "open", State: alertv1.State_STATE_FIRING, FireTime: timestamppb.New(begin())}
	b.Put(entry(1, open))
	b.Put(entry(2, ended("old", 0)))
	b.Put(entry(3, ended("edge", 1)))
	b.Put(entry(4, ended("new", 91)))
	require.Equal(t, 3, all(b))

	a, _ := b.Get("home", "old")
	require.Nil(t, a)

	a, _ = b.Get("home", "open")
	require.NotNil(t, a, "however old it is")

	for n := range 20_010 {
		b.Put(entry(uint64(n+5), ended(fmt.Sprint(n), 92)))
	}

	require.Equal(t, 20_001, all(b), "the open one, and as many as may be")
}

func TestAnOlderRecordChangesNothing(t *testing.T) {
	t.Parallel()

	b := board.New(16)
	newer := &alertv1.Alert{AlertId: "a", Revision: 2, State: alertv1.State_STATE_FIRING}
	b.Fill(entry(7, newer))
	b.Fill(entry(3, &alertv1.Alert{AlertId: "a", Revision: 1}))
	b.Begin(board.Place{Stream: 1, Sequence: 7})
	b.Put(entry(7, &alertv1.Alert{AlertId: "a", Revision: 9}))

	a, _ := b.Get("home", "a")
	require.Equal(t, uint32(2), a.GetRevision())
}

// TestTransitionsComeOnceOrAreSaidToBeForgotten reads random stretches: whatever is told is all there was.
func TestTransitionsComeOnceOrAreSaidToBeForgotten(t *testing.T) {
	t.Parallel()

	const size = 8

	r := rand.New(rand.NewPCG(1, 1))
	b := board.New(size)
	b.Begin(board.Place{Stream: 1, Sequence: 100})

	for n := range uint64(500) {
		b.Put(entry(101+n, &alertv1.Alert{AlertId: fmt.Sprint(n), State: alertv1.State_STATE_FIRING}))

		from := 90 + r.Uint64N(n+20)
		got, at, _, ok := b.After("home", board.Place{Stream: 1, Sequence: from})
		require.Equal(t, board.Place{Stream: 1, Sequence: 101 + n}, at)

		_, _, _, other := b.After("home", board.Place{Stream: 2, Sequence: from})
		require.False(t, other, "of another stream")

		last := at.Sequence

		if !ok {
			require.True(t, from < 100 || from > last || last-from > size, "from %d of %d", from, last)

			continue
		}

		require.Len(t, got, int(last-from))

		for i, e := range got {
			require.Equal(t, from+uint64(i)+1, e.Sequence)
		}
	}
}

func TestAPlaceIsWaitedForInItsStream(t *testing.T) {
	t.Parallel()

	var (
		b       = board.New(16)
		errOver = errors.New("over")
		await   = func(p board.Place) error {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errOver)
			defer cancel()

			return b.Await(ctx, p)
		}
	)

	require.ErrorIs(t, await(board.Place{Stream: 1}), errOver, "it is not filled")
	b.Begin(board.Place{Stream: 1, Sequence: 7})
	require.NoError(t, await(board.Place{Stream: 1, Sequence: 7}))
	require.ErrorIs(t, await(board.Place{Stream: 1, Sequence: 8}), errOver)
	require.ErrorIs(t, await(board.Place{Stream: 2, Sequence: 7}), errOver)

	e := entry(8, &alertv1.Alert{AlertId: "a", State: alertv1.State_STATE_FIRING})
	e.Time = 9
	b.Put(e)
	require.Equal(t, board.Place{Stream: 1, Sequence: 8, Time: 9}, b.Last())
	require.NoError(t, await(board.Place{Stream: 1, Sequence: 8}))

	b.Reset()
	require.ErrorIs(t, await(board.Place{Stream: 1, Sequence: 7}), errOver)
}

func TestACommandIsWaitedFor(t *testing.T) {
	t.Parallel()

	b := board.New(16)
	found := make(chan *alertv1.Transition, 1)

	go func() {
		one, _ := b.AwaitCommand(t.Context(), "home", "a", "c")
		found <- one
	}()

	e := entry(1, &alertv1.Alert{AlertId: "a", State: alertv1.State_STATE_FIRING})
	e.Record.Transition.CommandId = "c"
	b.Put(e)
	require.Equal(t, "c", (<-found).GetCommandId())

	errOver := errors.New("over")
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errOver)
	t.Cleanup(cancel)

	_, err := b.AwaitCommand(ctx, "home", "b", "c")
	require.ErrorIs(t, err, errOver)
}

func TestFiltersThatCannotBe(t *testing.T) {
	t.Parallel()

	for text, code := range map[string]string{
		"mood = bad":        filter.CodeField,
		"severity > ":       filter.CodeSyntax,
		"severity = dire":   filter.CodeType,
		"held > true":       filter.CodeType,
		"score = high":      filter.CodeType,
		"fire_time > today": filter.CodeType,
		"labels.a = ''":     filter.CodeType,
		`"rule" = x`:        filter.CodeSyntax,
		"in_segment(big)":   filter.CodeFunction,
	} {
		_, err := board.ParseFilter(text)
		bad, ok := errors.AsType[*filter.Error](err)
		require.True(t, ok, text)
		require.Equal(t, code, bad.Code, text)
	}

	for _, text := range []string{"mood", "score up", "score,score"} {
		_, err := board.ParseOrder(text)
		require.Error(t, err, text)
	}
}

func TestATokenOfAnotherListIsRefused(t *testing.T) {
	t.Parallel()

	order, err := board.ParseOrder("score")
	require.NoError(t, err)

	other, err := board.ParseOrder("score desc")
	require.NoError(t, err)

	token := board.After(nil, order, &alertv1.Alert{AlertId: "a"}).String()
	_, err = board.ParsePosition(nil, order, token)
	require.NoError(t, err)

	for _, text := range []string{token[:len(token)-4], "", "!", token + "!"} {
		_, err := board.ParsePosition(nil, order, text)
		require.ErrorIs(t, err, board.ErrPosition, text)
	}

	_, err = board.ParsePosition(nil, other, token)
	require.ErrorIs(t, err, board.ErrPosition)
}
