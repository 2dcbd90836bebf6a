package rule_test

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

	"hale.dev/services/internal/rule"
)

func reference(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/rules-file.md")
	require.NoError(t, err)
	return string(text)
}

func TestReferenceOfTheFile(t *testing.T) {
	t.Parallel()
	text := reference(t)
	t.Run("its example is a good document", func(t *testing.T) {
		t.Parallel()
		_, example, ok := strings.Cut(text, "```yaml\n")
		require.True(t, ok)
		example, _, _ = strings.Cut(example, "```")
		set, err := rule.Parse([]byte(example))
		require.NoError(t, err)
		require.Len(t, set.Rules, 3)
	})
	t.Run("it explains every code and no other", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, codes(t), firstCells(t, text, "Error codes"))
	})
	t.Run("it explains every name and no other", func(t *testing.T) {
		t.Parallel()
		var want []string
		for _, n := range rule.Names() {
			want = append(want, n.Path)
		}
		explained := firstCells(t, text, "Conditions")
		for i, name := range explained {
			if name, ok := strings.CutSuffix(name, ".NAME"); ok {
				explained[i] = name
			}
		}
		// The entries of measures, their changes and dimensions stand in one line each.
		entry := regexp.MustCompile(`^(measures|measure_changes|dimensions)\..*`)
		for i := range want {
			want[i] = entry.ReplaceAllString(want[i], "$1")
		}
		require.ElementsMatch(t, unique(append(want, "source", "silent")), explained)
	})
	t.Run("it explains every key and no other", func(t *testing.T) {
		t.Parallel()
		_, err := rule.Parse([]byte("rules: [{x: 1, scope: {x: 1}}]"))
		require.Error(t, err)
		known := regexp.MustCompile(`known are ([a-z_, ]+)`).FindAllStringSubmatch(err.Error(), -1)
		require.Len(t, known, 2)
		keys := []string{"kind", "rules"}
		for i, prefix := range []string{"rules[].", "scope."} {
			for key := range strings.SplitSeq(strings.ReplaceAll(known[i][1], " and ", ", "), ", ") {
				keys = append(keys, prefix+strings.TrimSpace(key))
			}
		}
		require.ElementsMatch(t, keys, firstCells(t, text, "Keys"))
	})
	t.Run("it lists the shipped rules in order", func(t *testing.T) {
		t.Parallel()
		var names []string
		for _, r := range rule.Shipped().Rules {
			names = append(names, r.Name)
		}
		require.Equal(t, names, firstCells(t, text, "Shipped rules"))
	})
}

// unique keeps the first of each.
func unique(all []string) []string {
	var kept []string
	seen := map[string]bool{}
	for _, s := range all {
		if !seen[s] {
			kept = append(kept, s)
		}
		seen[s] = true
	}
	return kept
}

// firstCells returns what stands in the first column of the tables under a heading: all names in code marks.
func firstCells(t *testing.T, text, heading string) []string {
	t.Helper()
	_, section, ok := strings.Cut(text, "\n## "+heading+"\n")
	require.True(t, ok, heading)
	section, _, _ = strings.Cut(section, "\n## ")
	var cells []string
	for line := range strings.Lines(section) {
		if cell, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " |"); ok && strings.HasPrefix(line, "| `") {
			for name := range strings.SplitSeq(cell, ", ") {
				cells = append(cells, strings.Trim(name, "`"))
			}
		}
	}
	require.NotEmpty(t, cells, heading)
	return cells
}

// codes reads the values of the code constants from the sources, in the order of problem.go.
func codes(t *testing.T) []string {
	t.Helper()
	shared := map[string]string{}
	constants(t, "../document/problem.go", func(name string, value ast.Expr) {
		shared[name] = literal(t, value)
	})
	var values []string
	constants(t, "problem.go", func(_ string, value ast.Expr) {
		if of, ok := value.(*ast.SelectorExpr); ok {
			values = append(values, shared[of.Sel.Name])
			return
		}
		values = append(values, literal(t, value))
	})
	require.NotEmpty(t, values)
	return values
}

func constants(t *testing.T, file string, f func(name string, value ast.Expr)) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, "Code") {
			f(spec.Names[0].Name, spec.Values[0])
		}
		return !ok
	})
}

func literal(t *testing.T, value ast.Expr) string {
	t.Helper()
	text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
	require.NoError(t, err)
	return text
}
