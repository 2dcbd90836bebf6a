package rig_test

import (
	"bufio"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/e2e/rig"
)

// echo answers every line with itself until the test ends.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for lines := bufio.NewReader(conn); ; {
					line, err := lines.ReadString('\n')
					if err != nil {
						return
					}
					_, _ = conn.Write([]byte(line))
				}
			}()
		}
	}()
	return l.Addr().String()
}

func newLink(t *testing.T) *rig.Link {
	t.Helper()
	network := rig.NewNetwork()
	t.Cleanup(network.Close)
	l, err := network.Link("a", "b", echo(t))
	require.NoError(t, err)
	return l
}

// ask sends a line and waits for the answer at most so long.
func ask(conn net.Conn, within time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("hello\n")); err != nil {
		return err
	}
	_, err := bufio.NewReader(conn).ReadString('\n')
	return err
}

func connect(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

const (
	soon    = 100 * time.Millisecond
	atLast  = 10 * time.Second
	latency = 300 * time.Millisecond
)

func TestLink(t *testing.T) {
	t.Parallel()
	for _, d := range []rig.Direction{rig.Both, rig.Requests, rig.Answers} {
		t.Run("a link that is cut swallows "+d.String()+" and carries new connections when it is healed", func(t *testing.T) {
			t.Parallel()
			l := newLink(t)
			conn := connect(t, l.Addr())
			require.NoError(t, ask(conn, atLast))
			require.NoError(t, l.Cut(d))
			require.NoError(t, l.Cut(d), "cutting twice is cutting once")
			require.ErrorIs(t, ask(conn, soon), os.ErrDeadlineExceeded)
			require.ErrorIs(t, ask(connect(t, l.Addr()), soon), os.ErrDeadlineExceeded, "a new connection is cut too")
			require.NoError(t, l.Heal())
			require.Error(t, ask(conn, atLast), "what was swallowed is missing, so the old connection has ended")
			require.NoError(t, ask(connect(t, l.Addr()), atLast))
		})
	}
	t.Run("a link that is slow loses nothing", func(t *testing.T) {
		t.Parallel()
		l := newLink(t)
		conn := connect(t, l.Addr())
		require.NoError(t, l.Delay(rig.Requests, latency, 0))
		begun := time.Now()
		require.NoError(t, ask(conn, atLast))
		require.GreaterOrEqual(t, time.Since(begun), latency)
		require.NoError(t, l.Heal())
		begun = time.Now()
		require.NoError(t, ask(conn, atLast))
		require.Less(t, time.Since(begun), latency)
	})
	t.Run("a link that refuses ends connections and comes back at the same address", func(t *testing.T) {
		t.Parallel()
		l := newLink(t)
		conn := connect(t, l.Addr())
		require.NoError(t, ask(conn, atLast))
		l.Refuse()
		require.Error(t, ask(conn, atLast))
		_, err := net.Dial("tcp", l.Addr())
		require.Error(t, err)
		require.NoError(t, l.Heal())
		require.NoError(t, ask(connect(t, l.Addr()), atLast))
	})
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	network := rig.NewNetwork()
	t.Cleanup(network.Close)
	server := echo(t)
	there, err := network.Link("a", "b", server)
	require.NoError(t, err)
	again, err := network.Link("a", "b", server)
	require.NoError(t, err)
	require.Same(t, there, again)
	back, err := network.Link("b", "a", server)
	require.NoError(t, err)
	other, err := network.Link("a", "c", server)
	require.NoError(t, err)
	require.Equal(t, []*rig.Link{there, back}, network.Between("b", "a"))
	require.True(t, there.Leads(server))

	require.NoError(t, there.Cut(rig.Both))
	require.NoError(t, ask(connect(t, other.Addr()), atLast), "other pairs do not notice")
	require.NoError(t, network.Heal())
	require.NoError(t, ask(connect(t, there.Addr()), atLast))
}

func TestFront(t *testing.T) {
	t.Parallel()
	network := rig.NewNetwork()
	t.Cleanup(network.Close)
	dir := t.TempDir()
	var callers atomic.Pointer[[]*rig.Process]
	callers.Store(&[]*rig.Process{})
	front, err := rig.NewFront(network, "server", echo(t), func() []*rig.Process { return *callers.Load() })
	require.NoError(t, err)
	t.Cleanup(front.Close)
	caller := func(name string) *rig.Process {
		// Bash can open connections by itself; it asks until it is ended, and writes each answer down.
		return &rig.Process{Name: name, Path: "bash", Dir: dir, Args: []string{"-c", `
exec 3<>/dev/tcp/127.0.0.1/` + front.Addr()[len("127.0.0.1:"):] + `
while echo hello >&3 && read -r line <&3; do echo "$line"; done`}}
	}
	one, two := caller("one"), caller("two")
	both := []*rig.Process{one, two}
	callers.Store(&both)
	for _, p := range both {
		require.NoError(t, p.Start())
		t.Cleanup(p.Kill)
	}
	answered := func(p *rig.Process) int {
		b, err := os.ReadFile(p.LogFile())
		require.NoError(t, err)
		return len(b)
	}
	for _, p := range both {
		require.Eventually(t, func() bool { return answered(p) > 0 }, atLast, time.Millisecond)
	}
	links := network.Between("one", "server")
	require.Len(t, links, 1, "each caller has a link of its own")
	require.Len(t, network.Between("two", "server"), 1)
	require.Empty(t, network.Between(rig.TestItself, "server"), "the test itself needs none")

	require.NoError(t, links[0].Cut(rig.Both))
	before, others := answered(one), answered(two)
	require.Eventually(t, func() bool {
		now := answered(one)
		quiet := now == before
		before = now
		return quiet && answered(two) > others
	}, atLast, soon, "one caller is cut off, the other is not")
	require.NoError(t, ask(connect(t, front.Addr()), atLast))
}

func TestDirectNetwork(t *testing.T) {
	t.Parallel()
	network := rig.NewDirectNetwork()
	t.Cleanup(network.Close)
	addr := echo(t)
	l, err := network.Link("a", "b", addr)
	require.NoError(t, err)

	t.Run("its links lead straight to the other part", func(t *testing.T) {
		require.Equal(t, addr, l.Addr())
	})

	t.Run("they cannot be cut", func(t *testing.T) {
		require.Error(t, l.Cut(rig.Both))
	})

	t.Run("a front in it is the server itself", func(t *testing.T) {
		f, err := rig.NewFront(network, "b", addr, nil)
		require.NoError(t, err)
		t.Cleanup(f.Close)
		require.Equal(t, addr, f.Addr())
	})
}

// The fronts of a fleet take connections from the moment they are made, and ask who may call.
func TestFleetIsCalledWhileItIsLaidOut(t *testing.T) {
	t.Parallel()
	f, err := rig.NewFleet(t.TempDir(), rig.FleetOptions{Ingest: -1, Scoring: -1, Query: -1})
	require.NoError(t, err)
	t.Cleanup(f.Stop)
	for _, n := range f.Redis.Nodes {
		for _, front := range []*rig.Front{n.Client, n.Bus} {
			conn, err := net.Dial("tcp", front.Addr())
			require.NoError(t, err)
			_, err = conn.Read(make([]byte, 1))
			require.Error(t, err, "nothing runs behind it")
			require.NoError(t, conn.Close())
		}
	}
}
