package oracle_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/internal/store"
)

// row is a row of history as both sides know it.
type row struct {
	Day        oracle.Day
	Score      scorecard.Value
	Band       string
	Coverage   int64
	Stage      string
	Card       string
	SetVersion uint64
	Dimensions map[string]int64
	Measures   scorecard.Values
}

// keptDays is for how many days rows are kept at least.
const keptDays = 400

func oracleRows(a *oracle.Account) []row {
	var rows []row
	for _, r := range a.Rows {
		if r.Day < a.Day-keptDays {
			continue
		}
		e := r.Evaluation
		to := row{
			Day: r.Day, Score: scorecard.Value{Micros: e.Score, Known: e.Known}, Band: r.Band, Coverage: e.Coverage,
			Stage: e.Stage, Card: e.Card, SetVersion: e.SetVersion, Dimensions: map[string]int64{},
			Measures: e.Measures,
		}
		for _, d := range e.Dimensions {
			if d.Known {
				to.Dimensions[d.Name] = d.Score
			}
		}
		rows = append(rows, to)
	}
	return rows
}

func (e *engine) rows(id string) []row {
	oldest := e.Get(id).Day() - keptDays
	var rows []row
	for _, era := range eras() {
		stored, err := health.DecodeRows(e.value(store.HistoryKey(id, era)))
		require.NoError(e.t, err)
		for _, r := range stored {
			if r.Day < oldest {
				continue
			}
			require.True(e.t, r.HasMeasures)
			to := row{
				Day: oracle.Day(r.Day), Score: r.Score, Band: r.Band.String(), Coverage: r.Coverage,
				Stage: r.Stage.String(), Card: r.Card, SetVersion: r.SetVersion, Dimensions: map[string]int64{},
				Measures: r.Measures,
			}
			for i, v := range r.Dimensions {
				if v.Known {
					to.Dimensions[health.DimensionName(i)] = v.Micros
				}
			}
			rows = append(rows, to)
		}
	}
	return rows
}

// requireAccount compares an account of the oracle with the engine's.
func (e *engine) requireAccount(want *oracle.Account, sets map[string]*scorecard.Set) {
	id := store.Account(want.Workspace, want.Account)
	a := e.Get(id)
	require.NotNil(e.t, a, "account %v", want.Key)
	require.Equal(e.t, oracleRows(want), e.rows(id), "history of %v", want.Key)
	require.Equal(e.t, want.Day, oracle.Day(a.Day()), "day of %v", want.Key)
	e.requirePast(want, a)
	e.requireCare(want, a)
	r := a.Result()
	require.Equal(e.t, want.Stage, r.Stage.String(), "stage of %v", want.Key)
	require.Equal(e.t, want.Band, r.Band.String(), "band of %v", want.Key)
	if want.Last == nil {
		require.Empty(e.t, r.Card, "card of %v", want.Key)
		return
	}
	require.Equal(e.t, want.Last.Score, r.Score.Micros, "score of %v", want.Key)
	require.Equal(e.t, want.Last.Known, r.Score.Known, "score of %v", want.Key)
	require.Equal(e.t, want.Last.Coverage, r.Coverage, "coverage of %v", want.Key)
	require.Equal(e.t, want.Last.Card, r.Card, "card of %v", want.Key)
	require.Equal(e.t, want.Last.SetVersion, r.SetVersion, "set of %v", want.Key)
	if want.Stage != "churned" {
		requireEvaluation(e.t, *want.Last, a.Explain(sets[want.Workspace]))
	}
}

// requireWorld compares everything.
func (e *engine) requireWorld(want *oracle.World) {
	require.Equal(e.t, want.Rejects(), e.rejects)
	require.Equal(e.t, uint64(want.Duplicates()), e.partition.Duplicates)
	require.Equal(e.t, uint64(want.Counted()), e.partition.Counted)
	require.Equal(e.t, want.LogTime(), e.partition.LogTime)
	require.Len(e.t, e.ids(), len(want.Accounts()))
	for _, key := range want.Accounts() {
		e.requireAccount(want.Account(key.Workspace, key.Account), want.Sets())
	}
	e.requireAlerts(want)
}

// requireSame folds a log by both, and compares.
func requireSame(t *testing.T, shipped string, messages ...oracle.Message) {
	t.Helper()
	set, err := scorecard.Parse([]byte(shipped))
	require.NoError(t, err)
	options := realOptions()
	options.Shipped = set
	some(t, 50, func(t *rapid.T) {
		e := newEngine(t, set)
		e.run(messages, anything())
		e.requireWorld(oracle.Replay(messages, options))
	})
}

