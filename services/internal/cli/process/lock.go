//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// LockFile is the file, in the data folder, that the process using the folder holds locked.
const LockFile = "hale.lock"

const (
	folderMode = 0o700
	fileMode   = 0o600
)

// ErrInUse says that another process uses the data folder.
var ErrInUse = errors.New("another hale process uses this data folder: stop it, or choose another with --data")

// lock takes the data folder for this process, until unlock or the process's end. The kernel
// frees it after kill -9, so no stale lock is left behind.
func lock(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}

	name := filepath.Join(dir, LockFile)

	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, fileMode) //nolint:gosec // the operator names the folder
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the data folder: %w", err)
	}

	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		err = errors.Join(err, f.Close())
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w (%s)", ErrInUse, dir)
		}

		return nil, fmt.Errorf("locking the data folder: %w", err)
	}

	return f.Close, nil
}
