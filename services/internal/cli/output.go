package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"golang.org/x/term"
)

// The formats of -o.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatYAML  = "yaml"
	formatJSONL = "jsonl"
)

func formats() []string { return []string{formatTable, formatJSON, formatYAML, formatJSONL} }

// printer writes what a command found in the format the user wants.
type printer struct {
	w      io.Writer
	format string
}

// count writes how many there are of something.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}

	return strconv.Itoa(n) + " " + what + "s"
}

// seconds cuts a time to what people read.
func seconds(at string) string {
	whole, fraction, found := strings.Cut(at, ".")
	if !found {
		return at
	}

	return whole + strings.TrimLeft(fraction, "0123456789")
}

// terminal tells whether a person sits at the other end.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)

	return ok && term.IsTerminal(int(f.Fd()))
}

// one writes a single thing; draw writes it for people.
func (p printer) one(v any, draw func(io.Writer) error) error {
	switch p.format {
	case formatJSON:
		return p.json(v, "  ")
	case formatJSONL:
		return p.json(v, "")
	case formatYAML:
		return p.yaml(v)
	default:
		return draw(p.w)
	}
}

// many writes a list: an array in JSON and YAML, a line each in JSONL.
func many[T any](p printer, items []T, draw func(io.Writer) error) error {
	if p.format != formatJSONL {
		if items == nil {
			items = []T{}
		}

		return p.one(items, draw)
	}

	for _, item := range items {
		if err := p.json(item, ""); err != nil {
			return err
		}
	}

	return nil
}

func (p printer) json(v any, indent string) error {
	e := json.NewEncoder(p.w)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)

	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}

	return nil
}

// yaml goes by way of JSON, so that both have the same names and order.
func (p printer) yaml(v any) error {
	var text bytes.Buffer

	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)

	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing YAML: %w", err)
	}

	out, err := yaml.JSONToYAML(text.Bytes())
	if err != nil {
		return fmt.Errorf("writing YAML: %w", err)
	}

	_, err = p.w.Write(out)

	return err //nolint:wrapcheck // a failed write to stdout says it all
}
