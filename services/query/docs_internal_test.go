package query

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

// TestEveryReasonIsExplained looks for the constants in the page that people look them up in.
func TestEveryReasonIsExplained(t *testing.T) {
	t.Parallel()

	file, err := parser.ParseFile(token.NewFileSet(), "error.go", nil, 0)
	require.NoError(t, err)

	doc, err := os.ReadFile("../../docs/errors.md")
	require.NoError(t, err)

	_, table, ok := strings.Cut(string(doc), "## Reasons of the query service")
	require.True(t, ok)

	found := 0

	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "reason") {
			return true
		}

		reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		require.Contains(t, table, "| `"+reason+"` |", "docs/errors.md does not explain it")

		found++

		return true
	})
	require.Greater(t, found, 20)
}
