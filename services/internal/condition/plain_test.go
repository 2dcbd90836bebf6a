package condition_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/condition"
)

// generator writes random conditions.
type generator struct{ *rand.Rand }

func (g generator) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g generator) order() string { return g.pick("<", "<=", ">", ">=") }

// condition writes one of at most that depth.
func (g generator) condition(depth int) string {
	if depth > 0 {
		switch g.IntN(4) {
		case 0:
			return "(" + g.condition(depth-1) + " && " + g.condition(depth-1) + ")"
		case 1:
			return "(" + g.condition(depth-1) + " || " + g.condition(depth-1) + ")"
		case 2:
			return "!(" + g.condition(depth-1) + ")"
		}
	}
	return g.comparison()
}

func (g generator) comparison() string {
	whole := strconv.Itoa(g.IntN(7) - 3)
	number := g.pick("0.0", "0.5", "-1.5", "1.000001", "2.0", "1e300")
	double := g.pick("numbers.weight", "numbers.length")
	equal := g.pick("==", "!=")
	colour := g.pick(`"red"`, `"green"`, `"blue"`)
	switch g.IntN(14) {
	case 0:
		return "size " + g.pick(equal, g.order()) + " " + whole
	case 1:
		return whole + " " + g.pick(equal, g.order()) + " size"
	case 2:
		return "size " + g.order() + " " + number
	case 3:
		return double + " " + g.pick(equal, g.order()) + " " + number
	case 4:
		return number + " " + g.pick(equal, g.order()) + " " + double
	case 5:
		return double + " " + g.order() + " " + whole
	case 6:
		return "colour " + g.pick(equal, g.order()) + " " + colour
	case 7:
		return "colour in [" + colour + ", " + g.pick(`"red"`, `"green"`, `"blue"`) + "]"
	case 8:
		return g.pick("broken", "true", "false", "broken == true", "false != broken")
	case 9:
		return "has(" + g.pick("numbers.weight", "numbers.length", "parts.size", "parts.colour") + ")"
	case 10:
		return "numbers.weight " + g.pick(equal, g.order()) + " numbers.length"
	case 11:
		return g.pick("size", "parts.size") + " " + g.pick(equal, g.order()) + " parts.size"
	case 12:
		return g.pick("colour", "parts.colour") + " " + g.pick(equal, g.order()) + " parts.colour"
	default: // not plain
		return g.pick(`colour.startsWith("r")`, "size + 1 > 2", `"weight" in numbers`, `size(parts.more) > 1`)
	}
}

func (g generator) thing() thing {
	t := thing{colour: g.pick("red", "green", "blue", ""), size: int64(g.IntN(8) - 3), broken: g.IntN(2) == 0}
	if g.IntN(3) > 0 {
		weight := []int64{0, 500_000, -1_500_000, 1_000_001, 2_000_000, 1_000_000_000_000_000_000, int64(g.IntN(8)) * 500_000}[g.IntN(7)]
		t.weight = &weight
	}
	return t
}

// TestPlainConditionsAreThoseOfCEL compares what is evaluated as Go functions with CEL's interpreter.
func TestPlainConditionsAreThoseOfCEL(t *testing.T) {
	t.Parallel()
	e := environment(t, condition.Limits{Cost: 50_000})
	plain, seen := 0, map[string]int{}
	for seed := range uint64(1500) {
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		text := g.condition(g.IntN(4))
		c, refusals := e.Compile(text)
		require.Empty(t, refusals, text)
		if c.Plain() {
			plain++
		}
		for range 20 {
			subject := g.thing()
			wantHolds, wantKnown := c.Interpret(subject)
			holds, known := c.Eval(subject)
			require.Equal(t, [2]bool{wantHolds, wantKnown}, [2]bool{holds, known}, "%s of %+v", text, subject)
			if c.Plain() {
				seen[fmt.Sprint(holds, known)]++
			}
		}
	}
	require.Greater(t, plain, 750)
	for _, outcome := range []string{"true true", "false true", "false false"} {
		require.Greater(t, seen[outcome], 100, outcome)
	}
}

func TestWhatIsPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`size > 1 && !(colour == "red" || broken)`:        true,
		`numbers.weight >= -2 && has(numbers.length)`:     true,
		`colour in ["red", "blue"]`:                       true,
		`numbers.weight + 1.0 > 2.0`:                      false,
		`parts.more.a == "x"`:                             false,
		`size in [1, 2]`:                                  false,
		`size > 1 && numbers.exists(n, numbers[n] > 1.0)`: false,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, compiled(t, text).Plain())
		})
	}
}

func BenchmarkEval(b *testing.B) {
	weight := int64(1)
	subject := thing{colour: "red", size: 2, weight: &weight}
	c := compiled(b, `size > 1 && numbers.weight < 3.0 && colour in ["blue", "red"]`)
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Eval(subject)
		}
	})
	b.Run("interpreted", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Interpret(subject)
		}
	})
}
