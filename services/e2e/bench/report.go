package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"
)

// figure is one measured number.
type figure struct {
	Run   int     `json:"run"`
	Part  string  `json:"part"`
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Goal is what the value should at least be (at most, for AtMost); 0: none.
	Goal   float64 `json:"goal,omitempty"`
	AtMost bool    `json:"at_most,omitempty"`
}

// report collects the figures of all runs.
type report struct {
	run     int
	out     *json.Encoder
	figures []figure
}

func newReport(w io.Writer) *report { return &report{out: json.NewEncoder(w)} }

func (r *report) add(f figure) error {
	f.Run = r.run
	r.figures = append(r.figures, f)
	if err := r.out.Encode(f); err != nil {
		return fmt.Errorf("printing a figure: %w", err)
	}
	return nil
}

// last returns a figure of the run under way; 0 if it was not measured.
func (r *report) last(part, name string) float64 {
	for _, f := range slices.Backward(r.figures) {
		if f.Run == r.run && f.Part == part && f.Name == name {
			return f.Value
		}
	}
	return 0
}

// all adds figures of a part.
func (r *report) all(part string, figures ...figure) error {
	for _, f := range figures {
		f.Part = part
		if err := r.add(f); err != nil {
			return err
		}
	}
	return nil
}

// spread reports how times are distributed, in milliseconds. The goal is for the longest of them; 0: none.
func (r *report) spread(part, name string, times []time.Duration, goal time.Duration) error {
	if len(times) == 0 {
		return fmt.Errorf("%s: nothing was measured", name)
	}
	slices.Sort(times)
	for _, q := range []struct {
		name string
		at   float64
		goal time.Duration
	}{{"min", 0, 0}, {"p50", 0.5, 0}, {"p90", 0.9, 0}, {"p99", 0.99, 0}, {"max", 1, goal}} {
		t := times[max(0, int(math.Ceil(q.at*float64(len(times))))-1)] // the nearest rank
		err := r.add(figure{
			Part: part, Name: name + ", " + q.name, Value: milliseconds(t), Unit: "ms",
			Goal: milliseconds(q.goal), AtMost: true,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// ratio reports a figure of this run over the raw publish rate of the same run.
func (r *report) ratio(part, name string, value, goal float64) error {
	base := r.last("a", rawPublish)
	if base == 0 {
		return nil
	}
	return r.add(figure{Part: part, Name: name, Value: value / base, Unit: "of raw publish", Goal: goal})
}

// table prints the median of each figure over the runs, and whether its goal is met.
func (r *report) table(w io.Writer) error {
	type key struct{ part, name string }
	values := map[key][]float64{}
	var order []figure
	for _, f := range r.figures {
		k := key{f.Part, f.Name}
		if values[k] == nil {
			order = append(order, f)
		}
		values[k] = append(values[k], f.Value)
	}
	slices.SortStableFunc(order, func(x, y figure) int {
		if x.Part < y.Part {
			return -1
		}
		if x.Part > y.Part {
			return 1
		}
		return 0
	})
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "part\tfigure\tmedian\tlow\thigh\tunit\tgoal")
	for _, f := range order {
		v := values[key{f.Part, f.Name}]
		slices.Sort(v)
		middle := v[len(v)/2]
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			f.Part, f.Name, number(middle), number(v[0]), number(v[len(v)-1]), f.Unit, f.verdict(middle))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	return nil
}

func (f figure) verdict(median float64) string {
	switch {
	case f.Goal == 0:
		return ""
	case f.AtMost && median <= f.Goal:
		return fmt.Sprintf("<= %s met", number(f.Goal))
	case f.AtMost:
		return fmt.Sprintf("<= %s MISSED", number(f.Goal))
	case median >= f.Goal:
		return fmt.Sprintf(">= %s met", number(f.Goal))
	default:
		return fmt.Sprintf(">= %s MISSED", number(f.Goal))
	}
}

func number(v float64) string {
	const many, some = 1000, 10
	switch {
	case v >= many:
		return fmt.Sprintf("%.0f", v)
	case v >= some:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}
