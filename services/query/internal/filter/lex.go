package filter

import (
	"strings"
	"unicode/utf8"
)

// Token is a piece of a filter.
type Token struct {
	Sort TokenSort
	// Text is what it says, without quotes.
	Text string
	// Start and End are its place in the filter.
	Start, End int
}

// TokenSort tells tokens apart.
type TokenSort uint8

const (
	// tokenEnd is behind the last one.
	tokenEnd TokenSort = iota
	// TokenWord is text without quotes: a path, a number, a day, a keyword.
	TokenWord
	// TokenQuoted is text in quotes.
	TokenQuoted
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
func (l *lexer) next() (Token, error) {
	for l.pos < len(l.text) && strings.IndexByte(spaces, l.text[l.pos]) >= 0 {
		l.pos++
	}

	start := l.pos
	if start == len(l.text) {
		return Token{Start: start, End: start}, nil
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
			return Token{}, Syntax(start, "! is not an Operator: write != or NOT")
		}

		return l.emit(tokenOperator, 1), nil
	case strings.IndexByte(quotes, c) >= 0:
		return l.quoted()
	}

	return l.word()
}

// emit returns a token of n bytes.
func (l *lexer) emit(s TokenSort, n int) Token {
	t := Token{Sort: s, Text: l.text[l.pos : l.pos+n], Start: l.pos, End: l.pos + n}
	l.pos += n

	return t
}

// word reads text without quotes.
func (l *lexer) word() (Token, error) {
	n := strings.IndexAny(l.text[l.pos:], spaces+quotes+marks)
	if n < 0 {
		n = len(l.text) - l.pos
	}

	return l.emit(TokenWord, n), nil
}

// quoted reads text in quotes; a backslash takes the next character as it is.
func (l *lexer) quoted() (Token, error) {
	var (
		b     strings.Builder
		start = l.pos
		quote = l.text[start]
	)

	for i := start + 1; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case c == quote:
			l.pos = i + 1

			return Token{Sort: TokenQuoted, Text: b.String(), Start: start, End: l.pos}, nil
		case c == '\\' && i+1 < len(l.text):
			i++
			b.WriteByte(l.text[i])
		default:
			b.WriteByte(c)
		}
	}

	return Token{}, Syntax(start, "the quote that begins here does not end")
}

// checkText refuses what is no text.
func checkText(text string) error {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
				return Syntax(i, "the filter is not UTF-8")
			}
		}

		if r == 0 {
			return Syntax(i, "the filter holds a zero byte")
		}
	}

	return nil
}
