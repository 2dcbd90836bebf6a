package board_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/query/internal/board"
)

// TestThePageNamesFieldsThatThereAre tries every field of the table in the page as a filter and as an order.
func TestThePageNamesFieldsThatThereAre(t *testing.T) {
	t.Parallel()

	page, err := os.ReadFile("../../../../docs/alerts-guide.md")
	require.NoError(t, err)

	_, rest, ok := strings.Cut(string(page), "| fields | compared as |\n| --- | --- |\n")
	require.True(t, ok)

	table, _, ok := strings.Cut(rest, "\n\n")
	require.True(t, ok)

	fields := 0

	for row := range strings.Lines(table) {
		cell, _, _ := strings.Cut(row[1:], "|")

		for _, name := range regexp.MustCompile("`([a-zA-Z_.]+)`").FindAllStringSubmatch(cell, -1) {
			_, err := board.ParseFilter(name[1] + ":*")
			require.NoError(t, err, name[1])

			fields++

			if name[1] == "held_by" || strings.HasPrefix(name[1], "labels.") {
				continue
			}

			_, err = board.ParseOrder(name[1] + " desc")
			require.NoError(t, err, name[1])
		}
	}

	require.Greater(t, fields, 30)
}
