package redis_test

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"hale.dev/services/internal/store"
	"hale.dev/services/internal/store/redis"
	"hale.dev/services/internal/store/redis/redistest"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args   []string
		reason store.Reason // empty: fit for use
	}{
		"a server that would evict is refused": {
			args: []string{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}, reason: store.ReasonEvictingPolicy,
		},
		"a server that would evict what expires is refused": {
			args: []string{"--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"}, reason: store.ReasonEvictingPolicy,
		},
		"a bounded server that does not evict is fit":    {args: []string{"--maxmemory", "100mb"}},
		"without a bound the policy does not matter":     {args: []string{"--maxmemory-policy", "allkeys-lru"}},
		"a fit server that forbids CONFIG is found out":  {args: []string{"--maxmemory", "100mb", "--rename-command", "CONFIG", ""}},
		"a server that forbids CONFIG and INFO is doubt": {args: []string{"--rename-command", "CONFIG", ""}, reason: store.ReasonRefused},
		"an evicting server that forbids CONFIG is refused": {
			args:   []string{"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lfu", "--rename-command", "CONFIG", ""},
			reason: store.ReasonEvictingPolicy,
		},
		"a replica is refused": {args: []string{"--replicaof", "127.0.0.1 1"}, reason: store.ReasonReadOnly},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.StartServer(t, test.args...)
			o := redis.Options{URL: server.URL()}
			if strings.Contains(name, "and INFO") {
				o.URL = withoutInfo(t, server)
			}
			if test.reason == "" {
				require.NoError(t, open(t, o).Check(t.Context()))
				return
			}
			_, err := redis.Open(t.Context(), o)
			require.True(t, store.HasReason(err, test.reason), "%v", err)
		})
	}
	t.Run("a server that is not there is unreachable", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, l.Close())
		_, err = redis.Open(t.Context(), redis.Options{URL: "redis://" + l.Addr().String()})
		require.True(t, store.HasReason(err, store.ReasonUnreachable), "%v", err)
	})
}

