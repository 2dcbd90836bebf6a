package report

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	texttemplate "text/template"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

//go:embed report.md.tmpl report.html.tmpl
var templates embed.FS

// Writer writes documents. It is safe for concurrent use.
type Writer struct {
	markdown *texttemplate.Template
	html     *htmltemplate.Template
}

// NewWriter compiles the templates.
func NewWriter() (*Writer, error) {
	markdown, err := texttemplate.New("report.md.tmpl").Funcs(functions(escapeMarkdown)).ParseFS(templates, "report.md.tmpl")
	if err != nil {
		return nil, fmt.Errorf("report: reading the template of Markdown: %w", err)
	}

	html, err := htmltemplate.New("report.html.tmpl").Funcs(functions(nil)).ParseFS(templates, "report.html.tmpl")
	if err != nil {
		return nil, fmt.Errorf("report: reading the template of HTML: %w", err)
	}

	return &Writer{markdown: markdown, html: html}, nil
}

// Markdown writes the review as Markdown.
func (w *Writer) Markdown(r *healthv1.Report) (string, error) {
	var b bytes.Buffer
	if err := w.markdown.Execute(&b, r); err != nil {
		return "", fmt.Errorf("report: writing Markdown: %w", err)
	}

	return b.String(), nil
}

// HTML writes the review as one HTML page.
func (w *Writer) HTML(r *healthv1.Report) (string, error) {
	var b bytes.Buffer
	if err := w.html.Execute(&b, r); err != nil {
		return "", fmt.Errorf("report: writing HTML: %w", err)
	}

	return b.String(), nil
}

// functions are what the templates call.
func functions(escape func(string) string) map[string]any {
	if escape == nil {
		escape = func(s string) string { return s } // html/template does it
	}

	return map[string]any{
		"text": escape, "number": number, "signed": signed, "name": name, "band": band, "stage": stage,
		"state": goalState, "line": line, "weighty": weighty, "behind": behind, "money": money,
		"unused": unused, "more": more,
	}
}

// number writes a number with one decimal; a dash for none.
func number(v any) string {
	switch n := v.(type) {
	case *float64:
		if n == nil {
			return "–"
		}

		return decimal(*n)
	case float64:
		return decimal(n)
	default:
		return fmt.Sprint(v)
	}
}

// decimal rounds half away from zero.
func decimal(f float64) string {
	const tenths = 10

	return strconv.FormatFloat(math.Round(f*tenths)/tenths+0, 'f', 1, 64) // +0: no minus before 0
}

// signed writes a change with its sign; nothing has none.
func signed(v any) string {
	text := number(v)
	if text != "–" && text != "0.0" && !strings.HasPrefix(text, "-") {
		text = "+" + text
	}

	return text
}

// money writes an amount without decimals; a dash for none.
func money(amount *float64, currency string) string {
	if amount == nil {
		return "–"
	}

	return strings.TrimSpace(strconv.FormatFloat(math.Round(*amount), 'f', 0, 64) + " " + currency)
}

// name is what the account is called.
func name(r *healthv1.Report) string {
	if n := r.GetProfile().GetName(); n != "" {
		return n
	}

	return r.GetAccountId()
}

// band writes a band in words.
func band(b healthv1.Band) string { return words(b.String(), "BAND_") }

// stage writes a stage in words.
func stage(s healthv1.Stage) string { return words(s.String(), "STAGE_") }

// goalState writes the state of a goal in words.
func goalState(s healthv1.Goal_State) string { return words(s.String(), "STATE_") }

// words makes words of the name of an enum's value.
func words(value, prefix string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(value, prefix), "_", " "))
}

// weighty are the measures that changed the score, in the order of the comparison.
func weighty(c *healthv1.CompareHealthResponse) []*healthv1.MeasureChange {
	var all []*healthv1.MeasureChange

	for _, d := range c.GetDimensions() {
		for _, m := range d.GetMeasures() {
			if m.GetChange() != 0 {
				all = append(all, m)
			}
		}
	}

	return all
}

// behind says what is behind changes, each once: a ticket, for example, may be behind two measures.
func behind(changes []*healthv1.MeasureChange) []string {
	var all []string

	for _, m := range changes {
		for _, d := range m.GetDrivers() {
			if !slices.Contains(all, d.GetText()) {
				all = append(all, d.GetText())
			}
		}
	}

	return all
}

// fewUnused is how many features that are not used a document names.
const fewUnused = 10

// unused are the first features that are not used.
func unused(f *healthv1.Facts) []string {
	return f.GetFeaturesUnused()[:min(fewUnused, len(f.GetFeaturesUnused()))]
}

// more is how many features there are that are not used either.
func more(f *healthv1.Facts) int {
	return len(f.GetFeaturesUnused()) - len(unused(f)) + int(f.GetMoreFeaturesUnused())
}

const (
	// lineWidth and lineHeight are the size of the drawing of the score.
	lineWidth, lineHeight = 600, 120
	percent               = 100
)

// line is the score of the weeks as the points of an SVG polyline; empty for less than two.
func line(rows []*healthv1.HistoryRow) string {
	var points []string

	for i, r := range rows {
		if r.Score == nil {
			continue
		}

		x := float64(lineWidth*i) / float64(max(1, len(rows)-1))
		points = append(points, decimal(x)+","+decimal(lineHeight-r.GetScore()*lineHeight/percent))
	}

	if len(points) < 2 { //nolint:mnd // a line has two ends
		return ""
	}

	return strings.Join(points, " ")
}

// escapeMarkdown takes the meaning from everything that Markdown, or HTML in it, would read.
func escapeMarkdown(s string) string {
	var b strings.Builder

	for _, r := range s {
		switch {
		case r == '\n' || r == '\r':
			b.WriteByte(' ')

			continue
		case strings.ContainsRune("\\`*_{}[]()#+!|<>~&$", r):
			b.WriteByte('\\')
		}

		b.WriteRune(r)
	}

	return b.String()
}
