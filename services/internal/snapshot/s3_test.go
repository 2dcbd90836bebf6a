package snapshot_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/snapshot/vaulttest"
)

// s3Server is a server that speaks S3, with one bucket, and returns its endpoint.
func s3Server(t testing.TB) string {
	t.Helper()

	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("backups"))

	fake := gofakes3.New(backend).Server()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential="+accessKey+"/") {
			http.Error(w, "who is it?", http.StatusForbidden)

			return
		}

		fake.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the fake's own quirks
	server.StartTLS()
	t.Cleanup(server.Close)

	return server.URL
}

func s3Place(t testing.TB) vaulttest.Place {
	t.Helper()

	return placeAt("s3://backups/hale/prod?region=eu-central-1&path_style=true&endpoint="+s3Server(t), snapshot.OpenOptions{})
}

func TestS3(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, s3Place)

	t.Run("two prefixes of a bucket do not see each other", func(t *testing.T) {
		t.Parallel()

		endpoint := s3Server(t)
		query := "?path_style=true&endpoint=" + endpoint
		one := openPlace(t, "s3://backups/hale"+query, snapshot.OpenOptions{})
		two := openPlace(t, "s3://backups/hale2"+query, snapshot.OpenOptions{})
		all := openPlace(t, "s3://backups"+query, snapshot.OpenOptions{})
		require.NoError(t, one.Put(t.Context(), "a", strings.NewReader("x")))

		found, err := two.List(t.Context(), "")
		require.NoError(t, err)
		require.Empty(t, found)
		_, err = two.Get(t.Context(), "a")
		require.ErrorIs(t, err, snapshot.ErrNotFound)
		require.Equal(t, "x", string(read(t, all, "hale/a")))
	})

	t.Run("uploads that nobody finished are swept when they are old", func(t *testing.T) {
		t.Parallel()

		endpoint := s3Server(t)
		v := openPlace(t, "s3://backups/hale?path_style=true&endpoint="+endpoint, snapshot.OpenOptions{})
		transport, err := minio.DefaultTransport(true)
		require.NoError(t, err)
		t.Cleanup(transport.CloseIdleConnections)

		core, err := minio.NewCore(strings.TrimPrefix(endpoint, "https://"), &minio.Options{
			Secure: true,
			Creds:  credentials.NewStaticV4(accessKey, secretKey, ""), BucketLookup: minio.BucketLookupPath,
			Transport: transport,
		})
		require.NoError(t, err)
		_, err = core.NewMultipartUpload(t.Context(), "backups", "hale/a", minio.PutObjectOptions{})
		require.NoError(t, err)
		_, err = core.NewMultipartUpload(t.Context(), "backups", "others/a", minio.PutObjectOptions{})
		require.NoError(t, err)

		n, err := v.Sweep(t.Context(), time.Now().Add(-time.Hour))
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = v.Sweep(t.Context(), time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, 1, n, "but not those of others")
	})

	t.Run("a bucket that does not exist is no place", func(t *testing.T) {
		t.Parallel()

		_, err := snapshot.Open(t.Context(), "s3://nowhere?path_style=true&endpoint="+s3Server(t), snapshot.OpenOptions{})
		require.ErrorIs(t, err, snapshot.ErrPlace)
		require.ErrorContains(t, err, "does not exist")
	})

	t.Run("a server that is not there is an error that names it and no secret", func(t *testing.T) {
		t.Parallel()

		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()

		_, err := snapshot.Open(ctx, "s3://backups/hale?path_style=true&endpoint="+server.URL, snapshot.OpenOptions{})
		require.ErrorContains(t, err, "opening s3://backups/hale at 127.0.0.1:")
		require.NotContains(t, err.Error(), secretKey)
	})
}
