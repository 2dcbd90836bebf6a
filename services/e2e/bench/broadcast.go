package main

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	echoWatch   = "/bench.Echo/Watch"
	echoPublish = "/bench.Echo/Publish"
)

// broadcast wakes the streams of the bare server.
type broadcast struct {
	mu   sync.Mutex
	wake chan struct{}
}

// next is closed by the next update.
func (b *broadcast) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wake == nil {
		b.wake = make(chan struct{})
	}
	return b.wake
}

// tell wakes all.
func (b *broadcast) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wake != nil {
		close(b.wake)
	}
	b.wake = make(chan struct{})
}

// handleWatch sends an empty value, then the server's value at each update.
func handleWatch(srv any, stream grpc.ServerStream) error {
	server, ok := srv.(*echoServer)
	if !ok {
		return fmt.Errorf("echo: %T", srv)
	}
	if err := stream.RecvMsg(&wrapperspb.BytesValue{}); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	ctx := stream.Context()
	value, err := server.values.Get(ctx, readKey).Bytes()
	if err != nil {
		return fmt.Errorf("reading the value: %w", err)
	}
	wake := server.updates.next()
	if err := stream.SendMsg(&wrapperspb.BytesValue{}); err != nil {
		return fmt.Errorf("beginning: %w", err)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		}
		wake = server.updates.next()
		if err := stream.SendMsg(&wrapperspb.BytesValue{Value: value}); err != nil {
			return fmt.Errorf("sending an update: %w", err)
		}
	}
}

//nolint:revive // grpc's order
func handlePublish(srv any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	if err := decode(&wrapperspb.BytesValue{}); err != nil {
		return nil, err
	}
	server, ok := srv.(*echoServer)
	if !ok {
		return nil, fmt.Errorf("echo: %T", srv)
	}
	server.updates.tell()
	return &wrapperspb.BytesValue{}, nil
}

// publish lets the bare server send an update to all streams.
func (e *echo) publish(ctx context.Context) error {
	in, out := []byte{}, []byte{}
	if err := e.conn.Invoke(ctx, echoPublish, &in, &out, grpc.ForceCodec(rawCodec{})); err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	return nil
}
