package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	// echoCommand makes this program the bare server.
	echoCommand = "echo-server"
	echoMethod  = "/bench.Echo/Get"
)

// echoServer answers every call with the bytes of one value in redis-server, and sends them to streams.
type echoServer struct {
	values  *redis.Client
	updates broadcast
}

// runEcho serves on the first argument and reads from the redis-server at the second.
func runEcho(args []string) error {
	if len(args) != 2 { // two addresses
		return errors.New("echo-server needs two addresses")
	}
	listener, err := net.Listen("tcp", args[0]) //nolint:noctx // returns at once
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Echo",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "Get", Handler: handleEcho}, {MethodName: "Publish", Handler: handlePublish},
		},
		Streams: []grpc.StreamDesc{{StreamName: "Watch", Handler: handleWatch, ServerStreams: true}},
	}, &echoServer{values: redis.NewClient(&redis.Options{Addr: args[1]})})
	return fmt.Errorf("serving: %w", server.Serve(listener))
}

//nolint:revive // grpc's order
func handleEcho(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	in := &wrapperspb.BytesValue{}
	if err := decode(in); err != nil {
		return nil, err
	}
	server, ok := srv.(*echoServer)
	if !ok {
		return nil, fmt.Errorf("echo: %T", srv)
	}
	value, err := server.values.Get(ctx, readKey).Bytes()
	if err != nil {
		return nil, fmt.Errorf("reading the value: %w", err)
	}
	return &wrapperspb.BytesValue{Value: value}, nil
}
