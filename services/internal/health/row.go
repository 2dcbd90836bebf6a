package health

import (
	"fmt"

	"hale.dev/services/internal/scorecard"
)

// Row is an account's line of history: the end of one day.
type Row struct {
	// Day that ended.
	Day Day
	// Score is 0 to 100, in micros; unknown where no measure had data.
	Score scorecard.Value
	// Band at the end of the day.
	Band Band
	// Coverage in micros of percent.
	Coverage int64
	// Stage at the end of the day.
	Stage Stage
	// Card is the name of the scorecard that applied.
	Card string
	// SetVersion is the version of the scorecards.
	SetVersion uint64
	// Dimensions are the scores in the order of DimensionName.
	Dimensions [DimensionCount]scorecard.Value
	// Measures are the values as the scorecard saw them, if HasMeasures; rows of older versions have none.
	Measures    scorecard.Values
	HasMeasures bool
}

// Names of the shipped scorecards take one byte.
const (
	cardOther = iota
	cardStandard
	cardOnboarding
)

// rowMeasures stands with what is known of a result: measures follow. Rows of older versions cannot have it.
const rowMeasures = 1 << 6

// AppendRow appends a row's bytes: about 35 of them, and about 25 of its measures. Rows follow each other without
// separator.
func AppendRow(dst []byte, r Row) []byte {
	w := writer{b: dst[:cap(dst)], n: len(dst)}
	w.int(int64(r.Day))
	result := Result{
		Score: r.Score, Band: r.Band, Coverage: r.Coverage, Stage: r.Stage,
		Card: r.Card, SetVersion: r.SetVersion, Dimensions: r.Dimensions,
	}
	if !r.HasMeasures {
		result.write(&w, 0)
		return w.bytes()
	}
	result.write(&w, rowMeasures)
	var mask uint64
	for m := range r.Measures {
		if r.Measures[m].Known {
			mask |= 1 << m
		}
	}
	w.uint(mask)
	for m := range r.Measures {
		if r.Measures[m].Known {
			w.amount(r.Measures[m].Micros)
		}
	}
	return w.bytes()
}

// readMeasures reads the measures of a row.
func readMeasures(r *reader) scorecard.Values {
	var values scorecard.Values
	mask := r.uint()
	if mask>>scorecard.MeasureCount != 0 {
		r.fail()
		return values
	}
	for m := range values {
		if mask&(1<<m) != 0 {
			values[m] = known(r.amount())
		}
	}
	return values
}

// DecodeRows reads rows back.
func DecodeRows(b []byte) ([]Row, error) {
	const rowBytes = 64 // about
	r := reader{b: b}
	rows := make([]Row, 0, len(b)/rowBytes+1)
	for r.left() > 0 {
		row := Row{Day: r.day(0)}
		var result Result
		if row.HasMeasures = result.read(&r, rowMeasures) != 0; row.HasMeasures {
			row.Measures = readMeasures(&r)
		}
		if r.bad {
			return nil, fmt.Errorf("reading row %d of history: %w", len(rows), ErrCorrupt)
		}
		row.Score, row.Band, row.Coverage, row.Stage = result.Score, result.Band, result.Coverage, result.Stage
		row.Card, row.SetVersion, row.Dimensions = result.Card, result.SetVersion, result.Dimensions
		rows = append(rows, row)
	}
	return rows, nil
}

// write appends a result: which scores are known, with a mark, band and stage, then the numbers.
func (r *Result) write(w *writer, mark byte) {
	knowns := mark
	if r.Score.Known {
		knowns |= 1
	}
	for i := range r.Dimensions {
		if r.Dimensions[i].Known {
			knowns |= 2 << i
		}
	}
	w.byte(knowns)
	w.byte(byte(r.Band)<<4 | byte(r.Stage))
	w.amount(r.Coverage)
	writeCard(w, r.Card)
	w.uint(r.SetVersion)
	if r.Score.Known {
		w.amount(r.Score.Micros)
	}
	for i := range r.Dimensions {
		if r.Dimensions[i].Known {
			w.amount(r.Dimensions[i].Micros)
		}
	}
}

// read reads a result, and returns which of the allowed marks it has.
func (r *Result) read(from *reader, allowed byte) byte {
	knowns, state := from.byte(), from.byte()
	mark := knowns & allowed
	knowns &^= allowed
	r.Band, r.Stage = Band(state>>4), Stage(state&15)
	r.Coverage = from.amount()
	r.Card = readCard(from)
	r.SetVersion = from.uint()
	if knowns&1 != 0 {
		r.Score = known(from.amount())
	}
	for i := range r.Dimensions {
		if knowns&(2<<i) != 0 {
			r.Dimensions[i] = known(from.amount())
		}
	}
	if knowns>>(DimensionCount+1) != 0 || r.Band > BandHealthy || r.Stage > StageChurned {
		from.fail()
	}
	return mark
}
