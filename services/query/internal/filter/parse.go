package filter

import (
	"fmt"
	"strings"
)

// NodeSort tells nodes apart.
type NodeSort uint8

// The sorts of nodes.
const (
	// NodeAnd, NodeOr and NodeNot join or negate their kids.
	NodeAnd NodeSort = iota + 1
	NodeOr
	NodeNot
	// NodeCompare compares the field that Left names with Right.
	NodeCompare
	// NodeWord is a bare word.
	NodeWord
	// NodeCall calls the function that Left names with Right.
	NodeCall
)

// Node is a part of a parsed filter.
type Node struct {
	Sort NodeSort
	Kids []*Node
	// Left is the field, the word or the function, Right what it is compared or called with.
	Left     Token
	Operator string
	Right    Token
}

// parser reads the grammar of AIP-160:
//
//	expression  = sequence { "AND" sequence }
//	sequence    = factor { factor }
//	factor      = term { "OR" term }
//	term        = [ "NOT" | "-" ] ( group | call | test )
//	group       = "(" expression ")"
//	call        = function "(" argument ")"
//	test        = member [ operator argument ]
//
// So OR binds tighter than AND, and what stands side by side is joined like by AND. Unlike the AIP, words may hold
// hyphens and points, so that days and ids need no quotes.
type parser struct {
	lexer lexer
	token Token
	depth int
	size  int
}

// Parse reads a filter; nil: it is empty. Its error is an *Error.
func Parse(text string) (*Node, error) {
	if len(text) > maxText {
		return nil, &Error{
			Code: CodeLong, Offset: maxText, Message: fmt.Sprintf("a filter has at most %d bytes", maxText),
		}
	}

	if err := checkText(text); err != nil {
		return nil, err
	}

	p := &parser{lexer: lexer{text: text}}
	if err := p.advance(); err != nil {
		return nil, err
	}

	if p.token.Sort == tokenEnd {
		return nil, nil //nolint:nilnil // no filter
	}

	n, err := p.expression()
	if err != nil {
		return nil, err
	}

	if p.token.Sort != tokenEnd {
		return nil, p.unexpected()
	}

	return n, nil
}

func (p *parser) advance() (err error) {
	p.token, err = p.lexer.next()

	return err
}

// unexpected is the error of a token that may not stand where it does.
func (p *parser) unexpected() error {
	if p.token.Sort == tokenEnd {
		return Syntax(p.token.Start, "the filter ends too early")
	}

	return Syntax(p.token.Start, "%q does not belong here", p.lexer.text[p.token.Start:p.token.End])
}

// keyword says whether the token is this keyword.
func (p *parser) keyword(word string) bool { return p.token.Sort == TokenWord && p.token.Text == word }

// expression reads sequences joined by AND.
func (p *parser) expression() (*Node, error) {
	p.depth++
	defer func() { p.depth-- }()

	if p.depth > maxDepth {
		return nil, &Error{
			Code: CodeDeep, Offset: p.token.Start, Message: fmt.Sprintf("more than %d levels", maxDepth),
		}
	}

	all := &Node{Sort: NodeAnd}

	for {
		n, err := p.factor()
		if err != nil {
			return nil, err
		}

		all.Kids = append(all.Kids, n)

		switch {
		case p.keyword("AND"):
			if err := p.advance(); err != nil {
				return nil, err
			}
		case p.token.Sort == tokenEnd, p.token.Sort == tokenClose:
			return all.single(), nil
		}
	}
}

// single is the only kid, where there is but one.
func (n *Node) single() *Node {
	if len(n.Kids) == 1 {
		return n.Kids[0]
	}

	return n
}

