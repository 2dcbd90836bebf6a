package document

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

// Reader takes a syntax tree apart and collects what is wrong with it.
type Reader struct {
	// Problems found so far, in order.
	Problems Problems
}

// Node is a part of the document and its place in it.
type Node struct {
	ast.Node

	field string
}

// Child is the node of a list's element or a mapping's value.
func (n Node) Child(value ast.Node, name string) Node {
	if n.field != "" && name[0] != '[' {
		name = "." + name
	}
	return Node{value, n.field + name}
}

// Key is the node of a mapping's key, under another name for the field if it is deeper: what others have read in a
// mapping is reported there. It is the mapping itself if it has no such key.
func (n Node) Key(key, field string) Node {
	at := n.Node
	if m, ok := n.Node.(ast.MapNode); ok {
		for i := m.MapRange(); i.Next(); {
			if i.Key().GetToken().Value == key {
				at = i.Key()
			}
		}
	}
	if field == "" {
		return Node{at, n.field}
	}
	return n.Child(at, field)
}

// Reportf notes a problem at a node.
func (r *Reader) Reportf(n Node, code, format string, args ...any) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, at(n.GetToken(), n.field, code, format, args...))
	}
}

// Keys are the keys of a mapping that were found.
type Keys map[string]Node

// Mapping reads a mapping that may hold the keys of allowed; those of required must be there.
func (r *Reader) Mapping(n Node, required, optional []string) (Keys, bool) {
	m, ok := n.Node.(ast.MapNode)
	if !ok {
		r.Reportf(n, CodeWrongType, "must be a mapping with %s", List(required, optional))
		return nil, false
	}
	found := Keys{}
	for i := m.MapRange(); i.Next(); {
		r.entry(n, i, found, required, optional)
	}
	for _, name := range required {
		if _, ok := found[name]; !ok {
			r.Reportf(Node{n.Node, n.Child(nil, name).field}, CodeMissingKey, "%s is missing", name)
		}
	}
	return found, true
}

// entry puts one key of a mapping among those found.
func (r *Reader) entry(n Node, i *ast.MapNodeIter, found Keys, required, optional []string) {
	name := i.Key().GetToken().Value
	key := n.Child(i.Key(), place(name))
	if len(name) > longestName {
		name = place(name)
	}
	switch {
	case !slices.Contains(required, name) && !slices.Contains(optional, name):
		r.Reportf(key, CodeUnknownKey, "unknown key %q; known are %s", name, List(required, optional))
	case found[name].Node != nil:
		r.Reportf(key, CodeDuplicateKey, "%s stands here twice", name)
	default:
		found[name] = n.Child(i.Value(), name)
	}
}

// longestName is how much of a key is told, bytes.
const longestName = 64

// place is a key as a part of a field.
func place(name string) string {
	switch {
	case name == "":
		return "?"
	case len(name) > longestName:
		return strings.ToValidUTF8(name[:longestName], "") + "..."
	default:
		return name
	}
}

// Pair is a key of a mapping with its value.
type Pair struct {
	Name  string
	Value Node
}

// Pairs reads a mapping of at most limit keys, whatever they are, in the order of the document.
func (r *Reader) Pairs(n Node, limit int) ([]Pair, bool) {
	m, ok := n.Node.(ast.MapNode)
	if !ok {
		r.Reportf(n, CodeWrongType, "must be a mapping")
		return nil, false
	}
	var pairs []Pair
	for i := m.MapRange(); i.Next(); {
		name := i.Key().GetToken().Value
		key := n.Child(i.Key(), place(name))
		if slices.ContainsFunc(pairs, func(p Pair) bool { return p.Name == name }) {
			r.Reportf(key, CodeDuplicateKey, "%.64q stands here twice", name)
			continue
		}
		if len(pairs) == limit {
			r.Reportf(n, CodeTooLarge, "has more than %d keys", limit)
			return nil, false
		}
		pairs = append(pairs, Pair{Name: name, Value: n.Child(i.Value(), place(name))})
	}
	return pairs, true
}

// Sequence reads a list of at most limit elements.
func (r *Reader) Sequence(n Node, limit int) ([]Node, bool) {
	s, ok := n.Node.(*ast.SequenceNode)
	if !ok {
		r.Reportf(n, CodeWrongType, "must be a list")
		return nil, false
	}
	if len(s.Values) > limit {
		r.Reportf(n, CodeTooLarge, "has %d elements; at most %d are allowed", len(s.Values), limit)
		return nil, false
	}
	elements := make([]Node, len(s.Values))
	for i, v := range s.Values {
		elements[i] = n.Child(v, "["+strconv.Itoa(i)+"]")
	}
	return elements, true
}

// Text reads a string.
func (r *Reader) Text(n Node) (string, bool) {
	switch v := n.Node.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	default:
		r.Reportf(n, CodeWrongType, "must be text")
		return "", false
	}
}

// Flag reads true or false.
func (r *Reader) Flag(n Node) (value, ok bool) {
	v, ok := n.Node.(*ast.BoolNode)
	if !ok {
		r.Reportf(n, CodeWrongType, "must be true or false")
		return false, false
	}
	return v.Value, true
}

// Integer reads a whole number from least to most.
func (r *Reader) Integer(n Node, code string, least, most int64) (int64, bool) {
	if i, ok := n.Node.(*ast.IntegerNode); ok {
		v, err := strconv.ParseInt(i.Token.Value, 10, 64)
		if err == nil && v >= least && v <= most {
			return v, true
		}
	}
	r.Reportf(n, code, "must be a whole number from %d to %d", least, most)
	return 0, false
}

// Decimal reads a number with at most 6 decimals, in micros.
func (r *Reader) Decimal(n Node) (int64, bool) {
	t, ok := number(n.Node)
	if !ok {
		r.Reportf(n, CodeNumber, "must be a number")
		return 0, false
	}
	if _, decimals, _ := strings.Cut(t.Value, "."); len(strings.TrimRight(decimals, "0")) > 6 {
		r.Reportf(n, CodePrecision, "has more than 6 decimals")
		return 0, false
	}
	v, err := fixed.ParseDecimal(t.Value)
	if err != nil || strings.ContainsAny(t.Value, "eE") {
		r.Reportf(n, CodeNumber, "must be a plain decimal number of at most 10^12")
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

// List writes names for a person: "a, b and c".
func List(names ...[]string) string {
	all := slices.Concat(names...)
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}
