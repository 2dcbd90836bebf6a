package column

import (
	"fmt"
	"strings"
)

// nodeSort tells nodes apart.
type nodeSort uint8

const (
	nodeAnd nodeSort = iota + 1
	nodeOr
	nodeNot
	// nodeCompare compares the field that left names with right.
	nodeCompare
	// nodeWord is a bare word.
	nodeWord
	// nodeCall calls the function that left names with right.
	nodeCall
)

// node is a part of a parsed filter.
type node struct {
	sort     nodeSort
	kids     []*node
	left     token
	operator string
	right    token
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
	token token
	depth int
	size  int
}

// parse reads a filter; nil: it is empty.
func parse(text string) (*node, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}

	p := &parser{lexer: lexer{text: text}}
	if err := p.advance(); err != nil {
		return nil, err
	}

	if p.token.sort == tokenEnd {
		return nil, nil //nolint:nilnil // no filter
	}

	n, err := p.expression()
	if err != nil {
		return nil, err
	}

	if p.token.sort != tokenEnd {
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
	if p.token.sort == tokenEnd {
		return syntax(p.token.start, "the filter ends too early")
	}

	return syntax(p.token.start, "%q does not belong here", p.lexer.text[p.token.start:p.token.end])
}

// keyword says whether the token is this keyword.
func (p *parser) keyword(word string) bool { return p.token.sort == tokenWord && p.token.text == word }

// expression reads sequences joined by AND.
func (p *parser) expression() (*node, error) {
	p.depth++
	defer func() { p.depth-- }()

	if p.depth > maxDepth {
		return nil, &FilterError{
			Code: CodeDeep, Offset: p.token.start, Message: fmt.Sprintf("more than %d levels", maxDepth),
		}
	}

	all := &node{sort: nodeAnd}

	for {
		n, err := p.factor()
		if err != nil {
			return nil, err
		}

		all.kids = append(all.kids, n)

		switch {
		case p.keyword("AND"):
			if err := p.advance(); err != nil {
				return nil, err
			}
		case p.token.sort == tokenEnd, p.token.sort == tokenClose:
			return all.single(), nil
		}
	}
}

// single is the only kid, where there is but one.
func (n *node) single() *node {
	if len(n.kids) == 1 {
		return n.kids[0]
	}

	return n
}

// factor reads terms joined by OR.
func (p *parser) factor() (*node, error) {
	all := &node{sort: nodeOr}

	for {
		n, err := p.term()
		if err != nil {
			return nil, err
		}

		all.kids = append(all.kids, n)

		if !p.keyword("OR") {
			return all.single(), nil
		}

		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}

// term reads what may be negated, once.
func (p *parser) term() (*node, error) {
	not := false

	switch {
	case p.keyword("NOT"):
		not = true

		if err := p.advance(); err != nil {
			return nil, err
		}
	case p.token.sort == tokenWord && strings.HasPrefix(p.token.text, "-"):
		not, p.lexer.pos = true, p.token.start+1
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

	return &node{sort: nodeNot, kids: []*node{n}}, nil
}

// simple reads something in parentheses, or a restriction.
func (p *parser) simple() (*node, error) {
	if p.token.sort != tokenOpen {
		return p.restriction()
	}

	if err := p.advance(); err != nil {
		return nil, err
	}

	n, err := p.expression()
	if err != nil {
		return nil, err
	}

	if p.token.sort != tokenClose {
		return nil, p.unexpected()
	}

	return n, p.advance()
}

// restriction reads a comparison, a call or a bare word.
func (p *parser) restriction() (*node, error) {
	if p.size++; p.size > maxSize {
		return nil, tooLarge(p.token.start)
	}

	left, err := p.path()
	if err != nil {
		return nil, err
	}

	switch p.token.sort {
	case tokenOperator:
		n := &node{sort: nodeCompare, left: left, operator: p.token.text}
		if err := p.advance(); err != nil {
			return nil, err
		}

		n.right, err = p.argument()

		return n, err
	case tokenOpen:
		if left.sort == tokenWord && p.token.start == left.end {
			return p.call(left)
		}
	case tokenEnd, tokenWord, tokenQuoted, tokenClose, tokenComma:
	}

	return &node{sort: nodeWord, left: left}, nil
}

// path reads a word or a quoted text; a word that ends in a point goes on in a quoted text, as in traits."my trait".
func (p *parser) path() (token, error) {
	t := p.token
	if t.sort == tokenWord && strings.HasPrefix(t.text, "-") { // negated twice
		return token{}, p.unexpected()
	}

	if _, err := p.argument(); err != nil {
		return token{}, err
	}

	if t.sort == tokenWord && strings.HasSuffix(t.text, ".") && p.token.sort == tokenQuoted && p.token.start == t.end {
		t.text, t.end = t.text+p.token.text, p.token.end

		return t, p.advance()
	}

	return t, nil
}

// reserved says whether a token is a keyword.
func reserved(t token) bool {
	return t.sort == tokenWord && (t.text == "AND" || t.text == "OR" || t.text == "NOT")
}

// argument reads what a field is compared with.
func (p *parser) argument() (token, error) {
	t := p.token
	if (t.sort != tokenWord && t.sort != tokenQuoted) || reserved(t) {
		return token{}, p.unexpected()
	}

	return t, p.advance()
}

// call reads a function's one argument.
func (p *parser) call(name token) (*node, error) {
	n := &node{sort: nodeCall, left: name}

	if err := p.advance(); err != nil {
		return nil, err
	}

	var err error
	if n.right, err = p.argument(); err != nil {
		return nil, err
	}

	if p.token.sort != tokenClose {
		return nil, p.unexpected()
	}

	return n, p.advance()
}

// tooLarge is the error of a filter with too many comparisons.
func tooLarge(offset int) error {
	return &FilterError{
		Code: CodeLarge, Offset: offset, Message: fmt.Sprintf("more than %d comparisons", maxSize),
	}
}
