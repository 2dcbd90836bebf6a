package access

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Rule returns what a method needs, named "/package.Service/Method".
type Rule = func(fullMethod string) Need

// UnaryInterceptor lets only those call that rule allows, and puts the Principal into the context.
func UnaryInterceptor(k *Keyring, rule Rule) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		need := rule(info.FullMethod)
		if need.open() {
			return handler(ctx, req)
		}

		who, err := k.caller(ctx, sizeOf(req), need)
		if err != nil {
			return nil, err
		}

		return handler(NewContext(ctx, who.Principal), req)
	}
}

// StreamInterceptor is UnaryInterceptor for streams. Each message that comes counts as a request, and the stream ends
// with what opened it: its context then has an *Error as its cause.
func StreamInterceptor(k *Keyring, rule Rule) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		need := rule(info.FullMethod)
		if need.open() {
			return handler(srv, ss)
		}

		who, err := k.caller(ss.Context(), 0, need)
		if err != nil {
			return err
		}

		ctx, release := k.holds.add(ss.Context(), who)
		defer release()

		err = handler(srv, &admitted{ServerStream: ss, ctx: NewContext(ctx, who.Principal), who: who, now: k.now})

		// What was under way failed for that, whatever it says; one of the same code says more.
		var refusal *Error
		if err != nil && errors.As(context.Cause(ctx), &refusal) && status.Code(err) != refusal.Code {
			return refusal
		}

		return err
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
var errNobody = &Error{Code: codes.PermissionDenied, Reason: reasonKind, Message: "nobody may call this"}

// caller finds out who makes a call, by its metadata.
func (k *Keyring) caller(ctx context.Context, size int64, need Need) (*known, error) {
	var key string
	if v := metadata.ValueFromIncomingContext(ctx, "authorization"); len(v) > 0 {
		key = headerKey(v[0])
	}

	if need.Roles[0] == RoleNone {
		return nil, errNobody
	}

	return k.admit(ctx, key, size, need)
}
