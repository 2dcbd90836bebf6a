package health_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	eventv1 "hale.dev/proto/gen/hale/event/v1"

	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
)

// life is an account with all rows it ever wrote, and how its months ended as seen from outside.
type life struct {
	account *health.Account
	set     *scorecard.Set
	rows    []health.Row
	months  []health.MonthEnd
}

// row notes a row that is written; what is asked of the account then is that of the day that ends.
func (l *life) row(r health.Row) {
	l.rows = append(l.rows, r)
	if health.MonthOf(r.Day) == health.MonthOf(r.Day+1) {
		return
	}
	m := health.MonthEnd{Month: health.MonthOf(r.Day), Score: r.Score, Band: r.Band}
	p := l.account.Profile()
	if p.ARR != nil {
		m.ARR = known(*p.ARR)
	}
	m.Renewal, m.HasRenewal = health.ParseDay(p.RenewalDate)
	l.months = append(l.months, m)
}

// live lets up to some days pass, with an event now and then.
func (l *life) live(t *rapid.T) {
	a := l.account
	a.Roll(a.Day()+health.Day(rapid.SampledFrom([]int{0, 1, 1, 2, 9, 33, 70}).Draw(t, "days")), l.set, l.row)
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		l.account = again(t, a)
	case 1:
		l.set = flat(rapid.Uint64Range(1, 2).Draw(t, "version"), rapid.SampledFrom([]string{"flat", "other"}).Draw(t, "card"))
		a.Evaluate(l.set)
	case 2:
		l.apply(t, churn((a.Day() + health.Day(rapid.IntRange(0, 3).Draw(t, "ahead"))).String()))
	case 3, 4:
		l.apply(t, cleared(rapid.SliceOf(rapid.SampledFrom([]string{"churn_date", "arr", "renewal_date"})).Draw(t, "clear")...))
	case 5:
		arr, date := rapid.Int64Range(0, 1e18).Draw(t, "arr"), (a.Day() + 60).String()
		l.apply(t, account(func(p *eventv1.Account) { p.ArrMicros, p.RenewalDate = &arr, &date }))
	default:
		l.apply(t, touch(meeting, rapid.Int32Range(1, 5).Draw(t, "pulse")))
	}
}

func (l *life) apply(t *rapid.T, ev *eventv1.Event) {
	ev.MessageId = rapid.StringN(1, 8, 8).Draw(t, "id")
	require.Nil(t, l.account.Apply(ev, l.account.Day().Start()))
	l.account.Evaluate(l.set)
}

// recent are the day ends that an account should know.
func (l *life) recent() []health.DayEnd {
	var days []health.DayEnd
	for _, r := range l.rows {
		if r.Day >= l.account.Day()-health.RecentDays {
			days = append(days, health.DayEnd{Day: r.Day, Score: r.Score, Band: r.Band})
		}
	}
	return days
}

// kept are the month ends that an account should know.
func (l *life) kept() []health.MonthEnd {
	var months []health.MonthEnd
	for _, m := range l.months {
		if m.Month >= health.MonthOf(l.account.Day())-health.MonthsKept {
			months = append(months, m)
		}
	}
	return months
}

// since looks back for the day from which on the scorecard in force applied.
func (l *life) since() health.Day {
	since, now := l.account.Day(), l.account.Result()
	for _, r := range slices.Backward(l.rows) {
		if r.Day != since-1 || r.Card != now.Card || r.SetVersion != now.SetVersion {
			break
		}
		since = r.Day
	}
	return since
}

func TestAnAccountKnowsItsPast(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := &life{account: health.New(), set: flat(1, "flat")}
		l.account.Begin(today())
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			l.live(t)
			for _, a := range []*health.Account{l.account, again(t, l.account)} {
				require.Equal(t, l.recent(), a.Recent())
				require.Equal(t, l.kept(), a.Months())
				require.Equal(t, l.since(), a.CardSince())
			}
		}
	})
}

