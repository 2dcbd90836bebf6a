package column_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/health"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// wish is a filter together with what it means, said anew.
type wish struct {
	text  string
	holds func(*column.Row) bool
}

// numberOf is what a row has for a field of numbers, in units.
func numberOf(r *column.Row, field string) (float64, bool) {
	unit := func(n column.Number) (float64, bool) { return float64(n) / 1e6, n.Known() }

	switch field {
	case "score":
		return float64(r.Score) / 1e6, r.ScoreKnown
	case "seats":
		return float64(r.Seats), r.Seats != 0
	case "nps", "measures.nps":
		return unit(r.Measures[scorecard.NPS])
	case "engagement", "dimensions.engagement":
		return unit(r.Dimensions[1])
	case "score_change_7d":
		return unit(r.Change7)
	case "renewal_days":
		return float64(r.Renewal - r.Day), r.Renewal != column.NoDay
	}

	panic(field)
}

// holds says whether a comparison does.
func holds[T int | float64 | string](a T, operator string, b T) bool {
	switch operator {
	case "=", ":":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	default:
		return a >= b
	}
}

// randomWish makes a filter.
func randomWish(rnd *rand.Rand, depth int) wish {
	if depth > 0 {
		switch rnd.IntN(6) {
		case 0, 1:
			return joined(rnd, depth, []string{" AND ", " "}[rnd.IntN(2)], true)
		case 2, 3:
			return joined(rnd, depth, " OR ", false)
		case 4:
			inner := randomWish(rnd, depth-1)

			return wish{
				[]string{"NOT ", "-"}[rnd.IntN(2)] + "(" + inner.text + ")",
				func(r *column.Row) bool { return !inner.holds(r) },
			}
		}
	}

	return []func(*rand.Rand) wish{numberWish, textWish, nameWish, dayWish, traitWish, wordWish, presentWish}[rnd.IntN(7)](rnd)
}

func joined(rnd *rand.Rand, depth int, by string, all bool) wish {
	var (
		kids  []wish
		texts []string
	)

	for range 2 + rnd.IntN(2) {
		kid := randomWish(rnd, depth-1)
		kids, texts = append(kids, kid), append(texts, "("+kid.text+")")
	}

	return wish{strings.Join(texts, by), func(r *column.Row) bool {
		for _, kid := range kids {
			if kid.holds(r) != all {
				return !all
			}
		}

		return all
	}}
}

func oneOf(rnd *rand.Rand, some ...string) string { return some[rnd.IntN(len(some))] }

func numberWish(rnd *rand.Rand) wish {
	field := oneOf(rnd, "score", "seats", "nps", "measures.nps", "engagement", "dimensions.engagement", "score_change_7d", "renewal_days")
	operator, n := oneOf(rnd, "=", "!=", "<", "<=", ">", ">=", ":"), float64(rnd.IntN(40)-10)/2

	return wish{fmt.Sprintf("%s%s%v", field, operator, n), func(r *column.Row) bool {
		v, ok := numberOf(r, field)

		return ok && holds(v, operator, n)
	}}
}

func textWish(rnd *rand.Rand) wish {
	field, text := oneOf(rnd, "owner", "segment", "name"), oneOf(rnd, "kim", "sam", "smb", "enterprise", "äb", "näme 7", "KIM", "m")
	operator := oneOf(rnd, "=", "!=", "<", ">=", ":", "=*", "=_*")

	return wish{
		fmt.Sprintf("%s %s", field, map[string]string{
			"=*": fmt.Sprintf("= '*%s'", text), "=_*": fmt.Sprintf(`= "%s*"`, text),
		}[operator]) + map[bool]string{false: operator + " '" + text + "'"}[operator == "=*" || operator == "=_*"],
		func(r *column.Row) bool {
			v := map[string]string{"owner": r.Owner, "segment": r.Segment, "name": r.Name}[field]

			switch {
			case v == "":
				return false
			case operator == ":":
				return strings.Contains(strings.ToLower(v), strings.ToLower(text))
			case operator == "=*":
				return strings.HasSuffix(v, text)
			case operator == "=_*":
				return strings.HasPrefix(v, text)
			}

			return holds(v, operator, text)
		},
	}
}

func nameWish(rnd *rand.Rand) wish {
	bands := []string{"", "unknown", "critical", "at_risk", "steady", "healthy"}
	operator, n := oneOf(rnd, "=", "!=", "<", ">", ":"), 1+rnd.IntN(5)
	more := operator == "<" || operator == ">"

	if more {
		n = 2 + rnd.IntN(4)
	}

	return wish{"band " + operator + " " + bands[n], func(r *column.Row) bool {
		if r.Band == healthv1.Band_BAND_UNSPECIFIED || more && r.Band == healthv1.Band_BAND_UNKNOWN {
			return false
		}

		return holds(int(r.Band), operator, n)
	}}
}

func dayWish(rnd *rand.Rand) wish {
	d := health.Day(19_990 + rnd.IntN(400))
	text := time.Unix(int64(d)*86_400, 0).UTC().Format(time.DateOnly)
	operator := oneOf(rnd, "=", "<", ">=")

	return wish{"renewal_date" + operator + text, func(r *column.Row) bool {
		return r.Renewal != column.NoDay && holds(int(r.Renewal), operator, int(d))
	}}
}

