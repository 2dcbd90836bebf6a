package access_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/settings"
)

// patience bounds every wait of these tests; none is expected to take that long.
const patience = 20 * time.Second

// newSettings opens settings on a server of the test's own.
func newSettings(t *testing.T) (*settings.Settings, jetstream.JetStream) {
	t.Helper()

	js := natstest.JetStream(t)
	s, err := settings.Open(t.Context(), js, 1)
	require.NoError(t, err)

	return s, js
}

// addKey stores a new key.
func addKey(t *testing.T, s *settings.Settings, workspace string, r access.Role) string {
	t.Helper()

	key := access.NewKey(r)
	require.NoError(t, s.PutKey(t.Context(), settings.Key{
		Hash: access.Hash(key), Workspace: workspace, Role: r.String(), Created: time.Now(),
	}))

	return key
}

// authorize returns who shows a key, if its role is one of those.
func authorize(t *testing.T, keys *access.Keyring, key string, roles ...access.Role) (access.Principal, error) {
	t.Helper()

	return keys.Admit(t.Context(), key, 0, access.Any(roles...))
}

// authenticate returns who shows a key, whatever the role.
func authenticate(t *testing.T, keys *access.Keyring, key string) (access.Principal, error) {
	t.Helper()

	return authorize(t, keys, key, access.RoleIngest, access.RoleViewer, access.RoleOperator, access.RoleAdmin)
}

func TestKeyring(t *testing.T) {
	t.Parallel()

	s, js := newSettings(t)
	query := addKey(t, s, "w", access.RoleViewer)
	keys, err := access.Open(t.Context(), s)
	require.NoError(t, err)

	t.Run("knows the keys that are there", func(t *testing.T) {
		t.Parallel()

		p, err := authenticate(t, keys, query)
		require.NoError(t, err)
		require.Equal(t, "w", p.Workspace)
		require.Equal(t, access.RoleViewer, p.Role)
		require.Len(t, p.KeyID, 12)
		require.NotContains(t, query, p.KeyID)
	})

	t.Run("refuses what is not a key", func(t *testing.T) {
		t.Parallel()

		_, err := authenticate(t, keys, "")
		require.ErrorIs(t, err, access.ErrMissingKey)

		for _, key := range []string{"x", query[:len(query)-1], query + "x", strings.Repeat("x", 1<<20)} {
			_, err = authenticate(t, keys, key)
			require.ErrorIs(t, err, access.ErrUnknownKey)
		}
	})

	t.Run("refuses a role that is not allowed", func(t *testing.T) {
		t.Parallel()

		_, err := authorize(t, keys, query, access.RoleIngest, access.RoleAdmin)
		require.ErrorIs(t, err, access.ErrWrongKind)
		_, err = authorize(t, keys, "x", access.RoleIngest)
		require.ErrorIs(t, err, access.ErrUnknownKey)
		_, err = authorize(t, keys, query, access.RoleAdmin, access.RoleViewer)
		require.NoError(t, err)
	})

	t.Run("hears of keys that come and go", func(t *testing.T) {
		t.Parallel()

		key := addKey(t, s, "w", access.RoleIngest)

		require.Eventually(t, func() bool { _, err := authenticate(t, keys, key); return err == nil },
			patience, time.Millisecond)
		require.NoError(t, s.DeleteKey(t.Context(), access.Hash(key)))
		require.Eventually(t, func() bool { _, err := authenticate(t, keys, key); return err != nil },
			patience, time.Millisecond)
	})

	t.Run("passes over entries it cannot use", func(t *testing.T) {
		t.Parallel()

		kv, err := js.KeyValue(t.Context(), "hale_keys")
		require.NoError(t, err)
		_, err = kv.PutString(t.Context(), access.Hash("bad").String(), "not json")
		require.NoError(t, err)
		require.NoError(t, s.PutKey(t.Context(), settings.Key{
			Hash: access.Hash("odd"), Workspace: "w", Role: "emperor",
		}))

		later := addKey(t, s, "w", access.RoleAdmin)
		require.Eventually(t, func() bool { _, err := authenticate(t, keys, later); return err == nil },
			patience, time.Millisecond)

		for _, key := range []string{"bad", "odd"} {
			_, err = authenticate(t, keys, key)
			require.ErrorIs(t, err, access.ErrUnknownKey)
		}
	})
}

