package document_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/document"
)

// read reads a document whose only key is x.
func read(t *testing.T, doc string, f func(r *document.Reader, x document.Node)) document.Problems {
	t.Helper()
	body, problems := document.Tree([]byte(doc))
	require.Empty(t, problems)
	r := &document.Reader{}
	at, ok := r.Mapping(body, []string{"x"}, nil)
	require.True(t, ok)
	f(r, at["x"])
	return r.Problems
}

func TestFlag(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"true": true, "false": false} {
		require.Empty(t, read(t, "x: "+text, func(r *document.Reader, x document.Node) {
			v, ok := r.Flag(x)
			require.True(t, ok)
			require.Equal(t, want, v)
		}))
	}
	for _, text := range []string{"yes", "1", `"true"`, "[true]"} {
		found := read(t, "x: "+text, func(r *document.Reader, x document.Node) {
			_, ok := r.Flag(x)
			require.False(t, ok)
		})
		require.Equal(t, document.Problems{{Field: "x", Code: document.CodeWrongType, Message: "line 1: must be true or false"}}, found)
	}
}

func TestPairs(t *testing.T) {
	t.Parallel()
	t.Run("come in the order of the document", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, read(t, "x:\n  b: one\n  a: two", func(r *document.Reader, x document.Node) {
			pairs, ok := r.Pairs(x, 2)
			require.True(t, ok)
			require.Len(t, pairs, 2)
			require.Equal(t, "b", pairs[0].Name)
			text, ok := r.Text(pairs[1].Value)
			require.True(t, ok)
			require.Equal(t, "two", text)
		}))
	})
	t.Run("may be as many as allowed", func(t *testing.T) {
		t.Parallel()
		found := read(t, "x: {a: 1, b: 2, c: 3}", func(r *document.Reader, x document.Node) {
			_, ok := r.Pairs(x, 2)
			require.False(t, ok)
		})
		require.Equal(t, document.CodeTooLarge, found[0].Code)
	})
	t.Run("tell where a value is wrong", func(t *testing.T) {
		t.Parallel()
		long := strings.Repeat("k", 70)
		found := read(t, fmt.Sprintf("x:\n  a: 1\n  a: b\n  %s: 2\n  \"\": 3", long), func(r *document.Reader, x document.Node) {
			pairs, ok := r.Pairs(x, 5)
			require.True(t, ok)
			for _, p := range pairs {
				_, ok := r.Text(p.Value)
				require.False(t, ok)
			}
		})
		var fields []string
		for _, p := range found {
			fields = append(fields, p.Field+" "+p.Code)
		}
		require.Equal(t, []string{
			"x.a duplicate_key", "x.a wrong_type", "x." + strings.Repeat("k", 64) + "... wrong_type", "x.? wrong_type",
		}, fields)
	})
	t.Run("are no list", func(t *testing.T) {
		t.Parallel()
		found := read(t, "x: [a]", func(r *document.Reader, x document.Node) {
			_, ok := r.Pairs(x, 5)
			require.False(t, ok)
		})
		require.Equal(t, document.CodeWrongType, found[0].Code)
	})
}

func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	found := read(t, "x: ["+strings.Repeat("1,", 2000)+"]", func(r *document.Reader, x document.Node) {
		elements, ok := r.Sequence(x, 3000)
		require.True(t, ok)
		for _, e := range elements {
			r.Text(e)
		}
	})
	require.Len(t, found, 1000)
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	one := document.Problems{{Field: "x", Code: "bad", Message: "is bad"}}
	require.Equal(t, "this document: x: is bad (bad)", one.Describe("this document"))
	two := document.Problems{one[0], {Code: "worse", Message: "is worse"}}
	require.Equal(t, "this document: 2 problems:\n  x: is bad (bad)\n  is worse (worse)", two.Describe("this document"))
}
