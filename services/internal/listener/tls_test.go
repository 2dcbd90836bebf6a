package listener_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/listener"
	"hale.dev/services/internal/listener/listenertest"
)

// serve greets whoever passes the handshake.
func serve(t *testing.T, files listener.TLS) string {
	t.Helper()

	config, err := files.Config(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", config)
	require.NoError(t, err)

	done := make(chan struct{})

	go func() {
		defer close(done)

		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}

			_, _ = conn.Write([]byte("hi"))
			_ = conn.Close()
		}
	}()

	t.Cleanup(func() {
		require.NoError(t, ln.Close())
		<-done
	})

	return ln.Addr().String()
}

// greet returns the serial of the server's certificate, once it greeted.
func greet(t *testing.T, address string, config *tls.Config) (int64, error) {
	t.Helper()

	conn, err := (&tls.Dialer{NetDialer: &net.Dialer{Timeout: time.Minute}, Config: config}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return 0, err
	}

	defer func() { _ = conn.Close() }()

	// With TLS 1.3 a client hears of its refusal when it reads.
	if _, err := io.ReadFull(conn, make([]byte, 2)); err != nil {
		return 0, err
	}

	secure, ok := conn.(*tls.Conn)
	require.True(t, ok)

	return secure.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}

func TestMutual(t *testing.T) {
	t.Parallel()

	ours, theirs := listenertest.New(t), listenertest.New(t)
	cert, key := ours.Issue(t, t.TempDir(), 1)
	address := serve(t, listener.TLS{Cert: cert, Key: key, ClientCA: ours.File})

	_, err := greet(t, address, ours.Client(t, ours))
	require.NoError(t, err)
	_, err = greet(t, address, ours.Client(t, nil))
	require.ErrorContains(t, err, "certificate required")
	_, err = greet(t, address, ours.Client(t, theirs))
	require.ErrorContains(t, err, "unknown certificate authority")
	_, err = greet(t, address, theirs.Client(t, ours))
	require.ErrorContains(t, err, "unknown authority", "a client that trusts others does not talk to us")
}

// touch moves the times of files, so that a change within the clock's step is seen.
func touch(t *testing.T, ahead time.Duration, files ...string) {
	t.Helper()

	for _, f := range files {
		at := time.Now().Add(ahead)
		require.NoError(t, os.Chtimes(f, at, at))
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()

	old, next := listenertest.New(t), listenertest.New(t)
	dir := t.TempDir()
	cert, key := old.Issue(t, dir, 1)
	ca := filepath.Join(dir, "ca.pem")
	require.NoError(t, os.Link(old.File, ca))

	address := serve(t, listener.TLS{Cert: cert, Key: key, ClientCA: ca})
	serial, err := greet(t, address, old.Client(t, old))
	require.NoError(t, err)
	require.EqualValues(t, 1, serial)

	// A pair half written: what was there stays.
	require.NoError(t, os.WriteFile(cert, []byte("half"), 0o600))
	touch(t, time.Second, cert)

	serial, err = greet(t, address, old.Client(t, old))
	require.NoError(t, err)
	require.EqualValues(t, 1, serial)

	old.Issue(t, dir, 2)
	touch(t, 2*time.Second, cert, key)

	serial, err = greet(t, address, old.Client(t, old))
	require.NoError(t, err)
	require.EqualValues(t, 2, serial)

	// Another authority for clients: those of the old one are refused.
	require.NoError(t, os.Remove(ca))
	require.NoError(t, os.Link(next.File, ca))
	touch(t, 3*time.Second, ca)

	_, err = greet(t, address, old.Client(t, old))
	require.Error(t, err)
	_, err = greet(t, address, old.Client(t, next))
	require.NoError(t, err)

	// Files that are gone end nothing either.
	require.NoError(t, os.Remove(cert))
	_, err = greet(t, address, old.Client(t, next))
	require.NoError(t, err)
}

func TestValidate(t *testing.T) {
	t.Parallel()

	cert, key := listenertest.New(t).Issue(t, t.TempDir(), 1)
	none := filepath.Join(t.TempDir(), "none")

	require.NoError(t, listener.TLS{}.Validate())
	require.NoError(t, listener.TLS{Cert: cert, Key: key, ClientCA: cert}.Validate())
	require.ErrorIs(t, listener.TLS{Cert: cert}.Validate(), listener.ErrPair)
	require.ErrorIs(t, listener.TLS{Key: key}.Validate(), listener.ErrPair)
	require.ErrorIs(t, listener.TLS{ClientCA: cert}.Validate(), listener.ErrClientCA)
	require.ErrorIs(t, listener.TLS{Cert: none, Key: key}.Validate(), os.ErrNotExist)
	require.ErrorIs(t, listener.TLS{Cert: cert, Key: key, ClientCA: none}.Validate(), os.ErrNotExist)
	require.ErrorIs(t, listener.TLS{Cert: cert, Key: key, ClientCA: key}.Validate(), listener.ErrNoAuthority)
	require.ErrorContains(t, listener.TLS{Cert: key, Key: cert}.Validate(), "reading the certificate")

	config, err := listener.TLS{}.Config(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Nil(t, config)
	_, err = listener.TLS{Cert: cert}.Config(slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, listener.ErrPair)
}