func TestOpenFailsWithItsContext(t *testing.T) {
	t.Parallel()

	s, _ := newSettings(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	_, err := access.Open(ctx, s)
	require.Error(t, err)
}

func TestNewKey(t *testing.T) {
	t.Parallel()

	for r, prefix := range map[access.Role]string{
		access.RoleIngest: "hale_ingest_", access.RoleViewer: "hale_viewer_", access.RoleAdmin: "hale_admin_",
	} {
		key := access.NewKey(r)
		require.True(t, strings.HasPrefix(key, prefix), key)
		require.Len(t, key, len(prefix)+43) // 256 bits in base64
		require.NotEqual(t, key, access.NewKey(r))
	}
}

func TestBearerOrBasic(t *testing.T) {
	t.Parallel()

	for header, want := range map[string]string{
		"":                        "",
		"Bearer abc":              "abc",
		"bearer  abc ":            "abc",
		"Basic YWJjOg==":          "abc", // abc:
		"basic YWJjOnBhc3M=":      "abc", // abc:pass
		"Basic YWJj":              "abc", // abc
		"Basic %%%":               "",
		"Digest username=\"abc\"": "",
		"abc":                     "",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Authorization", header)
		require.Equal(t, want, access.BearerOrBasic(r), header)
	}
}

// requireRefused checks code and reason of what a caller gets.
func requireRefused(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()

	st, ok := status.FromError(err)
	require.True(t, ok)
	require.Equal(t, code, st.Code())
	require.Len(t, st.Details(), 1)

	info, ok := st.Details()[0].(*errdetails.ErrorInfo)
	require.True(t, ok)
	require.Equal(t, reason, info.GetReason())
	require.Equal(t, "hale", info.GetDomain())
}

func TestInterceptors(t *testing.T) {
	t.Parallel()

	s, _ := newSettings(t)
	query, ingest := addKey(t, s, "w", access.RoleViewer), addKey(t, s, "w", access.RoleIngest)
	keys, err := access.Open(t.Context(), s)
	require.NoError(t, err)

	rule := func(method string) access.Need {
		if method == "/open" {
			return access.Need{}
		}

		return access.Any(access.RoleViewer)
	}
	unary, stream := access.UnaryInterceptor(keys, rule), access.StreamInterceptor(keys, rule)

	// Each way of calling returns the workspace that the handler saw.
	ways := map[string]func(ctx context.Context, method string) (string, error){
		"unary": func(ctx context.Context, method string) (string, error) {
			got, err := unary(ctx, nil, &grpc.UnaryServerInfo{FullMethod: method},
				func(ctx context.Context, _ any) (any, error) {
					p, _ := access.FromContext(ctx)

					return p.Workspace, nil
				})
			w, _ := got.(string)

			return w, err
		},
		"stream": func(ctx context.Context, method string) (w string, err error) {
			err = stream(nil, &contextStream{ctx: ctx}, &grpc.StreamServerInfo{FullMethod: method},
				func(_ any, ss grpc.ServerStream) error {
					p, _ := access.FromContext(ss.Context())
					w = p.Workspace

					return nil
				})

			return w, err
		},
	}

	for name, call := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			with := func(header string) context.Context {
				return metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", header))
			}

			got, err := call(with("Bearer "+query), "/closed")
			require.NoError(t, err)
			require.Equal(t, "w", got)

			got, err = call(t.Context(), "/open")
			require.NoError(t, err)
			require.Empty(t, got)

			_, err = call(t.Context(), "/closed")
			requireRefused(t, err, codes.Unauthenticated, "KEY_MISSING")
			_, err = call(with("Bearer x"), "/closed")
			requireRefused(t, err, codes.Unauthenticated, "KEY_UNKNOWN")
			_, err = call(with("Bearer "+ingest), "/closed")
			requireRefused(t, err, codes.PermissionDenied, "KEY_WRONG_KIND")
		})
	}
}

// contextStream is a stream that has a context and nothing else.
type contextStream struct {
	grpc.ServerStream

	ctx context.Context //nolint:containedctx // stands for grpc's own stream
}

func (s *contextStream) Context() context.Context { return s.ctx }

