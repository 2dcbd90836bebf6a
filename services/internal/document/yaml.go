package document

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	yamlparser "github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// MaxBytes is the most bytes a document may have.
	MaxBytes = 256 << 10

	maxTokens = 30_000 // the YAML parser takes quadratic time for many Keys in one mapping
	maxDepth  = 16     // of brackets
	maxColumn = 64     // of a key or dash outside brackets: bounds the depth of what is indented
)

// Tree parses a document as plain YAML: one document of mappings, lists and scalars, nothing that
// refers, expands or converts. Its work is bounded, whatever the document holds.
func Tree(doc []byte) (Node, Problems) {
	switch {
	case len(doc) > MaxBytes:
		return Node{}, whole(CodeTooLarge, "has %d bytes; at most %d are allowed", len(doc), MaxBytes)
	case !utf8.Valid(doc):
		return Node{}, whole(CodeYAML, "is not valid UTF-8")
	case bytes.IndexByte(doc, 0) >= 0:
		return Node{}, whole(CodeYAML, "holds a zero byte")
	}
	var body ast.Node
	problems := whole(CodeYAML, "the YAML cannot be read")
	// The parser is not ours and what it reads is a stranger's: should it panic, the document is bad.
	func() {
		defer func() { _ = recover() }()
		body, problems = parseYAML(string(doc))
	}()
	return Node{Node: body}, problems
}

func parseYAML(doc string) (ast.Node, Problems) {
	tokens := lexer.Tokenize(doc)
	if problems := checkTokens(tokens); len(problems) > 0 {
		return nil, problems
	}
	file, err := yamlparser.Parse(tokens, 0, yamlparser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxProblem(err)
	}
	if len(file.Docs) > 1 {
		return nil, whole(CodeYAML, "holds %d YAML documents; one is wanted", len(file.Docs))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, whole(CodeYAML, "is empty")
	}
	return file.Docs[0].Body, nil
}

// checkTokens refuses what the parser would take long for and what a document does not need.
func checkTokens(tokens token.Tokens) Problems {
	if len(tokens) > maxTokens {
		return whole(CodeTooLarge, "has %d YAML tokens; at most %d are allowed", len(tokens), maxTokens)
	}
	var problems Problems
	depth := 0
	for _, t := range tokens {
		if feature := refused(t); feature != "" {
			problems = append(problems, at(t, "", CodeYAMLFeature, "%s are not allowed here", feature))
		}
		depth += nesting(t)
		if depth > maxDepth || (depth == 0 && opens(t) && t.Position.Column > maxColumn) {
			return append(problems, at(t, "", CodeTooLarge, "nested too deeply"))
		}
	}
	return problems
}

// refused names a feature of YAML that documents may not use; empty if the token is none.
func refused(t *token.Token) string {
	switch t.Type {
	case token.AnchorType, token.AliasType:
		return "anchors and aliases"
	case token.MergeKeyType:
		return "merge Keys"
	case token.TagType:
		return "tags"
	case token.DirectiveType:
		return "directives"
	case token.MappingKeyType:
		return "complex Keys"
	default:
		return ""
	}
}

// nesting is by how much a token changes the depth of brackets.
func nesting(t *token.Token) int {
	switch t.Type {
	case token.MappingStartType, token.SequenceStartType:
		return 1
	case token.MappingEndType, token.SequenceEndType:
		return -1
	default:
		return 0
	}
}

// opens tells whether a token can begin an indented block: a dash, or the text before a colon.
func opens(t *token.Token) bool {
	return t.Type == token.SequenceEntryType || (t.Next != nil && t.Next.Type == token.MappingValueType)
}

// syntaxProblem is the parser's complaint without the source it quotes.
func syntaxProblem(err error) Problems {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil {
		return Problems{at(syntax.Token, "", CodeYAML, "%s", syntax.Message)}
	}
	return whole(CodeYAML, "the YAML cannot be read")
}

// whole is a problem of the document as a whole.
func whole(code, format string, args ...any) Problems {
	return Problems{{Code: code, Message: fmt.Sprintf(format, args...)}}
}

// at is a problem at a token.
func at(t *token.Token, field, code, format string, args ...any) Problem {
	message := fmt.Sprintf(format, args...)
	if t != nil && t.Position != nil {
		message = "line " + strconv.Itoa(t.Position.Line) + ": " + message
	}
	return Problem{Field: field, Code: code, Message: message}
}