// Four promoters of seven are 78.6: steady by the table, but healthy for an account that was healthy.
func opinions(prefix string) []*logv1.Record {
	var records []*logv1.Record
	for i, score := range []int32{10, 8, 10, 8, 10, 8, 10} {
		records = append(records, event(fmt.Sprintf("%s%d", prefix, i), noon, answer(eventv1.Survey_TYPE_NPS, score, 0)))
	}
	return records
}

func TestANewAccountIsEvaluatedOnceAfterItsFirstMessage(t *testing.T) {
	t.Parallel()
	requireSame(t, mood, message(noon, opinions("a")...))
}

func TestAReturningAccountIsEvaluatedOnceAfterTheMessage(t *testing.T) {
	t.Parallel()
	left := profile(&eventv1.Account{ChurnDate: new(text(today))})
	back := profile(&eventv1.Account{Clear: []string{"churn_date"}})
	records := opinions("a")
	requireSame(t, mood,
		message(noon, records[0], event("left", noon, left)),
		message(noon+1, scorecards(1, mood)),
		message(noon+2, append([]*logv1.Record{event("back", noon+1, back)}, records[1:]...)...))
}

func TestAChangeOfScorecardsEvaluatesThereAndThen(t *testing.T) {
	t.Parallel()
	records := opinions("a")
	requireSame(t, mood,
		message(noon, append([]*logv1.Record{records[0], scorecards(1, mood)}, records[1:]...)...),
		message(noon+1, append([]*logv1.Record{scorecards(2, mood)}, opinions("b")...)...))
}

// requireLikeTheOracle folds any logs by both, over partitions that open makes, and compares.
func requireLikeTheOracle(t *testing.T, percent int, open func(require.TestingT) backend) {
	t.Helper()
	shipped, options := scorecard.Shipped(), realOptions()
	some(t, percent, func(t *rapid.T) {
		messages := oracle.GenLog(t, oracle.GenOptions{
			Messages: rapid.SampledFrom([]int{12, 24, 12, 48}).Draw(t, "length"), Documents: texts(), Commands: true,
		})
		b := open(t)
		defer b.close()
		e := newEngineOn(t, shipped, b)
		e.run(messages, anything())
		e.requireWorld(oracle.Replay(messages, options))
	})
}

func TestTheEngineFoldsLikeTheOracle(t *testing.T) {
	t.Parallel()
	requireLikeTheOracle(t, 30, func(t require.TestingT) backend { return newTable(t) })
}

func TestTheEngineFoldsLikeTheOracleOverMemory(t *testing.T) {
	t.Parallel()
	requireLikeTheOracle(t, 6, inMemory(t))
}

func TestTheEngineFoldsLikeTheOracleOverRedis(t *testing.T) {
	t.Parallel()
	requireLikeTheOracle(t, 6, inRedis(t))
}

func TestAnyGroupingAndAnyCrashesLeaveEqualBytes(t *testing.T) {
	t.Parallel()
	shipped := scorecard.Shipped()
	some(t, 30, func(t *rapid.T) {
		messages := oracle.GenLog(t, oracle.GenOptions{Messages: 24, Documents: texts(), Commands: true})
		calm, wild := newEngine(t, shipped), newEngine(t, shipped)
		calm.run(messages, nothing())
		wild.run(messages, anything())
		require.Equal(t, calm.rejects, wild.rejects)
		require.Equal(t, calm.stored(), wild.stored())
	})
}

func TestAnyOrderAtOneLogTimeGivesEqualMeasures(t *testing.T) {
	t.Parallel()
	set := scorecard.Shipped()
	some(t, 30, func(t *rapid.T) {
		var records []*logv1.Record
		for _, e := range oracle.GenEvents(t, today, 40) {
			ago := ((int64(today)+1)*day - e.Time) % (7 * day)
			records = append(records, event(e.Event.GetMessageId(), noon-ago, e.Event))
		}
		records = append(records, rapid.SliceOfN(rapid.SampledFrom(records), 0, 5).Draw(t, "repeated")...)
		through := func(records []*logv1.Record) *health.Account {
			var messages []oracle.Message
			for len(records) > 0 {
				n := rapid.IntRange(1, len(records)).Draw(t, "records in a message")
				messages, records = append(messages, message(noon, records[:n]...)), records[n:]
			}
			e := newEngine(t, set)
			e.run(messages, anything())
			require.Empty(t, e.rejects)
			return e.Get(store.Account("w", "acme"))
		}
		straight, shuffled := through(records), through(rapid.Permutation(records).Draw(t, "order"))
		require.Equal(t, straight.Measures(set), shuffled.Measures(set))
		require.Equal(t, straight.Profile(), shuffled.Profile())
		require.Equal(t, straight.Result().Stage, shuffled.Result().Stage)
		if straight.Result().Stage != health.StageChurned { // then the score before it stands
			require.Equal(t, straight.Result().Score, shuffled.Result().Score)
		}
	})
}
