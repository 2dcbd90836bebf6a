package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"hale.dev/services/internal/store"
)

// refusal turns an error of the client into a store.Error; the end of a context stays what it is.
func refusal(err error) error {
	var reply redis.Error
	switch _, done := errors.AsType[*store.Error](err); {
	case done:
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, redis.ErrClosed):
		return &store.Error{Reason: store.ReasonClosed, Message: "the redis store is closed", Err: err}
	case !errors.As(err, &reply):
		return &store.Error{Reason: store.ReasonUnreachable, Message: "redis does not answer", Err: err}
	case redis.HasErrorPrefix(err, "OOM"):
		return &store.Error{Reason: store.ReasonFull, Message: "redis has no memory left (maxmemory)", Err: err}
	case redis.HasErrorPrefix(err, "READONLY"):
		return &store.Error{Reason: store.ReasonReadOnly, Message: "redis is a read-only replica", Err: err}
	case redis.HasErrorPrefix(err, "LOADING"):
		return &store.Error{Reason: store.ReasonLoading, Message: "redis is loading its files", Err: err}
	case hasAny(err, "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "NOREPLICAS", "MOVED", "ASK"):
		return &store.Error{Reason: store.ReasonClusterDown, Message: "a part of the redis cluster takes no calls now", Err: err}
	case redis.HasErrorPrefix(err, "HALEFORMAT"):
		return &store.Error{Reason: store.ReasonFormat, Message: "a partition was written by another version", Err: err}
	default:
		return &store.Error{Reason: store.ReasonRefused, Message: "redis refused the call", Err: err}
	}
}

// hasAny reports whether err is an answer that begins with one of these words.
func hasAny(err error, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

// outcome is refusal for commits: without an answer of the server, the outcome is unknown.
func (s *Store) outcome(err error) error {
	var reply redis.Error
	if errors.As(err, &reply) || errors.Is(err, redis.ErrClosed) || s.passes(err) {
		return refusal(err)
	}
	return fmt.Errorf("%w: %w", store.ErrUnknown, err)
}