func TestAQuietDayTakesOneByteOfThePast(t *testing.T) {
	t.Parallel()
	set := flat(1, "flat")
	a := apply(t, health.New(), on(0, touch(meeting, 0)))
	a.Roll(today()+200, set, func(health.Row) {}) // days_since_touch is at its worst
	before := len(a.Encode(nil, nil))
	require.Len(t, a.Recent(), health.RecentDays)
	require.Len(t, a.Months(), 7)
	b := apply(t, health.New(), on(0, touch(meeting, 0)))
	b.Begin(today())
	require.LessOrEqual(t, before-len(b.Encode(nil, nil)), health.RecentDays+7*8+24+12, "12: the ends of two weeks")
}

func TestThePastOfABusyAccountIsSmall(t *testing.T) {
	t.Parallel()
	a := typical(t)
	require.Len(t, a.Recent(), health.RecentDays)
	main := a.Encode(nil, nil)
	t.Logf("%d bytes with the past", len(main))
	require.LessOrEqual(t, len(main), 920, "709 without a past, times of latest events and ends of weeks")
}

func TestTheMeasuresOfADayStandInItsRow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := scorecard.Shipped()
		a := health.New()
		a.Begin(today())
		for range rapid.IntRange(1, 20).Draw(t, "days") {
			for range rapid.IntRange(0, 5).Draw(t, "events") {
				ev := someEvent(t)
				ev.MessageId = rapid.StringN(1, 8, 8).Draw(t, "id")
				require.Nil(t, a.Apply(ev, a.Day().Start()))
			}
			if rapid.Bool().Draw(t, "evaluated") {
				a.Evaluate(set)
				a = again(t, a)
			}
			want, empty := a.Values(set), a.Empty()
			var rows []health.Row
			a.Roll(a.Day()+1, set, func(r health.Row) { rows = append(rows, r) })
			if empty {
				require.Empty(t, rows)
				continue
			}
			require.Len(t, rows, 1)
			require.True(t, rows[0].HasMeasures)
			require.Equal(t, want, rows[0].Measures)
			b := health.AppendRow(nil, rows[0])
			require.LessOrEqual(t, len(b), 120)
			back, err := health.DecodeRows(b)
			require.NoError(t, err)
			require.Equal(t, rows, back)
		}
	})
}

func TestARowOfOtherScorecardsHasNoMeasures(t *testing.T) {
	t.Parallel()
	a := apply(t, health.New(), on(0, touch(meeting, 0)))
	a.Evaluate(flat(1, "flat"))
	var rows []health.Row
	a.Roll(today()+2, flat(2, "flat"), func(r health.Row) { rows = append(rows, r) })
	require.False(t, rows[0].HasMeasures, "what made the score is not known here")
	require.True(t, rows[1].HasMeasures)
}

func TestWhatVersionOneStoredIsRead(t *testing.T) {
	t.Parallel()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		return b
	}
	t.Run("an account, without a past", func(t *testing.T) {
		t.Parallel()
		parts, err := health.Parts(read("account_v1.bin"))
		require.NoError(t, err)
		require.Empty(t, parts)
		a, err := health.Decode(read("account_v1.bin"), noPart)
		require.NoError(t, err)
		require.Equal(t, known(66_083_218), a.Result().Score)
		require.Empty(t, a.Recent())
		require.Empty(t, a.Months())
		require.Equal(t, a.Day(), a.CardSince())
		require.Equal(t, "Acme", a.Profile().Name)
		var rows []health.Row
		a.Roll(a.Day()+3, scorecard.Shipped(), func(r health.Row) { rows = append(rows, r) })
		require.True(t, rows[0].HasMeasures)
		a = again(t, a)
		require.Len(t, a.Recent(), 3)
		require.Equal(t, rows[0].Day, a.CardSince())
	})
	t.Run("rows, without measures", func(t *testing.T) {
		t.Parallel()
		rows, err := health.DecodeRows(read("rows_v1.bin"))
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.Equal(t, known(69_517_504), rows[1].Score)
		require.False(t, rows[1].HasMeasures)
	})
	t.Run("an account that says it has what that version did not know is none", func(t *testing.T) {
		t.Parallel()
		a := typical(t)
		main := a.Encode(nil, nil)
		main[0] = 1
		_, err := health.Decode(main, noPart)
		require.ErrorIs(t, err, health.ErrCorrupt)
	})
}
