package natscluster

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// state of a link.
type state int

const (
	open state = iota
	// cut closes what there is and what comes.
	cut
	// frozen keeps connections, but nothing moves on them: what a peer sees of a process that was stopped.
	frozen
)

// link is a stable address in front of a listener that may move.
type link struct {
	listener net.Listener

	mu      sync.Mutex
	changed *sync.Cond
	state   state
	to      string // where the listener is; empty: nowhere
	conns   map[net.Conn]struct{}
	done    sync.WaitGroup
}

// newLink opens an address that leads nowhere yet. It ends with the test.
func newLink(t testing.TB) *link {
	t.Helper()

	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", loopback+":0")
	require.NoError(t, err)

	l := &link{listener: listener, conns: map[net.Conn]struct{}{}}
	l.changed = sync.NewCond(&l.mu)
	l.done.Go(l.accept)
	t.Cleanup(func() {
		_ = listener.Close()

		l.set(cut)
		l.done.Wait()
	})

	return l
}

// address is what peers connect to.
func (l *link) address() string { return l.listener.Addr().String() }

// lead says where the listener is now; empty: nowhere, as its port may be another's soon.
func (l *link) lead(to string) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.to = to
}

// set changes the state, for all connections at once.
func (l *link) set(s state) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.state = s
	l.changed.Broadcast()

	if s == cut {
		for conn := range l.conns {
			_ = conn.Close()
		}
	}
}

func (l *link) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}

		l.done.Go(func() { l.carry(near) })
	}
}

// carry connects a peer to the listener, until one of them ends it.
func (l *link) carry(near net.Conn) {
	defer near.Close() //nolint:errcheck // it is over

	if !l.pass() {
		return
	}

	l.mu.Lock()
	to := l.to
	l.mu.Unlock()

	far, err := (&net.Dialer{}).Dial("tcp", to)
	if err != nil {
		return
	}
	defer far.Close() //nolint:errcheck // it is over

	if !l.keep(to, near, far) {
		return
	}
	defer l.drop(near, far)

	var both sync.WaitGroup

	both.Go(func() { l.pump(far, near) })
	both.Go(func() { l.pump(near, far) })
	both.Wait()
}

// pass waits while the link is frozen; false: it is cut.
func (l *link) pass() bool {
	l.mu.Lock()
	defer l.mu.Unlock()

	for l.state == frozen {
		l.changed.Wait()
	}

	return l.state == open
}

// keep remembers the connections; false: the link is cut, or leads elsewhere by now.
func (l *link) keep(to string, conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.state == cut || l.to != to {
		return false
	}

	for _, conn := range conns {
		l.conns[conn] = struct{}{}
	}

	return true
}

func (l *link) drop(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()

	for _, conn := range conns {
		delete(l.conns, conn)
	}
}

// pump moves bytes one way, and ends both ways when it ends.
func (l *link) pump(to, from net.Conn) {
	defer to.Close()   //nolint:errcheck // it is over
	defer from.Close() //nolint:errcheck // it is over

	buffer := make([]byte, 64<<10)

	for {
		n, err := from.Read(buffer)
		if n > 0 && l.pass() {
			if _, writeErr := to.Write(buffer[:n]); writeErr != nil {
				return
			}
		}

		if err != nil {
			return
		}
	}
}