func TestRoleNames(t *testing.T) {
	t.Parallel()

	require.Equal(t, "none", access.RoleNone.String())
	require.Equal(t, "ingest", access.RoleIngest.String())
	require.Equal(t, "viewer", access.RoleViewer.String())
	require.Equal(t, "admin", access.RoleAdmin.String())

	_, ok := access.FromContext(t.Context())
	require.False(t, ok)
}

func TestBootstrap(t *testing.T) {
	t.Parallel()

	t.Run("makes the keys once and reads them later", func(t *testing.T) {
		t.Parallel()

		s, _ := newSettings(t)
		dir := filepath.Join(t.TempDir(), "data")

		c, err := access.Bootstrap(t.Context(), s, dir)
		require.NoError(t, err)
		requireWorks(t, s, c)

		info, err := os.Stat(filepath.Join(dir, access.CredentialsFile))
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode())

		again, err := access.Bootstrap(t.Context(), s, dir)
		require.NoError(t, err)
		require.Equal(t, c, again)

		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, files, 1, "no drafts stay behind")

		names, err := s.Workspaces(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{access.DefaultWorkspace}, names)
	})

	t.Run("runs without credentials where another folder was first", func(t *testing.T) {
		t.Parallel()

		s, _ := newSettings(t)
		_, err := access.Bootstrap(t.Context(), s, t.TempDir())
		require.NoError(t, err)

		dir := t.TempDir()
		c, err := access.Bootstrap(t.Context(), s, dir)
		require.NoError(t, err)
		require.Empty(t, c)

		_, err = access.ReadCredentials(dir)
		require.ErrorIs(t, err, fs.ErrNotExist)
	})

	t.Run("goes on from the file after a crash, or on a new cluster", func(t *testing.T) {
		t.Parallel()

		first, _ := newSettings(t)
		dir := t.TempDir()
		c, err := access.Bootstrap(t.Context(), first, dir)
		require.NoError(t, err)

		second, _ := newSettings(t)
		again, err := access.Bootstrap(t.Context(), second, dir)
		require.NoError(t, err)
		require.Equal(t, c, again)
		requireWorks(t, second, again)
	})

	t.Run("refuses a file that is not its own, without quoting it", func(t *testing.T) {
		t.Parallel()

		s, _ := newSettings(t)
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, access.CredentialsFile), []byte("secret: hush\n"), 0o600))

		_, err := access.Bootstrap(t.Context(), s, dir)
		require.ErrorIs(t, err, access.ErrCredentials)
		require.NotContains(t, err.Error(), "hush")
	})
}

func TestBootstrapRace(t *testing.T) {
	t.Parallel()

	for range 5 {
		s, js := newSettings(t)
		dirs := []string{t.TempDir(), t.TempDir(), t.TempDir()}

		var (
			wg   sync.WaitGroup
			errs = make([]error, 9)
			got  = make([]access.Credentials, len(errs))
		)

		for i := range got {
			wg.Go(func() { got[i], errs[i] = access.Bootstrap(t.Context(), s, dirs[i%len(dirs)]) })
		}

		wg.Wait()
		require.NoError(t, errors.Join(errs...))

		// One folder won; all of its processes have its keys, and the bucket has no others.
		var won []access.Credentials

		for _, dir := range dirs {
			if c, err := access.ReadCredentials(dir); err == nil {
				won = append(won, c)
			}
		}

		require.Len(t, won, 1)
		requireWorks(t, s, won[0])
		require.Contains(t, got, won[0])

		kv, err := js.KeyValue(t.Context(), "hale_keys")
		require.NoError(t, err)
		names, err := kv.Keys(t.Context())
		require.NoError(t, err)
		require.Len(t, names, 3)
	}
}

// requireWorks checks that the three keys open the default workspace, each in its role.
func requireWorks(t *testing.T, s *settings.Settings, c access.Credentials) {
	t.Helper()

	keys, err := access.Open(t.Context(), s)
	require.NoError(t, err)

	for role, key := range map[access.Role]string{
		access.RoleIngest: c.IngestKey, access.RoleViewer: c.QueryKey, access.RoleAdmin: c.AdminKey,
	} {
		p, err := authorize(t, keys, key, role)
		require.NoError(t, err)
		require.Equal(t, access.DefaultWorkspace, p.Workspace)
	}
}
