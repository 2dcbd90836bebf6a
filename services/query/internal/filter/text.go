package filter

import (
	"strings"
	"unicode/utf8"
)

// Texts is what a comparison wants of a text; never an empty one.
func Texts(n *Node) (func(string) bool, error) {
	text := n.Right.Text

	switch n.Operator {
	case "=":
		return equal(text), nil
	case "!=":
		same := equal(text)

		return func(s string) bool { return s != "" && !same(s) }, nil
	case ":":
		return Containing(strings.Trim(text, "*")), nil
	case "<":
		return func(s string) bool { return s != "" && s < text }, nil
	case "<=":
		return func(s string) bool { return s != "" && s <= text }, nil
	case ">":
		return func(s string) bool { return s > text }, nil
	case ">=":
		return func(s string) bool { return s >= text }, nil
	}

	return nil, Syntax(n.Left.Start, "%s is not an operator", n.Operator)
}

// equal wants the text itself, or, where a * begins or ends it, what ends or begins with the rest.
func equal(text string) func(string) bool {
	before, after := strings.HasPrefix(text, "*"), len(text) > 1 && strings.HasSuffix(text, "*")
	rest := strings.TrimPrefix(text, "*")

	if after {
		rest = strings.TrimSuffix(rest, "*")
	}

	switch {
	case before && after, before && rest == "":
		return func(s string) bool { return s != "" && strings.Contains(s, rest) }
	case before:
		return func(s string) bool { return strings.HasSuffix(s, rest) }
	case after:
		return func(s string) bool { return strings.HasPrefix(s, rest) }
	}

	return func(s string) bool { return s == text }
}

// Containing wants texts that contain this one, whatever the case of either; never an empty one.
func Containing(part string) func(string) bool {
	lower := strings.ToLower(part)
	plain := isASCII(lower)

	return func(s string) bool {
		if s == "" {
			return false
		}

		if plain && isASCII(s) {
			return containsFold(s, lower)
		}

		return strings.Contains(strings.ToLower(s), lower)
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}

	return true
}

// containsFold says whether s contains part, which is in lower case; both are ASCII. Unlike ToLower it makes no copy.
func containsFold(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		j := 0
		for j < len(part) && lowerByte(s[i+j]) == part[j] {
			j++
		}

		if j == len(part) {
			return true
		}
	}

	return false
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}

	return c
}
