package scorecard

import (
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"hale.dev/services/internal/fixed"
)

// maxProblems bounds what one answer says.
const maxProblems = 1000

// reader takes a syntax tree apart and collects what is wrong with it.
type reader struct {
	problems Problems
}

// node is a part of the document and its place in it.
type node struct {
	ast.Node

	field string
}

// child is the node of a list's element or a mapping's value.
func (n node) child(value ast.Node, name string) node {
	if n.field != "" && name[0] != '[' {
		name = "." + name
	}
	return node{value, n.field + name}
}

// reportf notes a problem at a node.
func (r *reader) reportf(n node, code, format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, at(n.GetToken(), n.field, code, format, args...))
	}
}

// keys are the keys of a mapping that were found.
type keys map[string]node

// mapping reads a mapping that may hold the keys of allowed; those of required must be there.
func (r *reader) mapping(n node, required, optional []string) (keys, bool) {
	m, ok := n.Node.(ast.MapNode)
	if !ok {
		r.reportf(n, CodeWrongType, "must be a mapping with %s", list(required, optional))
		return nil, false
	}
	found := keys{}
	for i := m.MapRange(); i.Next(); {
		r.entry(n, i, found, required, optional)
	}
	for _, name := range required {
		if _, ok := found[name]; !ok {
			r.reportf(node{n.Node, n.child(nil, name).field}, CodeMissingKey, "%s is missing", name)
		}
	}
	return found, true
}

// entry puts one key of a mapping among those found.
func (r *reader) entry(n node, i *ast.MapNodeIter, found keys, required, optional []string) {
	const longest = 64
	name := i.Key().GetToken().Value
	if len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "") + "..."
	}
	key := node{i.Key(), n.child(nil, "?").field}
	if name != "" {
		key.field = n.child(nil, name).field
	}
	switch {
	case !slices.Contains(required, name) && !slices.Contains(optional, name):
		r.reportf(key, CodeUnknownKey, "unknown key %q; known are %s", name, list(required, optional))
	case found[name].Node != nil:
		r.reportf(key, CodeDuplicateKey, "%s stands here twice", name)
	default:
		found[name] = n.child(i.Value(), name)
	}
}

// sequence reads a list of at most limit elements.
func (r *reader) sequence(n node, limit int) ([]node, bool) {
	s, ok := n.Node.(*ast.SequenceNode)
	if !ok {
		r.reportf(n, CodeWrongType, "must be a list")
		return nil, false
	}
	if len(s.Values) > limit {
		r.reportf(n, CodeTooLarge, "has %d elements; at most %d are allowed", len(s.Values), limit)
		return nil, false
	}
	elements := make([]node, len(s.Values))
	for i, v := range s.Values {
		elements[i] = n.child(v, "["+strconv.Itoa(i)+"]")
	}
	return elements, true
}

// text reads a string.
func (r *reader) text(n node) (string, bool) {
	switch v := n.Node.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	default:
		r.reportf(n, CodeWrongType, "must be text")
		return "", false
	}
}

// integer reads a whole number from least to most.
func (r *reader) integer(n node, code string, least, most int64) (int64, bool) {
	if i, ok := n.Node.(*ast.IntegerNode); ok {
		v, err := strconv.ParseInt(i.Token.Value, 10, 64)
		if err == nil && v >= least && v <= most {
			return v, true
		}
	}
	r.reportf(n, code, "must be a whole number from %d to %d", least, most)
	return 0, false
}

// decimal reads a number with at most 6 decimals, in micros.
func (r *reader) decimal(n node) (int64, bool) {
	t, ok := number(n.Node)
	if !ok {
		r.reportf(n, CodeNumber, "must be a number")
		return 0, false
	}
	if _, decimals, _ := strings.Cut(t.Value, "."); len(strings.TrimRight(decimals, "0")) > 6 {
		r.reportf(n, CodePrecision, "has more than 6 decimals")
		return 0, false
	}
	v, err := fixed.ParseDecimal(t.Value)
	if err != nil || strings.ContainsAny(t.Value, "eE") {
		r.reportf(n, CodeNumber, "must be a plain decimal number of at most 10^12")
		return 0, false
	}
	return v, true
}

// number returns the token of a number.
func number(n ast.Node) (*token.Token, bool) {
	switch v := n.(type) {
	case *ast.IntegerNode:
		return v.Token, true
	case *ast.FloatNode:
		return v.Token, true
	default:
		return nil, false
	}
}

// list writes names for a person: "a, b and c".
func list(names ...[]string) string {
	all := slices.Concat(names...)
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}
