package rig

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"

	"hale.dev/services/internal/quietaddr"
)

// TestItself is the name under which the test's own connections go.
const TestItself = "test"

// Front is the one address of a server that everybody knows (Redis announces it to clients and to other nodes).
// It sends each connection over the link of whoever calls, so that pairs can be cut though all dial the same address.
type Front struct {
	network  *Network
	name     string
	upstream string
	callers  func() []*Process
	listener net.Listener // nil: callers reach the server itself

	mu     sync.Mutex
	closed bool
	open   map[net.Conn]struct{}
	work   sync.WaitGroup
}

// NewFront listens for connections to a server. In a direct network it is the server's own address.
func NewFront(network *Network, name, upstream string, callers func() []*Process) (*Front, error) {
	if network.direct {
		return &Front{upstream: upstream}, nil
	}
	addr, err := quietaddr.New()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr) //nolint:noctx // returns at once
	if err != nil {
		return nil, fmt.Errorf("listening in front of %s: %w", name, err)
	}
	f := &Front{network: network, name: name, upstream: upstream, callers: callers, listener: l, open: map[net.Conn]struct{}{}}
	f.work.Go(f.accept)
	return f, nil
}

// Addr is the address that everybody dials.
func (f *Front) Addr() string {
	if f.listener == nil {
		return f.upstream
	}
	return f.listener.Addr().String()
}

// Close ends all connections.
func (f *Front) Close() {
	if f.listener == nil {
		return
	}
	_ = f.listener.Close()
	f.mu.Lock()
	f.closed = true
	for c := range f.open {
		_ = c.Close()
	}
	f.mu.Unlock()
	f.work.Wait()
}

func (f *Front) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return // closed
		}
		if !f.keep(conn) {
			return
		}
		f.work.Go(func() { f.carry(conn) })
	}
}

// carry copies both ways until both have ended.
func (f *Front) carry(conn net.Conn) {
	defer f.drop(conn)
	over, err := f.dial(conn)
	if err != nil {
		return // the caller sees a closed connection, as if the server had refused
	}
	if !f.keep(over) {
		return
	}
	defer f.drop(over)
	var back sync.WaitGroup
	back.Go(func() { pour(conn, over) })
	pour(over, conn)
	back.Wait()
}

// pour copies until the source ends, then ends that half of the target.
func pour(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		_, _ = to.Close(), from.Close() // broken: both halves
		return
	}
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}

func (f *Front) dial(conn net.Conn) (net.Conn, error) {
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return nil, fmt.Errorf("reading who calls %s: %w", f.name, err)
	}
	to, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return nil, fmt.Errorf("reading the address of %s: %w", f.name, err)
	}
	name, err := caller(from, to, f.callers())
	if err != nil {
		return nil, fmt.Errorf("finding who calls %s: %w", f.name, err)
	}
	addr := f.upstream
	if name != TestItself { // the test sees everything, always
		link, err := f.network.Link(name, f.name, f.upstream)
		if err != nil {
			return nil, err
		}
		addr = link.Addr()
	}
	over, err := net.Dial("tcp", addr) //nolint:noctx // loopback: at once
	if err != nil {
		return nil, fmt.Errorf("reaching %s: %w", f.name, err)
	}
	return over, nil
}

// keep remembers a connection; false: the front is closed, and so is the connection.
func (f *Front) keep(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		_ = c.Close()
		return false
	}
	f.open[c] = struct{}{}
	return true
}

func (f *Front) drop(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = c.Close()
	delete(f.open, c)
}
