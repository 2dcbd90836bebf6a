package rig

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
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
		l, err := net.Listen("tcp", addr) //nolint:noctx // returns at once
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return "", fmt.Errorf("freeing port %s: %w", addr, err)
		}
		return addr, nil
	}
	return "", errors.New("looking for a free port: none found")
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
