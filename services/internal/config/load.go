package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const originDefault = "default"

// ErrUnknown says that a file or the environment names a setting that does not exist.
var ErrUnknown = errors.New("no such setting (`hale config print` lists them)")

// Errors of files.
var (
	errShape  = errors.New("must be a map of settings")
	errScalar = errors.New("must be a single value or a list of them")
	errKey    = errors.New("keys must be plain text")
)

// Error says which setting cannot be used, and where it was set.
type Error struct {
	// Origin is where the value stands: `hale.yaml:3` or `HALE_DATA`.
	Origin string
	// Key is the setting's key; empty for the whole source.
	Key string
	// Err is what is wrong.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Key == "" {
		return e.Origin + ": " + e.Err.Error()
	}

	return e.Origin + ": " + e.Key + ": " + e.Err.Error()
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// Load fills the settings from the file (none if empty), then from the environment (as
// os.Environ returns it), then from the flags that AddFlags added and pflag has parsed. It
// reports all mistakes at once, each as an *Error.
func (s *Set) Load(file string, environ []string) error {
	var found []assignment

	if file != "" {
		data, err := os.ReadFile(file) //nolint:gosec // the user names the file
		if err != nil {
			return fmt.Errorf("reading the configuration: %w", err)
		}

		if found, err = s.parse(file, data); err != nil {
			return err
		}
	}

	variables, err := s.environment(environ)

	var errs []error
	if err != nil {
		errs = append(errs, err)
	}

	for _, a := range append(found, variables...) {
		if a.setting.flag != nil && a.setting.flag.Changed {
			continue // the flag has the last word, and its value is in place
		}

		if err := a.setting.value.Set(a.value); err != nil {
			errs = append(errs, &Error{Origin: a.origin, Key: a.setting.Key, Err: err})
		}

		a.setting.origin = a.where
	}

	for _, setting := range s.settings {
		if setting.flag != nil && setting.flag.Changed {
			setting.origin = "flag --" + setting.Flag
		}
	}

	return errors.Join(errs...)
}

// assignment is one value found in a source.
type assignment struct {
	setting *Setting
	value   string
	origin  string // for errors
	where   string // for printing
}

// serviceLink matches the variables that Kubernetes sets in every container for services
// whose names begin with `hale-`. They are not ours.
var serviceLink = regexp.MustCompile(
	`_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`,
)

func (s *Set) environment(environ []string) ([]assignment, error) {
	var (
		found []assignment
		errs  []error
	)

	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, Prefix) || strings.HasPrefix(name, SecretPrefix) || value == "" || s.ignored[name] {
			continue
		}

		setting := s.byVariable(name)

		switch {
		case setting != nil:
			found = append(found, assignment{setting, value, name, "environment " + name})
		case !serviceLink.MatchString(name):
			errs = append(errs, &Error{Origin: name, Err: ErrUnknown})
		}
	}

	return found, errors.Join(errs...)
}

func (s *Set) byVariable(name string) *Setting {
	for _, setting := range s.settings {
		if setting.Variable == name {
			return setting
		}
	}

	return nil
}

func (s *Set) parse(file string, data []byte) ([]assignment, error) {
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, &Error{Origin: file, Err: err}
	}

	w := walker{set: s, file: file}

	for _, doc := range tree.Docs {
		w.walk("", doc.Body)
	}

	return w.found, errors.Join(w.errs...)
}

// walker gathers the assignments of a file.
type walker struct {
	set   *Set
	file  string
	found []assignment
	errs  []error
}

func (w *walker) walk(key string, node ast.Node) {
	switch n := node.(type) {
	case nil, *ast.CommentGroupNode, *ast.NullNode: // nothing set
	case *ast.MappingNode:
		for _, v := range n.Values {
			w.pair(key, v)
		}
	case *ast.MappingValueNode:
		w.pair(key, n)
	default:
		w.fail(node, key, errShape)
	}
}

func (w *walker) pair(parent string, node *ast.MappingValueNode) {
	name, ok := node.Key.(*ast.StringNode)
	if !ok {
		w.fail(node, parent, errKey)

		return
	}

	key := name.Value
	if parent != "" {
		key = parent + "." + key
	}

	setting := w.set.byKey(key)

	switch {
	case setting != nil:
		w.assign(setting, node)
	case w.set.holds(key):
		w.walk(key, node.Value)
	default:
		w.fail(name, key, ErrUnknown)
	}
}

func (w *walker) assign(setting *Setting, node *ast.MappingValueNode) {
	if _, null := node.Value.(*ast.NullNode); null {
		return
	}

	value, err := scalar(node.Value)
	if err != nil {
		w.fail(node.Value, setting.Key, err)

		return
	}

	at := w.at(node.Key)
	w.found = append(w.found, assignment{setting, value, at, "file " + at})
}

func (w *walker) fail(node ast.Node, key string, err error) {
	w.errs = append(w.errs, &Error{Origin: w.at(node), Key: key, Err: err})
}

func (w *walker) at(node ast.Node) string {
	return fmt.Sprintf("%s:%d", w.file, node.GetToken().Position.Line)
}

// scalar writes a value as the text that a flag would have.
func scalar(node ast.Node) (string, error) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value, nil
	case *ast.SequenceNode:
		parts := make([]string, 0, len(n.Values))

		for _, v := range n.Values {
			if _, nested := v.(*ast.SequenceNode); nested {
				return "", errScalar
			}

			part, err := scalar(v)
			if err != nil {
				return "", err
			}

			parts = append(parts, part)
		}

		return strings.Join(parts, ","), nil
	default:
		return "", errScalar
	}
}
