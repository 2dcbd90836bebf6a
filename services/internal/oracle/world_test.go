package oracle_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"

	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

var errDocument = errors.New("unknown document")

// text writes a day as events name it.
func text(d oracle.Day) string { return time.Unix(int64(d)*24*3600, 0).UTC().Format(time.DateOnly) }

// plainOptions know two documents: plain, and fussy, which wants more features.
func plainOptions() oracle.Options {
	return oracle.Options{Shipped: plainSet(), Parse: func(version uint64, document []byte) (*scorecard.Set, error) {
		if string(document) == "bad" {
			return nil, errDocument
		}
		return &scorecard.Set{Version: version, Cards: []*scorecard.Card{plainCard(string(document))}}, nil
	}}
}

// noon is the log time at which most tests begin.
const noon = int64(today)*day + 12*hour

// use makes n usage events of different features, all at one time.
func use(prefix string, at int64, n int) []*logv1.Record {
	var records []*logv1.Record
	for i := range n {
		records = append(records, event(fmt.Sprintf("%s%d", prefix, i), at, usage(fmt.Sprintf("f%d", i))))
	}
	return records
}

func codes(w *oracle.World) []string {
	var all []string
	for _, r := range w.Rejects() {
		all = append(all, r.MessageID+" "+r.Code)
	}
	return all
}

func TestAMessageIDCountsOnce(t *testing.T) {
	t.Parallel()
	late := noon + 7*day + 2*hour
	w := oracle.Replay([]oracle.Message{
		message(noon, event("a", noon, login()), event("a", noon, usage("f"))),
		message(late, event("a", late, login())),
		message(late+1, event("a", late, login())),
	}, plainOptions())
	require.Equal(t, 2, w.Counted())
	require.Equal(t, 2, w.Duplicates())
	require.Empty(t, w.Rejects())
}

func TestEventsOutsideTheLimitsAreRefused(t *testing.T) {
	t.Parallel()
	w := oracle.Replay([]oracle.Message{
		message(noon,
			event("old", noon-7*day-1, login()), event("oldest", noon-7*day, login()),
			event("ahead", noon+hour+1, login()), event("farthest", noon+hour, login())),
		message(noon+2, event("ahead", noon+hour+1, login())),
	}, plainOptions())
	require.Equal(t, []string{"old too_old", "ahead in_future"}, codes(w))
	require.Equal(t, 3, w.Counted())
	require.Equal(t, noon, w.Account("w", "acme").Events[1].Time, "an early event takes log time")
}

func TestLogTimeNeverGoesBack(t *testing.T) {
	t.Parallel()
	w := oracle.Replay([]oracle.Message{
		message(noon), message(noon-day, event("a", noon, login())),
	}, plainOptions())
	require.Equal(t, noon, w.LogTime())
	require.Equal(t, noon, w.Account("w", "acme").Events[0].Time)
}

func TestEachDayEndsInARow(t *testing.T) {
	t.Parallel()
	w := oracle.Replay([]oracle.Message{
		message(noon, use("a", noon, 8)...),
		message(noon+day, event("late", noon, usage("x"))),
		message(noon + 40*day),
	}, plainOptions())
	a := w.Account("w", "acme")
	require.Len(t, a.Rows, 40)
	require.Equal(t, today, a.Rows[0].Day)
	require.Equal(t, int64(8_000_000), a.Rows[0].Evaluation.Measures[scorecard.FeaturesUsed].Micros)
	require.Equal(t, int64(9_000_000), a.Rows[1].Evaluation.Measures[scorecard.FeaturesUsed].Micros)
	require.Equal(t, int64(0), a.Rows[39].Evaluation.Measures[scorecard.FeaturesUsed].Micros)
	require.Equal(t, today+40, a.Day)
}

func TestBandsLag(t *testing.T) {
	t.Parallel()
	none := eventv1.Survey_TYPE_NPS
	score := func(records ...*logv1.Record) oracle.Message { return message(noon, records...) }
	w := oracle.Replay([]oracle.Message{
		score(event("a", noon, answer(none, 8, 0))), // sentiment alone: 50, coverage 40
	}, plainOptions())
	require.Equal(t, "at_risk", w.Account("w", "acme").Band)

	// One promoter and seven passives, then eight: 56.25, then 55.56; one promoter of five: 60.
	messages := []oracle.Message{score(event("p", noon, answer(none, 10, 0)))}
	require.Equal(t, "healthy", band(messages))
	for i := range 4 {
		messages = append(messages, score(event(fmt.Sprintf("n%d", i), noon, answer(none, 8, 0))))
	}
	require.Equal(t, "steady", band(messages), "60 is not 3 under the edge")
	messages = append(messages,
		score(event("n5", noon, answer(none, 8, 0))), score(event("n6", noon, answer(none, 8, 0))))
	require.Equal(t, "steady", band(messages), "57.1 is not 3 under the edge")
	messages = append(messages, score(event("n7", noon, answer(none, 8, 0))))
	require.Equal(t, "at_risk", band(messages), "56.25 is")

	messages = append(messages, score(scorecards(1, "plain")))
	require.Equal(t, "at_risk", band(messages), "a new version takes the plain band")
	messages = append(messages, score(event("q", noon, answer(none, 10, 0))))
	require.Equal(t, "at_risk", band(messages), "61.1 is not 3 above the edge")
	messages = append(messages, score(scorecards(2, "plain")))
	require.Equal(t, "steady", band(messages), "61.1 by the table")
	messages = append(messages, score(scorecards(2, "fussy")), score(scorecards(3, "bad")))
	require.Equal(t, "plain", oracle.Replay(messages, plainOptions()).Account("w", "acme").Last.Card)
}

