package cli

import (
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// column is the heading of a column of a table.
type column struct {
	name  string
	right bool // numbers stand at the right
}

// table is text in columns.
type table struct {
	columns []column
	rows    [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write writes the table: columns two spaces apart, none wider than its widest cell.
func (t *table) write(w io.Writer) error {
	widths := make([]int, len(t.columns))
	heading := make([]string, len(t.columns))

	for i, c := range t.columns {
		heading[i] = c.name
	}

	rows := append([][]string{heading}, t.rows...)

	for r, row := range rows {
		for i := range row {
			rows[r][i] = printable(row[i])
			widths[i] = max(widths[i], uniseg.StringWidth(rows[r][i]))
		}
	}

	var b strings.Builder

	for _, row := range rows {
		line := strings.Builder{}

		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}

			space := strings.Repeat(" ", widths[i]-uniseg.StringWidth(cell))
			if t.columns[i].right {
				line.WriteString(space + cell)
			} else {
				line.WriteString(cell + space)
			}
		}

		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}

	_, err := io.WriteString(w, b.String())

	return err //nolint:wrapcheck // a failed write to stdout says it all
}

// printable writes control characters as escapes: names come from outside, and must neither
// break the table nor command the terminal.
func printable(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}

	quoted := strconv.Quote(s)

	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
