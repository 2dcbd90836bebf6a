package column

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// token is a piece of a filter.
type token struct {
	sort tokenSort
	// text is what it says, without quotes.
	text string
	// start and end are its place in the filter.
	start, end int
}

// tokenSort tells tokens apart.
type tokenSort uint8

const (
	// tokenEnd is behind the last one.
	tokenEnd tokenSort = iota
	// tokenWord is text without quotes: a path, a number, a day, a keyword.
	tokenWord
	// tokenQuoted is text in quotes.
	tokenQuoted
	// tokenOperator compares.
	tokenOperator
	tokenOpen
	tokenClose
	tokenComma
)

// spaces separate tokens; quotes begin and end text; marks are tokens, or begin one.
const (
	spaces = " \t\r\n"
	quotes = `"'`
	marks  = "(),=:<>!"
)

// lexer cuts a filter into tokens. Its zero position is the start.
type lexer struct {
	text string
	pos  int
}

// next returns the next token.
func (l *lexer) next() (token, error) {
	for l.pos < len(l.text) && strings.IndexByte(spaces, l.text[l.pos]) >= 0 {
		l.pos++
	}

	start := l.pos
	if start == len(l.text) {
		return token{start: start, end: start}, nil
	}

	switch c := l.text[start]; {
	case c == '(':
		return l.emit(tokenOpen, 1), nil
	case c == ')':
		return l.emit(tokenClose, 1), nil
	case c == ',':
		return l.emit(tokenComma, 1), nil
	case c == '=', c == ':':
		return l.emit(tokenOperator, 1), nil
	case c == '<', c == '>', c == '!':
		if strings.HasPrefix(l.text[start+1:], "=") {
			return l.emit(tokenOperator, 2), nil
		}

		if c == '!' {
			return token{}, syntax(start, "! is not an operator: write != or NOT")
		}

		return l.emit(tokenOperator, 1), nil
	case strings.IndexByte(quotes, c) >= 0:
		return l.quoted()
	}

	return l.word()
}

// emit returns a token of n bytes.
func (l *lexer) emit(s tokenSort, n int) token {
	t := token{sort: s, text: l.text[l.pos : l.pos+n], start: l.pos, end: l.pos + n}
	l.pos += n

	return t
}

// word reads text without quotes.
func (l *lexer) word() (token, error) {
	n := strings.IndexAny(l.text[l.pos:], spaces+quotes+marks)
	if n < 0 {
		n = len(l.text) - l.pos
	}

	return l.emit(tokenWord, n), nil
}

// quoted reads text in quotes; a backslash takes the next character as it is.
func (l *lexer) quoted() (token, error) {
	var (
		b     strings.Builder
		start = l.pos
		quote = l.text[start]
	)

	for i := start + 1; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case c == quote:
			l.pos = i + 1

			return token{sort: tokenQuoted, text: b.String(), start: start, end: l.pos}, nil
		case c == '\\' && i+1 < len(l.text):
			i++
			b.WriteByte(l.text[i])
		default:
			b.WriteByte(c)
		}
	}

	return token{}, syntax(start, "the quote that begins here does not end")
}

// syntax is an error of the form of a filter.
func syntax(offset int, format string, args ...any) *FilterError {
	return &FilterError{Code: CodeSyntax, Offset: offset, Message: fmt.Sprintf(format, args...)}
}

// checkText refuses what is no text.
func checkText(text string) error {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
				return syntax(i, "the filter is not UTF-8")
			}
		}

		if r == 0 {
			return syntax(i, "the filter holds a zero byte")
		}
	}

	return nil
}
