package rig

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
)

// errNoCaller says that a connection's other end is gone, or belongs to no known program.
var errNoCaller = errors.New("no known program has this connection")

// caller tells which of the programs has the connection from one loopback port to another, by what the kernel knows. So
// a link can be chosen by who calls, though all callers were told the same address.
func caller(from, to netip.AddrPort, programs []*Process) (string, error) {
	inode, err := socketInode(from, to)
	if err != nil {
		return "", err
	}
	want := "socket:[" + strconv.FormatUint(uint64(inode), 10) + "]"
	for _, p := range programs {
		if pid := p.PID(); pid != 0 && has(pid, want) {
			return p.Name, nil
		}
	}
	if has(os.Getpid(), want) {
		return TestItself, nil
	}
	return "", errNoCaller
}

// has tells whether a process has a file that reads as wanted.
func has(pid int, want string) bool {
	dir, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	if err != nil {
		return false // gone
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return false // gone meanwhile
	}
	for _, name := range names {
		if target, err := os.Readlink(filepath.Join(dir.Name(), name)); err == nil && target == want {
			return true
		}
	}
	return false
}
