package condition_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/condition"
)

// thing is a made-up subject.
type thing struct {
	colour string
	size   int64
	weight *int64 // micros; nil: not known
	broken bool
	traits map[string]condition.Trait
}

func names() []condition.Name[thing] {
	return []condition.Name[thing]{
		{Path: "colour", Values: []string{"red", "green", "blue"}, Text: func(t thing) string { return t.colour }},
		{Path: "size", Int: func(t thing) (int64, bool) { return t.size, t.size >= 0 }},
		{Path: "broken", Flag: func(t thing) bool { return t.broken }},
		{Path: "numbers.weight", Number: func(t thing) (int64, bool) {
			if t.weight == nil {
				return 0, false
			}
			return *t.weight, true
		}},
		{Path: "numbers.length", Number: func(t thing) (int64, bool) { return t.size * 500_000, true }},
		{Path: "parts.colour", Text: func(t thing) string { return t.colour }},
		{Path: "parts.size", Int: func(t thing) (int64, bool) { return t.size, t.size >= 0 }},
		{Path: "parts.more", Traits: func(t thing, f func(string, condition.Trait)) {
			for _, name := range []string{"a", "b"} {
				if trait, ok := t.traits[name]; ok {
					f(name, trait)
				}
			}
		}},
	}
}

func environment(t testing.TB, limits condition.Limits) *condition.Environment[thing] {
	t.Helper()
	e, err := condition.New(names(), limits)
	require.NoError(t, err)
	return e
}

func compiled(t testing.TB, expression string) *condition.Condition[thing] {
	t.Helper()
	c, refusals := environment(t, condition.Limits{Cost: 50_000}).Compile(expression)
	require.Empty(t, refusals)
	return c
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]condition.Refusal{
		`size <`:                         {condition.Invalid, "column 7"},
		`{"a": size} == {"a": 1}`:        {condition.Invalid, "map and message literals"},
		`parts.exists(size, true)`:       {condition.Invalid, "loop variable must not be called size"},
		`colour.matches(colour)`:         {condition.Invalid, "pattern of matches must be a literal"},
		`size`:                           {condition.NotBool, "is of type int"},
		`weight > 1.0`:                   {condition.UnknownName, "undeclared reference to 'weight'"},
		`numbers.height > 1.0`:           {condition.UnknownName, "there is no number height"},
		`numbers["height"] > 1.0`:        {condition.UnknownName, "there is no number height"},
		`parts.height == 1`:              {condition.UnknownName, "parts has no field height"},
		`colour == "pink"`:               {condition.UnknownName, "there is no colour pink; colours are red, green and blue"},
		`colour in ["red", "pink"]`:      {condition.UnknownName, "there is no colour pink"},
		`size / 0 == 1`:                  {condition.ZeroDivisor, "divides by zero"},
		`size % 0 == 1`:                  {condition.ZeroDivisor, "divides by zero"},
		`numbers.weight / 0.0 < 1.0`:     {condition.ZeroDivisor, "divides by zero"},
		`numbers.weight / -0.0 < 1.0`:    {condition.ZeroDivisor, "divides by zero"},
		`1 / size == 1`:                  {condition.ZeroDivisor, "could be zero"},
		`1 / (1 - 1) == 1`:               {condition.ZeroDivisor, "could be zero"},
		`size / (size > 0 ? 1 : 0) == 1`: {condition.ZeroDivisor, "could be zero"},
		strings.Repeat("parts.more.exists(a, parts.more.exists(b, a == b)) || ", 3) + "broken": {condition.TooCostly, "could cost"},
	} {
		t.Run(expression+" is refused", func(t *testing.T) {
			t.Parallel()
			c, refusals := environment(t, condition.Limits{Cost: 50_000}).Compile(expression)
			require.Nil(t, c)
			require.NotEmpty(t, refusals)
			require.Equal(t, want.Reason, refusals[0].Reason, refusals[0].Message)
			require.Contains(t, refusals[0].Message, want.Message)
		})
	}
	t.Run("a division by zero is not refused where it is allowed, and fails", func(t *testing.T) {
		t.Parallel()
		c, refusals := environment(t, condition.Limits{Cost: 50_000, Division: true}).Compile(`1 / size == 1`)
		require.Empty(t, refusals)
		_, known := c.Eval(thing{})
		require.False(t, known)
		holds, known := c.Eval(thing{size: 1})
		require.True(t, holds && known)
	})
}

func TestAsks(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"numbers.length", "colour", "numbers.weight", "size"},
		compiled(t, `numbers.length > 1.0 && colour == "red" && has(numbers.weight) && (size > 1 || numbers.weight < 2.0)`).Asks())
	require.Equal(t, []string{"numbers.weight"}, compiled(t, `"weight" in numbers && numbers["weight"] > 1.0`).Asks())
	require.Empty(t, compiled(t, `numbers.exists(n, numbers[n] > 1.0)`).Asks(), "none is written out")
}

func TestCost(t *testing.T) {
	t.Parallel()
	cheap, dear := compiled(t, `size > 1`), compiled(t, `parts.more.exists(k, k == "a")`)
	require.Less(t, cheap.Cost(), uint64(10))
	require.Greater(t, dear.Cost(), uint64(100))
}

func TestOf(t *testing.T) {
	t.Parallel()
	type box struct{ inside thing }
	e, err := condition.New(condition.Of(names(), func(b box) thing { return b.inside }), condition.Limits{Cost: 50_000})
	require.NoError(t, err)
	weight := int64(2_500_000)
	full := box{thing{colour: "red", size: 3, weight: &weight, broken: true, traits: map[string]condition.Trait{
		"a": {Kind: condition.TraitText, Text: "x"}, "b": {Kind: condition.TraitFlag, Flag: true},
	}}}
	c, refusals := e.Compile(`colour == "red" && size == 3 && broken && numbers.weight == 2.5 && parts.more.a == "x" && parts.more.b`)
	require.Empty(t, refusals)
	holds, known := c.Eval(full)
	require.True(t, holds && known)
	_, refusals = e.Compile(`colour == "pink"`)
	require.Len(t, refusals, 1)
}
