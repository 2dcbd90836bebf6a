package scorecard_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/scorecard"
)

// page is docs/scorecard.md.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/scorecard.md")
	require.NoError(t, err)
	return string(text)
}

// rows returns the cells of the table under a heading of the page, without its head.
func rows(t *testing.T, page, heading string) [][]string {
	t.Helper()
	_, section, ok := strings.Cut(page, "\n## "+heading+"\n")
	require.True(t, ok, "the page has a section %s", heading)
	section, _, _ = strings.Cut(section, "\n## ")
	var table [][]string
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		table = append(table, cells)
	}
	require.Greater(t, len(table), 2, "section %s has a table", heading)
	return table[2:]
}

// whole reads a whole number of the page.
func whole(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err)
	return n
}

func TestMeasuresOfThePage(t *testing.T) {
	t.Parallel()
	table := rows(t, page(t), "Measures")
	require.Len(t, table, int(scorecard.MeasureCount))
	for i, cells := range table {
		t.Run("the page and the code agree on "+cells[0], func(t *testing.T) {
			t.Parallel()
			m := scorecard.Measure(i)
			byName, ok := scorecard.MeasureByName(cells[0])
			require.True(t, ok)
			require.Equal(t, m, byName, "the constants are in the order of the page")
			require.Equal(t, cells[0], m.Name())
			require.Equal(t, cells[1], m.Unit())
			require.Equal(t, whole(t, cells[2]), int64(m.WindowDays()))
			var curve scorecard.Curve
			for point := range strings.FieldsSeq(cells[5]) {
				x, y, ok := strings.Cut(point, ":")
				require.True(t, ok)
				curve = append(curve, scorecard.Point{X: whole(t, x) * 1_000_000, Y: whole(t, y) * 1_000_000})
			}
			require.Equal(t, curve, m.Curve())
		})
	}
}

func TestScorecardsOfThePage(t *testing.T) {
	t.Parallel()
	table := rows(t, page(t), "Scorecards")
	for column, name := range map[int]string{1: "standard", 2: "onboarding"} {
		t.Run("the page and the shipped document agree on "+name, func(t *testing.T) {
			t.Parallel()
			card := shippedCard(t, name)
			require.Equal(t, scorecard.SourceUsage|scorecard.SourceLogin, card.Connected)
			require.Len(t, card.Dimensions, len(table))
			for i, cells := range table {
				require.Equal(t, dimension(t, cells[0], cells[column]), card.Dimensions[i])
			}
		})
	}
}

// dimension reads a cell such as "15: login_days 5, login_trend 10".
func dimension(t *testing.T, name, cell string) scorecard.Dimension {
	t.Helper()
	weight, measures, ok := strings.Cut(cell, ": ")
	require.True(t, ok)
	d := scorecard.Dimension{Name: name, Weight: whole(t, weight)}
	for part := range strings.SplitSeq(measures, ", ") {
		measure, weight, ok := strings.Cut(part, " ")
		require.True(t, ok)
		m, ok := scorecard.MeasureByName(measure)
		require.True(t, ok)
		d.Measures = append(d.Measures, scorecard.Weighted{Measure: m, Weight: whole(t, weight), Curve: m.Curve()})
	}
	return d
}

func shippedCard(t *testing.T, name string) *scorecard.Card {
	t.Helper()
	for _, c := range scorecard.Shipped().Cards {
		if c.Name == name {
			return c
		}
	}
	require.Fail(t, "no card", name)
	return nil
}

func TestMeasureByName(t *testing.T) {
	t.Parallel()
	t.Run("an unknown name is no measure", func(t *testing.T) {
		t.Parallel()
		_, ok := scorecard.MeasureByName("")
		require.False(t, ok)
	})
	t.Run("a number that is no measure has no name", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, scorecard.MeasureCount.Name())
		require.Empty(t, scorecard.MeasureCount.Unit())
		require.Zero(t, scorecard.MeasureCount.WindowDays())
		require.Empty(t, scorecard.MeasureCount.Curve())
	})
}