// factor reads terms joined by OR.
func (p *parser) factor() (*Node, error) {
	all := &Node{Sort: NodeOr}

	for {
		n, err := p.term()
		if err != nil {
			return nil, err
		}

		all.Kids = append(all.Kids, n)

		if !p.keyword("OR") {
			return all.single(), nil
		}

		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}

// term reads what may be negated, once.
func (p *parser) term() (*Node, error) {
	not := false

	switch {
	case p.keyword("NOT"):
		not = true

		if err := p.advance(); err != nil {
			return nil, err
		}
	case p.token.Sort == TokenWord && strings.HasPrefix(p.token.Text, "-"):
		not, p.lexer.pos = true, p.token.Start+1
		if p.lexer.pos == len(p.lexer.text) || strings.IndexByte(spaces, p.lexer.text[p.lexer.pos]) >= 0 {
			return nil, p.unexpected()
		}

		if err := p.advance(); err != nil {
			return nil, err
		}
	}

	n, err := p.simple()
	if err != nil || !not {
		return n, err
	}

	return &Node{Sort: NodeNot, Kids: []*Node{n}}, nil
}

// simple reads something in parentheses, or a restriction.
func (p *parser) simple() (*Node, error) {
	if p.token.Sort != tokenOpen {
		return p.restriction()
	}

	if err := p.advance(); err != nil {
		return nil, err
	}

	n, err := p.expression()
	if err != nil {
		return nil, err
	}

	if p.token.Sort != tokenClose {
		return nil, p.unexpected()
	}

	return n, p.advance()
}

// restriction reads a comparison, a call or a bare word.
func (p *parser) restriction() (*Node, error) {
	if p.size++; p.size > MaxSize {
		return nil, TooLarge(p.token.Start)
	}

	left, err := p.path()
	if err != nil {
		return nil, err
	}

	switch p.token.Sort {
	case tokenOperator:
		n := &Node{Sort: NodeCompare, Left: left, Operator: p.token.Text}
		if err := p.advance(); err != nil {
			return nil, err
		}

		n.Right, err = p.argument()

		return n, err
	case tokenOpen:
		if left.Sort == TokenWord && p.token.Start == left.End {
			return p.call(left)
		}
	case tokenEnd, TokenWord, TokenQuoted, tokenClose, tokenComma:
	}

	return &Node{Sort: NodeWord, Left: left}, nil
}

// path reads a word or a quoted text; a word that ends in a point goes on in a quoted text, as in traits."my trait".
func (p *parser) path() (Token, error) {
	t := p.token
	if t.Sort == TokenWord && strings.HasPrefix(t.Text, "-") { // negated twice
		return Token{}, p.unexpected()
	}

	if _, err := p.argument(); err != nil {
		return Token{}, err
	}

	if t.Sort == TokenWord && strings.HasSuffix(t.Text, ".") && p.token.Sort == TokenQuoted && p.token.Start == t.End {
		t.Text, t.End = t.Text+p.token.Text, p.token.End

		return t, p.advance()
	}

	return t, nil
}

// reserved says whether a token is a keyword.
func reserved(t Token) bool {
	return t.Sort == TokenWord && (t.Text == "AND" || t.Text == "OR" || t.Text == "NOT")
}

// argument reads what a field is compared with.
func (p *parser) argument() (Token, error) {
	t := p.token
	if (t.Sort != TokenWord && t.Sort != TokenQuoted) || reserved(t) {
		return Token{}, p.unexpected()
	}

	return t, p.advance()
}

// call reads a function's one argument.
func (p *parser) call(name Token) (*Node, error) {
	n := &Node{Sort: NodeCall, Left: name}

	if err := p.advance(); err != nil {
		return nil, err
	}

	var err error
	if n.Right, err = p.argument(); err != nil {
		return nil, err
	}

	if p.token.Sort != tokenClose {
		return nil, p.unexpected()
	}

	return n, p.advance()
}

// TooLarge is the error of a filter with too many comparisons.
func TooLarge(offset int) *Error {
	return &Error{
		Code: CodeLarge, Offset: offset, Message: fmt.Sprintf("more than %d comparisons", MaxSize),
	}
}
