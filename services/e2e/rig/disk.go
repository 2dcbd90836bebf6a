package rig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Disk is a file system of its own, in memory and small, so that it can really be full. Only this process and those it
// tells the folder know it, and it is gone when this process ends, however that happens.
type Disk struct{ root *os.File }

// ErrNoDisk says that this user may not mount file systems.
var ErrNoDisk = errors.New("file systems cannot be mounted here")

// ballast is the file that fills the disk.
const ballast = "ballast"

// NewDisk makes a disk of some bytes. The folder is only needed for a moment. It needs the right to mount.
func NewDisk(folder string, size int64) (*Disk, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of a disk: %w", err)
	}
	err := syscall.Mount("hale", folder, "tmpfs", 0, "mode=0700,size="+strconv.FormatInt(size, 10))
	if errors.Is(err, syscall.EPERM) {
		return nil, ErrNoDisk
	}
	if err != nil {
		return nil, fmt.Errorf("mounting a disk at %s: %w", folder, err)
	}
	root, err := os.Open(folder) //nolint:gosec // the rig's own folder
	// The open file keeps the disk, and nothing else does.
	if unmountErr := syscall.Unmount(folder, syscall.MNT_DETACH); unmountErr != nil && err == nil {
		err = errors.Join(unmountErr, root.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("taking a disk out of sight: %w", err)
	}
	return &Disk{root: root}, nil
}

// Dir is the disk's folder, as every process of this user can open it.
func (d *Disk) Dir() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), d.root.Fd()) }

// Fill leaves no room: whoever writes gets ENOSPC.
func (d *Disk) Fill() error {
	f, err := os.OpenFile(filepath.Join(d.Dir(), ballast), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("filling a disk: %w", err)
	}
	for _, size := range []int{1 << 20, 1 << 12} { // the last pages too
		for block := make([]byte, size); err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return errors.Join(fmt.Errorf("filling a disk: %w", err), f.Close())
		}
		err = nil
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("filling a disk: %w", err)
	}
	return nil
}

// Free gives the room back, also where a program that is being started has inherited the ballast for a moment.
func (d *Disk) Free() error {
	file := filepath.Join(d.Dir(), ballast)
	err := os.Truncate(file, 0)
	if err == nil {
		err = os.Remove(file)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("freeing a disk: %w", err)
	}
	return nil
}

// Close removes the disk, with all that is on it, once nobody uses it any more. A nil disk is none.
func (d *Disk) Close() {
	if d != nil {
		_ = d.root.Close()
	}
}
