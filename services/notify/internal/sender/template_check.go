package sender

import (
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"
)

// maxNested is how deep ranges may stand in each other.
const maxNested = 3

// refusedError is what a template may not do, though text/template could.
type refusedError string

// Error implements error.
func (e refusedError) Error() string { return string(e) }

// functions are those of Hale; beside them templates may use those of permitted.
func functions() template.FuncMap {
	return template.FuncMap{
		"upper":    strings.ToUpper,
		"lower":    strings.ToLower,
		"trim":     strings.TrimSpace,
		"truncate": truncate,
		"default":  fallback,
	}
}

// permitted tells whether a function may be called. Others make long texts of short ones.
func permitted(name string) bool {
	switch name {
	case "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index":
		return true
	default:
		return functions()[name] != nil
	}
}

// truncate shortens a text to n characters: {{ .Summary | truncate 80 }}.
func truncate(n int, text string) string {
	if n < 1 || utf8.RuneCountInString(text) <= n {
		return text
	}

	return string([]rune(text)[:n-1]) + ellipsis
}

// fallback takes the place of an empty text: {{ .Owner | default "nobody" }}.
func fallback(instead, text string) string {
	if text == "" {
		return instead
	}

	return text
}

// allowedTemplate refuses what could take long or much: templates that call each other, ranges over anything but lists
// of the data, deep ranges, and functions that are not permitted.
func allowedTemplate(t *template.Template) error {
	if len(t.Templates()) > 1 {
		return refusedError("templates may not define others")
	}

	if t.Tree == nil {
		return nil
	}

	return allowedList(t.Root, 0)
}

func allowedList(list *parse.ListNode, depth int) error {
	if list == nil {
		return nil
	}

	for _, node := range list.Nodes {
		if err := allowedNode(node, depth); err != nil {
			return err
		}
	}

	return nil
}

func allowedNode(node parse.Node, depth int) error {
	switch n := node.(type) {
	case *parse.TextNode, *parse.CommentNode, *parse.BreakNode, *parse.ContinueNode:
		return nil
	case *parse.ActionNode:
		return allowedPipe(n.Pipe)
	case *parse.IfNode:
		return allowedBranch(&n.BranchNode, depth)
	case *parse.WithNode:
		return allowedBranch(&n.BranchNode, depth)
	case *parse.RangeNode:
		if err := allowedRange(n.Pipe, depth+1); err != nil {
			return err
		}

		return allowedBranch(&n.BranchNode, depth+1)
	default:
		return refusedError("templates may not use {{template}}, {{define}} and {{block}}")
	}
}

func allowedBranch(b *parse.BranchNode, depth int) error {
	if err := allowedPipe(b.Pipe); err != nil {
		return err
	}

	if err := allowedList(b.List, depth); err != nil {
		return err
	}

	return allowedList(b.ElseList, depth)
}

// allowedRange lets only fields be gone through: numbers, which Go can count up to, are never those.
func allowedRange(p *parse.PipeNode, depth int) error {
	if depth > maxNested {
		return refusedError(fmt.Sprintf("ranges may stand in each other %d deep at most", maxNested))
	}

	if len(p.Cmds) == 1 && len(p.Cmds[0].Args) == 1 {
		switch arg := p.Cmds[0].Args[0].(type) {
		case *parse.FieldNode:
			return nil
		case *parse.VariableNode:
			if len(arg.Ident) > 1 {
				return nil
			}
		}
	}

	return refusedError("only fields such as .Alerts and .Drivers can be gone through")
}

func allowedPipe(p *parse.PipeNode) error {
	if p == nil {
		return nil
	}

	for _, command := range p.Cmds {
		for _, arg := range command.Args {
			if err := allowedArgument(arg); err != nil {
				return err
			}
		}
	}

	return nil
}

func allowedArgument(arg parse.Node) error {
	switch a := arg.(type) {
	case *parse.IdentifierNode:
		if !permitted(a.Ident) {
			return refusedError(fmt.Sprintf("the function %s may not be used", a.Ident))
		}
	case *parse.PipeNode:
		return allowedPipe(a)
	case *parse.ChainNode:
		return allowedArgument(a.Node)
	}

	return nil
}
