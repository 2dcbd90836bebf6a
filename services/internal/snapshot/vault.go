package snapshot

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Vault keeps objects by name, each whole or not at all. Names are parts of letters, digits, '.', '_' and '-' with '/'
// between them; none begins with a dot. All methods are safe for concurrent use, and by several processes at once.
type Vault interface {
	// Put stores what r has. The object is seen, in place of a former one of that name, only when all of it is durable.
	// After an error it is not seen, unless it was the answer to the very last step that got lost.
	Put(ctx context.Context, name string, r io.Reader) error
	// Get opens an object. Reading it ends with ctx. If there is none: ErrNotFound; if parts of it are gone: ErrDamaged,
	// here or while it is read.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// List returns all objects whose names begin with prefix, sorted by name.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Delete removes an object. One that is not there is none the worse.
	Delete(ctx context.Context, name string) error
	// Sweep removes what is left of uploads that nobody finished and that nothing was added to since the given time. It
	// returns how many there were.
	Sweep(ctx context.Context, before time.Time) (int, error)
	// String names the place for logs, without secrets.
	String() string
	// Close frees what the vault holds. It must not be used afterwards.
	Close() error
}

// Object is what List says about one.
type Object struct {
	Name     string
	Size     int64
	Modified time.Time
}

// maxName is the longest name in bytes.
const maxName = 512

// checkName makes sure that a name means the same to every vault, and nothing else to any.
func checkName(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("%w: it has %d bytes", ErrName, len(name))
	}

	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || strings.IndexFunc(part, notInName) >= 0 {
			return fmt.Errorf("%w: %q", ErrName, name)
		}
	}

	return nil
}

func notInName(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'

	return !letter && ('0' > r || r > '9') && r != '.' && r != '_' && r != '-'
}

// readerFunc is a reader that is one function.
type readerFunc func(p []byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// source is r until ctx ends. Whatever goes wrong, but for the end, is never taken for the end.
func source(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("reading what to store: %w", err)
		}

		n, err := r.Read(p)
		if err != nil && err != io.EOF { //nolint:errorlint // an end that is wrapped is none
			err = fmt.Errorf("reading what to store: %w", err)
		}

		return n, err
	})
}

func sortObjects(all []Object) {
	slices.SortFunc(all, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
}
