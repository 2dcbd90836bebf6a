package natscluster

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// The port of a node that is down may be given to another server: nobody is led there.
func TestAddressOfANodeThatIsDown(t *testing.T) {
	t.Parallel()

	n := Start(t, Options{}).nodes[0]
	address := n.server.Addr().String()
	n.Stop()

	other, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	require.NoError(t, err)

	done := make(chan struct{})

	go func() {
		defer close(done)

		if conn, err := other.Accept(); err == nil {
			_, _ = io.WriteString(conn, "somebody else")
			_ = conn.Close()
		}
	}()

	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", n.clients.address())
	require.NoError(t, err)

	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Empty(t, string(got))
	require.NoError(t, conn.Close())
	require.NoError(t, other.Close())
	<-done
}
