package client

import (
	"errors"
	"fmt"

	"google.golang.org/grpc"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// maxAnswer bounds an answer, bytes: a thousand explained accounts fit with room.
const maxAnswer = 64 << 20

var (
	// ErrPlaintextKey is returned by Dial for a key that would travel unencrypted to another machine.
	ErrPlaintextKey = errors.New("client: a key beyond loopback needs WithTLS, or WithPlaintext")
	// ErrTransport is returned by Dial when options of the transport contradict each other.
	ErrTransport = errors.New("client: WithTLS and WithPlaintext exclude each other")
)

// Client is a connection to the query service. It is safe for concurrent use.
type Client struct {
	// Health reads scores.
	Health healthv1.HealthServiceClient
	// Admin sets a workspace up; it wants an admin's key.
	Admin adminv1.AdminServiceClient

	conn *grpc.ClientConn
}

// Dial makes a client of the query service at host:port. It connects with the first call. Without WithTLS it speaks
// plain HTTP/2, and refuses to send a key to any machine but this one.
func Dial(address string, options ...Option) (*Client, error) {
	var s settings
	for _, o := range options {
		o(&s)
	}

	dialed, err := s.dialOptions(address)
	if err != nil {
		return nil, err
	}

	conn, err := grpc.NewClient(address, dialed...)
	if err != nil {
		return nil, fmt.Errorf("client: dialing %s: %w", address, err)
	}

	return &Client{
		Health: healthv1.NewHealthServiceClient(conn), Admin: adminv1.NewAdminServiceClient(conn), conn: conn,
	}, nil
}

// Close ends the connection and all calls under way.
func (c *Client) Close() error {
	if err := c.conn.Close(); err != nil {
		return fmt.Errorf("client: closing: %w", err)
	}

	return nil
}
