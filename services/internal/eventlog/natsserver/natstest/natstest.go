// Package natstest starts a NATS server for one test, inside the test's process and without a port.
package natstest

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/quietaddr"
)

// Start starts a server that ends with the test, in a folder of its own, and connects to it.
func Start(t testing.TB, o natsserver.Options) (*nats.Conn, jetstream.JetStream) {
	t.Helper()

	o.Dir = t.TempDir()

	server, err := natsserver.Start(o)
	require.NoError(t, err)
	t.Cleanup(server.Shutdown)

	return Connect(t, server)
}

// Connect makes a connection to a server that ends with the test.
func Connect(t testing.TB, server *natsserver.Server) (*nats.Conn, jetstream.JetStream) {
	t.Helper()

	conn, err := server.Conn()
	require.NoError(t, err)
	t.Cleanup(conn.Close)

	js, err := jetstream.New(conn)
	require.NoError(t, err)

	return conn, js
}

// Port is one for a server that is stopped, and started again: nobody else gets it meanwhile.
func Port(t testing.TB) int {
	t.Helper()

	port, err := quietaddr.Port()
	require.NoError(t, err)

	return port
}

// JetStream is Start for tests that need no more.
func JetStream(t testing.TB) jetstream.JetStream {
	t.Helper()

	_, js := Start(t, natsserver.Options{})

	return js
}
