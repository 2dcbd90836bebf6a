// Package redistest starts redis-server processes for tests: each test its own, on a free loopback port, ended
// with the test. It needs the redis-server program and nothing else. Not for use outside tests.
package redistest

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

const (
	startWithin = 20 * time.Second
	lookEvery   = 10 * time.Millisecond
	startTries  = 5
)

// Server is a redis-server process. Its address and folder stay the same over Kill and Start.
type Server struct {
	t    testing.TB
	dir  string
	addr string
	bus  string // address at which the servers of a cluster talk to each other
	args []string

	mu   sync.Mutex
	cmd  *exec.Cmd
	log  *bytes.Buffer
	done chan struct{} // closed when the process has ended
}

// Durable are the arguments of a server that keeps an append-only file, as a real one would.
func Durable() []string { return []string{"--appendonly", "yes", "--appendfsync", "everysec"} }

// StartServer starts a server without persistence, unless args (see redis-server) say otherwise. It ends with
// the test.
func StartServer(t testing.TB, args ...string) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), args: args}
	t.Cleanup(s.Kill)
	for range startTries { // another process may take the port first
		s.addr = freeAddr(t)
		if s.launch() {
			return s
		}
	}
	require.Fail(t, "redis-server does not start", s.Output())
	return nil
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

// Addr returns host and port.
func (s *Server) Addr() string { return s.addr }

// URL returns the address as a URL.
func (s *Server) URL() string { return "redis://" + s.addr }

// Dir returns the folder that holds the server's files.
func (s *Server) Dir() string { return s.dir }

// PID returns the process id, 0 when the server does not run.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Start starts the server again after Kill and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	require.Zero(s.t, s.PID(), "the server runs already")
	if !s.launch() {
		require.Fail(s.t, "redis-server does not start", s.Output())
	}
}

// Kill ends the process with SIGKILL and waits for its end. It may be called at any time.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // fails only when it ended by itself
	<-s.done
	s.cmd = nil
}

// Wipe removes all data: of the running server, or the files of one that does not run.
func (s *Server) Wipe() {
	s.t.Helper()
	if s.PID() == 0 {
		require.NoError(s.t, os.RemoveAll(filepath.Join(s.dir, "appendonlydir")))
		require.NoError(s.t, os.RemoveAll(filepath.Join(s.dir, "dump.rdb")))
		return
	}
	c := s.Client()
	defer func() { _ = c.Close() }()
	require.NoError(s.t, c.FlushAll(context.Background()).Err())
}

// Client returns a client of the server, which the caller closes.
func (s *Server) Client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1})
}

// launch starts the process; false: it ended before it answered.
func (s *Server) launch() bool {
	host, port, err := net.SplitHostPort(s.addr)
	require.NoError(s.t, err)
	args := append([]string{
		"--bind", host, "--port", port, "--dir", s.dir, "--save", "", "--appendonly", "no",
		"--daemonize", "no", "--repl-diskless-sync-delay", strconv.Itoa(0),
	}, s.args...)
	cmd := exec.Command("redis-server", args...) // ended by Kill
	s.mu.Lock()
	s.log = &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	require.NoError(s.t, cmd.Start(), "redis-server must be installed")
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended does not matter
		close(done)
	}()
	s.cmd, s.done = cmd, done
	s.mu.Unlock()
	if s.answers(done) {
		return true
	}
	s.Kill()
	return false
}

// answers waits until the server answers; false when it ends first.
func (s *Server) answers(done <-chan struct{}) bool {
	c := s.Client()
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		// A stranger on the port would answer too: the process id must be ours.
		if info, err := c.Info(ctx, "server").Result(); err == nil &&
			strings.Contains(info, "process_id:"+strconv.Itoa(s.PID())+"\r") && c.Ping(ctx).Err() == nil {
			return true
		}
		select {
		case <-done:
			return false
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// Output returns what the process wrote; the process must have ended.
func (s *Server) Output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// Freeze stops the process with SIGSTOP, until Thaw or Kill.
func (s *Server) Freeze() {
	s.t.Helper()
	require.NoError(s.t, syscall.Kill(s.PID(), syscall.SIGSTOP))
}

// Thaw lets a frozen process go on.
func (s *Server) Thaw() {
	s.t.Helper()
	require.NoError(s.t, syscall.Kill(s.PID(), syscall.SIGCONT))
}
