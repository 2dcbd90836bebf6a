package column_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query/internal/column"
)

// page is what users read about lists.
func page(t *testing.T) string {
	t.Helper()

	data, err := os.ReadFile("../../../../docs/lists.md")
	require.NoError(t, err)

	return string(data)
}

func TestTheExamplesInThePageAreFilters(t *testing.T) {
	t.Parallel()

	_, rest, ok := strings.Cut(page(t), "```filter\n")
	require.True(t, ok)

	examples, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)

	named := func(string) (*column.Filter, bool) { return nil, true }

	for example := range strings.Lines(examples) {
		_, err := column.ParseFilter(strings.TrimSpace(example), named)
		require.NoError(t, err, example)
	}
}

func TestThePageNamesEveryField(t *testing.T) {
	t.Parallel()

	text := page(t)
	_, rest, ok := strings.Cut(text, "## Fields")
	require.True(t, ok)

	table, _, ok := strings.Cut(rest, "## Filters")
	require.True(t, ok)

	fields := 0

	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		if len(cells) < 2 || strings.Contains(cells[1], "traits.") {
			continue
		}

		for _, name := range regexp.MustCompile("`([a-z0-9_.]+)`").FindAllStringSubmatch(cells[1], -1) {
			parsed(t, name[1])
			filter(t, name[1]+":*")

			fields++
		}
	}

	require.Greater(t, fields, 30)

	for m := range scorecard.MeasureCount {
		parsed(t, m.Name())
		filter(t, m.Name()+" < 5")
	}

	for _, code := range []string{
		column.CodeSyntax, column.CodeField, column.CodeFunction, column.CodeSegment, column.CodeType, column.CodeLong,
		column.CodeDeep, column.CodeLarge,
	} {
		require.Contains(t, text, "`"+code+"`")
	}
}