func band(messages []oracle.Message) string {
	return oracle.Replay(messages, plainOptions()).Account("w", "acme").Band
}

func TestUnknownForgetsTheBand(t *testing.T) {
	t.Parallel()
	w := oracle.Replay([]oracle.Message{
		message(noon, event("p", noon, answer(eventv1.Survey_TYPE_NPS, 10, 0))),
		message(noon + 180*day),
	}, plainOptions())
	a := w.Account("w", "acme")
	require.Equal(t, "unknown", a.Band)
	require.False(t, a.Last.Known)
	require.Equal(t, "healthy", a.Rows[179].Band)
}

func TestChurnHoldsTheScore(t *testing.T) {
	t.Parallel()
	left := profile(&eventv1.Account{ChurnDate: new(text(today + 2))})
	messages := []oracle.Message{
		message(noon, append(use("a", noon, 8), event("left", noon, left))...),
		message(noon+3*day, event("kept", noon+3*day, usage("more"))),
	}
	a := oracle.Replay(messages, plainOptions()).Account("w", "acme")
	require.Equal(t, "churned", a.Stage)
	require.Len(t, a.Rows, 2)
	require.Equal(t, int64(8_000_000), a.Last.Measures[scorecard.FeaturesUsed].Micros)

	messages = append(messages, message(noon+5*day,
		event("back", noon+5*day, profile(&eventv1.Account{Clear: []string{"churn_date"}}))),
		message(noon+6*day))
	a = oracle.Replay(messages, plainOptions()).Account("w", "acme")
	require.Equal(t, "onboarding", a.Stage)
	require.Len(t, a.Rows, 3)
	require.Equal(t, today+5, a.Rows[2].Day)
	require.Equal(t, int64(9_000_000), a.Last.Measures[scorecard.FeaturesUsed].Micros)
}

func TestALoadHasItsOwnDays(t *testing.T) {
	t.Parallel()
	messages := []oracle.Message{
		message(noon,
			history("l", "a", noon-100*day, usage("f")), history("l", "b", noon-98*day, usage("g")),
			history("l", "c", noon-99*day, usage("h"))),
	}
	w := oracle.Replay(messages, plainOptions())
	a := w.Account("w", "acme")
	require.Equal(t, today-98, a.Day)
	require.Len(t, a.Rows, 2)
	require.Equal(t, int64(3_000_000), a.Last.Measures[scorecard.FeaturesUsed].Micros)

	messages = append(messages, message(noon+1, closeLoad("l"), history("l", "d", noon, usage("i"))))
	w = oracle.Replay(messages, plainOptions())
	require.Equal(t, today, w.Account("w", "acme").Day)
	require.Len(t, w.Account("w", "acme").Rows, 100)
	require.Equal(t, []string{"d load_closed"}, codes(w))
}

func TestALoadClosesAfterAnIdleHour(t *testing.T) {
	t.Parallel()
	first := message(noon, history("l", "a", noon-10*day, usage("f")))
	w := oracle.Replay([]oracle.Message{first, message(noon+hour-1, history("l", "b", noon, usage("f")))}, plainOptions())
	require.Empty(t, w.Rejects())
	w = oracle.Replay([]oracle.Message{first, message(noon+hour, history("l", "b", noon, usage("f")))}, plainOptions())
	require.Equal(t, []string{"b load_closed"}, codes(w))
	require.Equal(t, today, w.Account("w", "acme").Day)
}

func TestALiveEventTakesTheAccountOutOfItsLoad(t *testing.T) {
	t.Parallel()
	w := oracle.Replay([]oracle.Message{message(noon,
		history("l", "a", noon-10*day, usage("f")), event("live", noon, usage("f")),
		history("l", "b", noon-9*day, usage("f")), history("other", "c", noon-9*day, usage("f")),
	)}, plainOptions())
	require.Equal(t, []string{"b account_live", "c account_live"}, codes(w))
	require.Equal(t, today, w.Account("w", "acme").Day)
	require.Len(t, w.Account("w", "acme").Rows, 10)
}

func TestReplayFinalEndsLikeReplay(t *testing.T) {
	t.Parallel()
	messages := []oracle.Message{
		message(noon, use("a", noon, 5)...),
		message(noon+3*day, use("b", noon+3*day, 7)...),
		message(noon+9*day, scorecards(4, "fussy")),
	}
	path, final := oracle.Replay(messages, plainOptions()), oracle.ReplayFinal(messages, plainOptions())
	require.Equal(t, path.Accounts(), final.Accounts())
	require.Equal(t, path.Counted(), final.Counted())
	require.Equal(t, path.Account("w", "acme").Last, final.Account("w", "acme").Last)
	require.Equal(t, path.Account("w", "acme").Day, final.Account("w", "acme").Day)
}
