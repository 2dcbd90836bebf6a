package access

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// Rule returns the roles that may call a method, named "/package.Service/Method". An empty list lets everyone
// call it, without a key.
type Rule = func(fullMethod string) []Role

// UnaryInterceptor lets only those call that rule allows, and puts the Principal into the context.
func UnaryInterceptor(k *Keyring, rule Rule) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		ctx, err := k.admit(ctx, sizeOf(req), rule(info.FullMethod))
		if err != nil {
			return nil, err
		}

		return handler(ctx, req)
	}
}

// StreamInterceptor is UnaryInterceptor for streams.
func StreamInterceptor(k *Keyring, rule Rule) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		ctx, err := k.admit(ss.Context(), 0, rule(info.FullMethod))
		if err != nil {
			return err
		}

		return handler(srv, &admitted{ServerStream: ss, ctx: ctx})
	}
}

// sizeOf is the size of a request, bytes.
func sizeOf(req any) int64 {
	if m, ok := req.(proto.Message); ok {
		return int64(proto.Size(m))
	}

	return 0
}

// errNobody is the refusal of a method that nobody may call.
var errNobody = &Error{Code: codes.PermissionDenied, Reason: "KEY_WRONG_KIND", Message: "nobody may call this"}

// admit checks the key in the metadata of a call.
func (k *Keyring) admit(ctx context.Context, size int64, roles []Role) (context.Context, error) {
	if len(roles) == 0 {
		return ctx, nil
	}

	var key string
	if v := metadata.ValueFromIncomingContext(ctx, "authorization"); len(v) > 0 {
		key = headerKey(v[0])
	}

	if roles[0] == RoleNone {
		return nil, errNobody
	}

	p, err := k.Admit(key, size, roles...)
	if err != nil {
		return nil, err
	}

	return NewContext(ctx, p), nil
}

// admitted is a stream whose context carries the Principal.
type admitted struct {
	grpc.ServerStream

	ctx context.Context //nolint:containedctx // this is how grpc hands a context to a stream's handler
}

// Context implements grpc.ServerStream.
func (s *admitted) Context() context.Context { return s.ctx }
