// Package jsretry repeats calls of JetStream while a cluster has nobody who could answer: its nodes are starting, or
// electing a leader, or another process is making the same stream. What has any other answer is not repeated.
package jsretry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// Wait bounds one try.
	Wait = 5 * time.Second

	firstPause   = 50 * time.Millisecond
	longestPause = time.Second
	// noteEvery is how often somebody is told that there is no answer yet.
	noteEvery = 10 * time.Second
)

// JetStream's codes that matter here.
const (
	codeNoPeers               = jetstream.ErrorCode(10005)
	codeInsufficientResources = jetstream.ErrorCode(10023)
	codeStorageExceeded       = jetstream.ErrorCode(10047)
	codeNameInUse             = jetstream.ErrorCode(10058)
	codeStoreFailed           = jetstream.ErrorCode(10077)
	codeAccountExceeded       = jetstream.ErrorCode(10002)
	codeNotEnabled            = jetstream.ErrorCode(10076)
	codeNotEnabledForAccount  = jetstream.ErrorCode(10039)
	codeStreamOffline         = jetstream.ErrorCode(10118)
	codeStreamOfflineBecause  = jetstream.ErrorCode(10194)
	noStorageText             = "insufficient storage"
	maximumText               = "maximum "
)

// Do calls f until it succeeds, fails for good, or ctx ends; f gets a context that ends after Wait. logger (nil:
// nobody) hears when that takes long.
func Do(ctx context.Context, logger *slog.Logger, f func(ctx context.Context) error) error {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}

	noted, pause := time.Now(), firstPause

	for {
		err := try(ctx, f)
		if err == nil || !Transient(err) {
			return err
		}

		if time.Since(noted) > noteEvery {
			noted = time.Now()

			logger.WarnContext(ctx, "JetStream does not answer yet", "error", err)
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, ctx.Err())
		case <-time.After(pause):
			pause = min(2*pause, longestPause) // doubles
		}
	}
}

func try(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, Wait)
	defer cancel()

	return f(ctx)
}

// Transient tells whether the same call may succeed in a moment, though nobody does anything about it.
func Transient(err error) bool {
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch refused.ErrorCode {
		case codeNotEnabled, codeNotEnabledForAccount, codeInsufficientResources, codeStorageExceeded:
			return false
		case codeNoPeers: // a node is not there yet
			return !strings.Contains(refused.Description, noStorageText)
		case codeStreamOffline, codeStreamOfflineBecause,
			codeNameInUse: // and it is not there yet: another process is making it, or has just failed to
			return true
		default:
			return refused.Code == http.StatusServiceUnavailable
		}
	}

	for _, known := range []error{
		context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrDisconnected,
		nats.ErrConnectionReconnecting, nats.ErrReconnectBufExceeded, nats.ErrStaleConnection,
		jetstream.ErrNoStreamResponse,
	} {
		if errors.Is(err, known) {
			return true
		}
	}

	return false
}

// NoStorage tells whether no server had room for the bytes that were to be reserved.
func NoStorage(err error) bool {
	refused, ok := errors.AsType[*jetstream.APIError](err)

	return ok && (refused.ErrorCode == codeInsufficientResources || refused.ErrorCode == codeStorageExceeded ||
		(refused.ErrorCode == codeNoPeers && strings.Contains(refused.Description, noStorageText)))
}

// Full tells whether a message was refused because its stream has reached a cap, or its server has no room left.
func Full(err error) bool {
	if NoStorage(err) {
		return true
	}

	refused, ok := errors.AsType[*jetstream.APIError](err)

	return ok && (refused.ErrorCode == codeAccountExceeded ||
		(refused.ErrorCode == codeStoreFailed && strings.HasPrefix(refused.Description, maximumText)))
}