// withoutInfo returns a URL for a user who may do everything but ask for INFO.
func withoutInfo(t *testing.T, server *redistest.Server) string {
	t.Helper()
	c := server.Client()
	defer func() { require.NoError(t, c.Close()) }()
	require.NoError(t, c.Do(t.Context(), "ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-info").Err())
	return "redis://app:secret@" + server.Addr()
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]redis.Options{
		"no URL":                   {},
		"a URL that is none":       {URL: "http://user:secret@host:1"},
		"a URL that is broken":     {URL: "redis://user:secret@host:port"},
		"a prefix with a hash tag": {URL: "redis://host", Prefix: "{x}"},
	} {
		t.Run(name+" is refused without telling the password", func(t *testing.T) {
			t.Parallel()
			_, err := redis.Open(t.Context(), o)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestTraces(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	spans := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(spans))
	s := open(t, redis.Options{URL: server.URL(), Tracer: provider})
	h, err := s.Claim(t.Context(), 0, store.Lease{})
	require.NoError(t, err)
	require.NoError(t, s.Commit(t.Context(), &store.Commit{
		Epoch: h.Epoch, Cursor: 1, Put: []store.Entry{{Key: "private-key", Value: []byte("private-value")}},
	}))
	names := map[string]bool{}
	for _, span := range spans.GetSpans() {
		names[strings.ToLower(span.Name)] = true
		for _, a := range span.Attributes {
			require.NotContains(t, a.Value.String(), "private")
		}
	}
	require.Contains(t, names, "evalsha")
}

func TestFullServer(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t, "--maxmemory", "8mb")
	s := open(t, redis.Options{URL: server.URL()})
	h, err := s.Claim(t.Context(), 0, store.Lease{})
	require.NoError(t, err)
	value := bytes.Repeat([]byte("x"), 100_000)
	for i := 0; ; i++ {
		require.Less(t, i, 200, "the server takes more than it may")
		err := s.Commit(t.Context(), &store.Commit{
			Epoch: h.Epoch, From: h.Cursor, Cursor: h.Cursor + 1, State: []byte{byte(i)},
			Put: []store.Entry{{Key: string(rune('a' + i)), Value: value}}, Append: []store.Entry{{Key: "log", Value: []byte("x")}},
		})
		if err == nil {
			h.Cursor++
			continue
		}
		require.True(t, store.HasReason(err, store.ReasonFull), "%v", err)
		got, values, err := s.Read(t.Context(), 0, "log", string(rune('a'+i)))
		require.NoError(t, err)
		require.Equal(t, h.Cursor, got.Cursor)
		require.Len(t, values[0], i)
		require.Nil(t, values[1])
		return
	}
}

func TestCommitTimeout(t *testing.T) {
	t.Parallel()
	commit := func(s *redis.Store, ctx context.Context, h store.Head) error {
		return s.Commit(ctx, &store.Commit{Epoch: h.Epoch, From: h.Cursor, Cursor: h.Cursor + 1})
	}
	t.Run("a server that does not answer in time leaves the outcome unknown", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		s := open(t, redis.Options{URL: server.URL(), Timeout: 100 * time.Millisecond})
		h, err := s.Claim(t.Context(), 0, store.Lease{})
		require.NoError(t, err)
		c := server.Client()
		defer func() { require.NoError(t, c.Close()) }()
		require.NoError(t, c.Do(t.Context(), "CLIENT", "PAUSE", 500, "WRITE").Err())
		begun := time.Now()
		require.ErrorIs(t, commit(s, t.Context(), h), store.ErrUnknown)
		require.Less(t, time.Since(begun), 450*time.Millisecond, "a commit must not be tried again")
		require.Eventually(t, func() bool { // the head tells, then the owner goes on from it
			got, _, err := s.Read(t.Context(), 0)
			return err == nil && got.Cursor <= 1 && commit(s, t.Context(), got) == nil
		}, patience, 10*time.Millisecond)
	})
	t.Run("the end of the caller's time leaves the outcome unknown", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		s := open(t, redis.Options{URL: server.URL()})
		h, err := s.Claim(t.Context(), 0, store.Lease{})
		require.NoError(t, err)
		c := server.Client()
		defer func() { require.NoError(t, c.Close()) }()
		require.NoError(t, c.Do(t.Context(), "CLIENT", "PAUSE", 300, "ALL").Err())
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err = commit(s, ctx, h)
		require.ErrorIs(t, err, store.ErrUnknown)
	})
	t.Run("a server that went away leaves the outcome unknown, and the rest unreachable", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		s := open(t, redis.Options{URL: server.URL()})
		h, err := s.Claim(t.Context(), 0, store.Lease{})
		require.NoError(t, err)
		server.Kill()
		require.ErrorIs(t, commit(s, t.Context(), h), store.ErrUnknown)
		_, _, err = s.Read(t.Context(), 0)
		require.True(t, store.HasReason(err, store.ReasonUnreachable), "%v", err)
		require.True(t, store.HasReason(s.Check(t.Context()), store.ReasonUnreachable))
		server.Start()
		require.Eventually(t, func() bool { return s.Check(t.Context()) == nil }, patience, 10*time.Millisecond)
		require.ErrorIs(t, commit(s, t.Context(), h), store.ErrFenced, "the new server has lost everything")
	})
	t.Run("a server that forgot the script gets it again", func(t *testing.T) {
		t.Parallel()
		server := redistest.StartServer(t)
		s := open(t, redis.Options{URL: server.URL()})
		h, err := s.Claim(t.Context(), 0, store.Lease{})
		require.NoError(t, err)
		c := server.Client()
		defer func() { require.NoError(t, c.Close()) }()
		require.NoError(t, commit(s, t.Context(), h))
		require.NoError(t, c.ScriptFlush(t.Context()).Err())
		h.Cursor = 1
		require.NoError(t, commit(s, t.Context(), h))
	})
}

func TestForeignHead(t *testing.T) {
	t.Parallel()
	server := redistest.StartServer(t)
	s := open(t, redis.Options{URL: server.URL()})
	_, err := s.Claim(t.Context(), 0, store.Lease{})
	require.NoError(t, err)
	c := server.Client()
	defer func() { require.NoError(t, c.Close()) }()
	keys, err := c.Keys(t.Context(), "*!head").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.NoError(t, c.SetRange(t.Context(), keys[0], 0, "\x09").Err())
	_, err = s.Claim(t.Context(), 0, store.Lease{})
	require.True(t, store.HasReason(err, store.ReasonFormat), "%v", err)
	_, _, err = s.Read(t.Context(), 0)
	require.True(t, store.HasReason(err, store.ReasonFormat), "%v", err)
}
