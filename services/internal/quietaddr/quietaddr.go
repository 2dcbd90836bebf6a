// Package quietaddr finds loopback addresses for servers that tests and benchmarks start, and start again.
package quietaddr

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// given are the ports that this program has handed out. Most are used only later, or not at all times: that nothing
// listens there now does not make them free.
var given sync.Map //nolint:gochecknoglobals // the machine's ports are one thing for a whole program

// ErrNone is returned when no port was found.
var ErrNone = errors.New("looking for a free port: none found")

// Port returns a port of 127.0.0.1 that nothing listens on and that nobody got before, below those that the kernel gives
// to outgoing connections and to who asks for any port: so it stays free while the server that listens there is down.
func Port() (int, error) {
	const first, count, tries = 10_000, 20_000, 1000
	for range tries {
		port := first + rand.IntN(count) //nolint:gosec // any free port will do
		if _, taken := given.LoadOrStore(port, true); !taken && free(port) {
			return port, nil
		}
	}

	return 0, ErrNone
}

// New returns the address of such a port, as host:port.
func New() (string, error) {
	port, err := Port()

	return address(port), err
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Fill fills each of the addresses with one of its own.
func Fill(into ...*string) error {
	for _, addr := range into {
		var err error
		if *addr, err = New(); err != nil {
			return fmt.Errorf("filling in addresses: %w", err)
		}
	}

	return nil
}

// free listens for a moment. No program may be started meanwhile: from fork to exec it would hold the listener too, and
// so the port would be taken for a moment after it was closed here.
func free(port int) bool {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()

	l, err := net.Listen("tcp", address(port)) //nolint:noctx // returns at once

	return err == nil && l.Close() == nil
}