func traitWish(rnd *rand.Rand) wish {
	operator, text := oneOf(rnd, "=", "!=", "<", ">="), oneOf(rnd, "a", "5", "true")

	return wish{"traits.x " + operator + " " + text, func(r *column.Row) bool {
		if len(r.Traits) == 0 {
			return false
		}

		switch t := r.Traits[0]; t.Kind {
		case scorecard.TraitText:
			return t.Text != "" && holds(t.Text, operator, text)
		case scorecard.TraitNumber:
			return text == "5" && holds(float64(t.Micros)/1e6, operator, 5)
		case scorecard.TraitFlag:
			return text == "true" && (operator == "=" && t.Flag || operator == "!=" && !t.Flag)
		}

		return false
	}}
}

func wordWish(rnd *rand.Rand) wish {
	word := oneOf(rnd, "NÄME", "a1", "7", `"e 2"`)

	return wish{word, func(r *column.Row) bool {
		bare := strings.ToLower(strings.Trim(word, `"`))

		return strings.Contains(strings.ToLower(r.Name), bare) || strings.Contains(strings.ToLower(r.Account), bare)
	}}
}

func presentWish(rnd *rand.Rand) wish {
	field := oneOf(rnd, "score", "nps", "renewal_days", "seats")

	return wish{field + ":*", func(r *column.Row) bool {
		_, ok := numberOf(r, field)

		return ok
	}}
}

func TestFiltersAgreeWithANaiveEvaluator(t *testing.T) {
	t.Parallel()

	rnd := rand.New(rand.NewPCG(7, 8))

	rows := make([]*column.Row, 200)
	for i := range rows {
		rows[i] = randomRow(rnd, fmt.Sprint("a", i))
	}

	for range 2000 {
		w := randomWish(rnd, 3)
		f := filter(t, w.text)

		for _, r := range rows {
			require.Equal(t, w.holds(r), f.Match(r), "%s\n%+v", w.text, r)
		}
	}
}

// requireFinds compares all pages with what the filter means.
func requireFinds(t *testing.T, table *column.Table, rows map[string]*column.Row, w wish, order string, limit int) {
	t.Helper()

	var want []*column.Row

	for _, r := range rows {
		if w.holds(r) {
			want = append(want, r)
		}
	}

	q := column.Query{Filter: filter(t, w.text), Order: parsed(t, order), Limit: limit}
	names := naive(order, want)
	require.Equal(t, names, ids(walk(t, table, q, func() {})), "%s by %s", w.text, order)

	q.Count = true
	found := table.Find(q)
	require.Equal(t, len(want), found.Total, "%s by %s", w.text, order)
	require.Equal(t, names[:min(limit, len(names))], ids(found.Rows), "%s by %s", w.text, order)
}

func TestListsAgreeWithANaiveFilter(t *testing.T) {
	t.Parallel()

	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()

			var (
				rnd   = rand.New(rand.NewPCG(seed, 9))
				table = new(column.Table)
				rows  = map[string]*column.Row{}
			)

			for range 60 {
				for range rnd.IntN(300) {
					r := randomRow(rnd, fmt.Sprint("a", rnd.IntN(6000)))
					rows[r.Account] = r
					table.Put(r)
				}

				// Simple filters often, so that the orders by their fields come to be kept.
				w := randomWish(rnd, rnd.IntN(3))
				requireFinds(t, table, rows, w, orders()[rnd.IntN(len(orders()))], 1+rnd.IntN(3000))
			}
		})
	}
}

func TestManyAccountsAreListedLikeFew(t *testing.T) {
	t.Parallel()

	// So many that lists are walked by all processors, and sorted while nobody waits.
	var (
		rnd   = rand.New(rand.NewPCG(1, 9))
		table = new(column.Table)
		rows  = map[string]*column.Row{}
		batch []*column.Row
	)

	for i := range 50_000 {
		r := randomRow(rnd, fmt.Sprintf("a%06d", i))
		rows[r.Account], batch = r, append(batch, r)
	}

	for some := range slices.Chunk(batch, 500) {
		table.Put(some...)
	}

	rare := wish{"name = 'näme 7' AND owner = sam AND score = 3", func(r *column.Row) bool {
		return r.Name == "näme 7" && r.Owner == "sam" && r.ScoreKnown && r.Score == 3e6
	}}
	common := wish{"score > 5", func(r *column.Row) bool { return r.ScoreKnown && r.Score > 5e6 }}

	for range 2 {
		for _, w := range []wish{rare, common} {
			requireFinds(t, table, rows, w, "arr desc", 20_000)
			requireFinds(t, table, rows, w, "score", 20_000)
		}

		changed := make([]*column.Row, 5000)
		for i := range changed {
			changed[i] = randomRow(rnd, fmt.Sprintf("a%06d", rnd.IntN(50_000)))
			rows[changed[i].Account] = changed[i]
		}

		table.Put(changed...)
	}
}
