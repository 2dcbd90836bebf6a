package sender

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const ellipsis = "…"

// plain makes a text fit for everywhere: valid UTF-8 without control characters but line breaks and tabs, and without
// those that turn the direction of what follows.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(text, "\ufffd"))
}

// line makes a text fit for a headline.
func line(text string) string { return strings.Join(strings.Fields(plain(text)), " ") }

// units is how long other programs say a text is: in units of UTF-16, as those written in Java and JavaScript count.
func units(text string) int {
	n := 0
	for _, r := range text {
		n += unitsOf(r)
	}

	return n
}

func unitsOf(r rune) int {
	if r > 0xffff {
		return 2
	}

	return 1
}

// cut shortens a text to a number of units, and shows that it did.
func cut(text string, limit int) string {
	if len(text) <= limit || units(text) <= limit {
		return text
	}

	n := 0
	for at, r := range text {
		if n += unitsOf(r); n > limit-1 {
			return text[:at] + ellipsis
		}
	}

	return text
}

// cutBytes shortens a text to a number of bytes, and shows that it did.
func cutBytes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}

	at := max(limit-len(ellipsis), 0)
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}

	return text[:at] + ellipsis
}
