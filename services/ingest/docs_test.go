package ingest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func readDoc(t *testing.T, name string) string {
	t.Helper()

	data, err := os.ReadFile("../../docs/" + name)
	require.NoError(t, err)

	return string(data)
}

func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()

	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	require.NoError(t, err)

	doc, found := readDoc(t, "errors.md"), 0

	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}

		lit, ok := spec.Values[0].(*ast.BasicLit)
		require.True(t, ok)

		code, err := strconv.Unquote(lit.Value)
		require.NoError(t, err)
		require.Contains(t, doc, "| `"+strings.TrimSpace(code)+"`", "docs/errors.md does not explain it")

		found++

		return true
	})
	require.Greater(t, found, 35)
}

func TestEveryFieldIsExplained(t *testing.T) {
	t.Parallel()

	doc := readDoc(t, "events.md")
	for k := kindUsage; k < kinds; k++ {
		for _, f := range fieldNames(k) {
			require.Contains(t, doc, "`"+f+"`", "docs/events.md does not explain it")
		}
	}
}

func TestTheMappingOfTheDocsWorks(t *testing.T) {
	t.Parallel()

	_, rest, ok := strings.Cut(readDoc(t, "segment.md"), "```yaml\n")
	require.True(t, ok)

	doc, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)

	m, err := parseMapping([]byte(doc))
	require.NoError(t, err)
	require.Equal(t, kindTicket, m.find("Ticket Opened").kind)
}
