package scorecard_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/scorecard"
)

func TestReferenceOfTheFile(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/scorecards-file.md")
	require.NoError(t, err)
	reference := string(text)

	t.Run("its example is a good document", func(t *testing.T) {
		t.Parallel()
		_, example, ok := strings.Cut(reference, "```yaml\n")
		require.True(t, ok)
		example, _, _ = strings.Cut(example, "```")
		set, err := scorecard.Parse([]byte(example))
		require.NoError(t, err)
		require.Len(t, set.Milestones, 2)
		key := account{stage: "steady", numbers: map[string]int64{"arr": 100_000_000_000}}
		require.Equal(t, "key-accounts", set.Select(key).Name)
		require.Equal(t, "everyone-else", set.Select(account{stage: "steady"}).Name)
	})
	t.Run("it explains every code and no other", func(t *testing.T) {
		t.Parallel()
		var explained []string
		for _, cells := range rows(t, reference, "Error codes") {
			explained = append(explained, strings.Trim(cells[0], "`"))
		}
		require.Equal(t, codes(t), explained)
	})
	t.Run("it names every stage, field and dimension", func(t *testing.T) {
		t.Parallel()
		for _, name := range regexp.MustCompile(`[a-z_]+`).FindAllString("onboarding adopting steady renewal churned name plan "+
			"currency owner segment industry parent created_date renewal_date arr seats term_days traits adoption engagement "+
			"support sentiment relationship usage login ticket", -1) {
			require.Regexp(t, "`([a-z_]+\\.)?"+name+"`", reference)
		}
	})
}

// codes reads the values of the code constants from the source, in its order.
func codes(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "problem.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var values []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Code") {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		require.True(t, ok)
		value, err := strconv.Unquote(literal.Value)
		require.NoError(t, err)
		values = append(values, value)
		return false
	})
	require.NotEmpty(t, values)
	return values
}
