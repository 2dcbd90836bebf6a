package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// uploadPrefix begins the names of files that are being written; no object's name begins with a dot.
const uploadPrefix = ".upload-"

const folderMode = 0o700

// folder keeps objects as files.
type folder struct {
	root string
}

var _ Vault = (*folder)(nil)

func openFolder(root string) (*folder, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("finding the folder of snapshots: %w", err)
	}

	if err := os.MkdirAll(root, folderMode); err != nil {
		return nil, fmt.Errorf("making the folder of snapshots: %w", err)
	}

	return &folder{root: root}, nil
}

// Put implements Vault: a file beside the final one, which takes its name when its bytes are on the disk.
func (f *folder) Put(ctx context.Context, name string, r io.Reader) error {
	if err := checkName(name); err != nil {
		return err
	}

	path := f.path(name)

	if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil {
		return fmt.Errorf("making the folder of %s: %w", name, full(err))
	}

	temp, err := os.CreateTemp(filepath.Dir(path), uploadPrefix+"*") // mode 0600
	if err != nil {
		return fmt.Errorf("making a file for %s: %w", name, full(err))
	}

	_, err = io.Copy(temp, source(ctx, r))
	if err == nil {
		err = temp.Sync()
	}

	if e := temp.Close(); err == nil {
		err = e
	}

	if err == nil {
		err = os.Rename(temp.Name(), path)
	}

	if err != nil {
		return fmt.Errorf("writing %s: %w", name, errors.Join(full(err), ignoreMissing(os.Remove(temp.Name()))))
	}

	return f.syncAbove(path)
}

// full names the error of a disk without room.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}

	return err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}

	return err
}

// syncAbove makes a change of names durable, and the folders on the way.
func (f *folder) syncAbove(path string) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		d, err := os.Open(dir) //nolint:gosec // below the configured folder
		if err != nil {
			return fmt.Errorf("opening the folder to sync it: %w", err)
		}

		err = d.Sync()
		if e := d.Close(); err == nil {
			err = e
		}

		if err != nil {
			return fmt.Errorf("syncing the folder: %w", err)
		}

		if dir == f.root || len(dir) <= len(f.root) {
			return nil
		}
	}
}

// Get implements Vault.
func (f *folder) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}

	file, err := os.Open(f.path(name))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	}

	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}

	info, err := file.Stat()
	if err != nil || info.IsDir() {
		return nil, fmt.Errorf("%w: %s: %w", ErrNotFound, name, errors.Join(err, file.Close()))
	}

	read := readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("reading %s: %w", name, err)
		}

		n, err := file.Read(p)
		if errors.Is(err, syscall.EIO) { // the disk lost a part of it
			err = fmt.Errorf("%w: reading %s: %w", ErrDamaged, name, err)
		}

		return n, err
	})

	return struct {
		io.Reader
		io.Closer
	}{read, file}, nil
}

// List implements Vault.
func (f *folder) List(ctx context.Context, prefix string) ([]Object, error) {
	var found []Object

	err := f.walk(ctx, prefix, func(name string, info fs.FileInfo) error {
		if strings.HasPrefix(name, prefix) && checkName(name) == nil {
			found = append(found, Object{Name: name, Size: info.Size(), Modified: info.ModTime()})
		}

		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", f, err)
	}

	sortObjects(found)

	return found, nil
}

// walk visits the files of the folder in which a prefix ends. What vanishes meanwhile is passed over.
func (f *folder) walk(ctx context.Context, prefix string, visit func(name string, info fs.FileInfo) error) error {
	root := f.root
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		if err := checkName(prefix[:i]); err != nil {
			return nil //nolint:nilerr // no object has such a name
		}

		root = f.path(prefix[:i])
	}

	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error { //nolint:wrapcheck // wrapped above
		if err = errors.Join(ctx.Err(), ignoreMissing(err)); err != nil || d == nil || !d.Type().IsRegular() {
			return err
		}

		info, err := d.Info()
		if err != nil {
			return ignoreMissing(err)
		}

		name, err := filepath.Rel(f.root, path)
		if err != nil {
			return err //nolint:wrapcheck // wrapped above
		}

		return visit(filepath.ToSlash(name), info)
	})
}

// Delete implements Vault.
func (f *folder) Delete(_ context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}

	path := f.path(name)

	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}

	if err != nil {
		return fmt.Errorf("deleting %s: %w", name, err)
	}

	return f.syncAbove(path)
}

// Sweep implements Vault.
func (f *folder) Sweep(ctx context.Context, before time.Time) (int, error) {
	swept := 0

	err := f.walk(ctx, "", func(name string, info fs.FileInfo) error {
		if !strings.HasPrefix(info.Name(), uploadPrefix) || !info.ModTime().Before(before) {
			return nil
		}

		if err := ignoreMissing(os.Remove(f.path(name))); err != nil {
			return err
		}

		swept++

		return nil
	})
	if err != nil {
		return swept, fmt.Errorf("sweeping %s: %w", f, err)
	}

	return swept, nil
}

// String implements Vault.
func (f *folder) String() string { return "folder " + f.root }

// Close implements Vault.
func (f *folder) Close() error { return nil }

func (f *folder) path(name string) string { return filepath.Join(f.root, filepath.FromSlash(name)) }
