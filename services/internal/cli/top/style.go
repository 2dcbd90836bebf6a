package top

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// paint adds what makes text stand out. Without colours only what is chosen does, by being reversed.
type paint struct{ color bool }

func (p paint) with(c ansi.BasicColor, text string) string {
	if !p.color {
		return text
	}

	return ansi.NewStyle().ForegroundColor(c).Styled(text)
}

func (p paint) bold(text string) string {
	if !p.color {
		return text
	}

	return ansi.NewStyle().Bold().Styled(text)
}

// dim is for headings and keys.
func (p paint) dim(text string) string { return p.with(ansi.BrightBlack, text) }

// bad is for what went wrong.
func (p paint) bad(text string) string { return p.with(ansi.Red, text) }

// chosen is the row under the cursor.
func (p paint) chosen(text string) string {
	return ansi.NewStyle().Reverse(true).Styled(ansi.Strip(text))
}

func (p paint) severity(s alertv1.Severity, text string) string {
	switch s {
	case alertv1.Severity_SEVERITY_CRITICAL:
		return p.with(ansi.Red, text)
	case alertv1.Severity_SEVERITY_WARNING:
		return p.with(ansi.Yellow, text)
	case alertv1.Severity_SEVERITY_INFO, alertv1.Severity_SEVERITY_UNSPECIFIED:
	}

	return text
}

func (p paint) band(b healthv1.Band, text string) string {
	switch b {
	case healthv1.Band_BAND_CRITICAL:
		return p.with(ansi.Red, text)
	case healthv1.Band_BAND_AT_RISK:
		return p.with(ansi.Yellow, text)
	case healthv1.Band_BAND_HEALTHY:
		return p.with(ansi.Green, text)
	case healthv1.Band_BAND_STEADY, healthv1.Band_BAND_UNKNOWN, healthv1.Band_BAND_UNSPECIFIED:
	}

	return text
}

// fit makes text as wide as its place: cut with a sign, or filled up.
func fit(text string, width int) string {
	if width <= 0 {
		return ""
	}

	text = ansi.Truncate(text, width, "…")

	return text + strings.Repeat(" ", max(width-ansi.StringWidth(text), 0))
}

// right is fit for numbers.
func right(text string, width int) string {
	if width <= 0 {
		return ""
	}

	text = ansi.Truncate(text, width, "…")

	return strings.Repeat(" ", max(width-ansi.StringWidth(text), 0)) + text
}

// clean takes out what would command the terminal: names come from outside.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}

		return unicode.ReplacementChar
	}, text)
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}

	return ""
}
