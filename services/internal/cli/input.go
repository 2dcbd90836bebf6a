package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
)

var errTooLarge = errors.New("too large")

// open opens a file, or stdin for `-`.
func (a *app) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.io.In), nil
	}

	f, err := os.Open(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, usageError("%w", err)
	}

	return f, nil
}

// read reads a file, or stdin for `-`, of at most limit bytes.
func (a *app) read(name string, limit int64) ([]byte, error) { //nolint:unparam // the limit is of what is read, and stands there
	in, err := a.open(name)
	if err != nil {
		return nil, err
	}

	defer func() { _ = in.Close() }() // nothing was written to it

	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}

	if int64(len(data)) > limit {
		return nil, refused("reading %s: %w: more than %d bytes", name, errTooLarge, limit)
	}

	return data, nil
}
