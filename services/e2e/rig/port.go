package rig

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
)

// given are the addresses that this program has handed out. Most are used only later, or not at all times: that nothing
// listens there now does not make them free.
var given sync.Map //nolint:gochecknoglobals // the machine's ports are one thing for all fleets of a program

// QuietAddr returns a loopback address that nothing listens on and that nobody got before, below the ports that the
// kernel gives to outgoing connections: so it stays free while the program that listens there is down.
func QuietAddr() (string, error) {
	const first, count, tries = 10_000, 20_000, 1000
	for range tries {
		addr := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(count)) //nolint:gosec // any free port will do
		if _, taken := given.LoadOrStore(addr, true); taken {
			continue
		}
		if _, err := try(addr); err == nil {
			return addr, nil
		}
	}
	return "", errors.New("looking for a free port: none found")
}

// FreeAddr returns a loopback address that nothing listens on now.
func FreeAddr() (string, error) { return try("127.0.0.1:0") }

// try listens on an address for a moment and returns which it was. No program may be started meanwhile: from fork to exec
// it would hold the listener too, and so the port would be taken for a moment after it was closed here.
func try(addr string) (string, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	l, err := net.Listen("tcp", addr) //nolint:noctx // returns at once
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	if err := l.Close(); err != nil {
		return "", fmt.Errorf("freeing port %s: %w", addr, err)
	}
	return l.Addr().String(), nil
}

// quietAddrs fills each of the addresses with one of its own.
func quietAddrs(into ...*string) error {
	for _, addr := range into {
		free, err := QuietAddr()
		if err != nil {
			return err
		}
		*addr = free
	}
	return nil
}
