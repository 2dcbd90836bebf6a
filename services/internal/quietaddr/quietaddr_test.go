package quietaddr_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/quietaddr"
)

func TestNew(t *testing.T) {
	t.Parallel()
	addr, err := quietaddr.New()
	require.NoError(t, err)
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	require.NoError(t, err)
	var first, last int
	_, err = fmt.Sscan(string(b), &first, &last)
	require.NoError(t, err)
	require.Less(t, l.Addr().(*net.TCPAddr).Port, first, "the kernel gives the port to nobody else")
}

func TestNewTwice(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 2000 { // of 20,000: by chance alone two would surely be the same
		addr, err := quietaddr.New()
		require.NoError(t, err)
		require.False(t, seen[addr], "%s was given before", addr)
		seen[addr] = true
	}
}

// A program that is being started holds, for a moment, whatever its parent has open. An address must be free at once
// all the same.
func TestNewWhileProgramsStart(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	var starting sync.WaitGroup
	t.Cleanup(func() { stop(); starting.Wait() })
	for range 4 {
		starting.Go(func() {
			for ctx.Err() == nil {
				_ = exec.Command("true").Run()
			}
		})
	}
	for range 1000 {
		addr, err := quietaddr.New()
		require.NoError(t, err)
		l, err := net.Listen("tcp", addr)
		require.NoError(t, err)
		require.NoError(t, l.Close())
	}
}
