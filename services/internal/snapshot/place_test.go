package snapshot_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/services/internal/snapshot"
)

func TestValidate(t *testing.T) {
	t.Parallel()

	for _, good := range []string{
		"", "jetstream", "./jetstream", "/var/lib/hale/snapshots", "snapshots", "file:///var/lib/hale/snapshots",
		"s3://backups", "s3://backups/", "s3://backups/hale/prod/", "s3://backups?region=eu-central-1",
		"s3://backups/hale?endpoint=https://minio.example:9000&region=us-east-1&path_style=true",
		"s3://backups/hale?endpoint=http://127.0.0.1:9000/&path_style=false", "s3://backups?endpoint=https%3A%2F%2Fminio.example",
	} {
		require.NoError(t, snapshot.Validate(good), good)
	}

	for bad, says := range map[string]string{
		"s3://AKIA:hunter2@backups":                                   "credentials do not belong",
		"s3://hunter2@backups":                                        "credentials do not belong",
		"s3://backups?secret_key=hunter2":                             "endpoint, region and path_style",
		"s3://backups?hunter2":                                        "endpoint, region and path_style",
		"s3://backups?path_style=hunter2":                             "endpoint, region and path_style",
		"s3://backups?region=hunter2%2F..":                            "endpoint, region and path_style",
		"s3://backups?region=a&region=hunter2":                        "endpoint, region and path_style",
		"s3://backups?endpoint=minio.example:9000":                    "https://host:port",
		"s3://backups?endpoint=":                                      "https://host:port",
		"s3://backups?endpoint=ftp://minio.example":                   "https://host:port",
		"s3://backups?endpoint=https://AKIA:hunter2@minio.example":    "https://host:port",
		"s3://backups?endpoint=https://minio.example/hunter2":         "https://host:port",
		"s3://backups?endpoint=https://minio.example%3Ftoken=hunter2": "https://host:port",
		"s3://backups#hunter2":                                        "cannot be read",
		"s3://backups?a=%zz":                                          "cannot be read",
		"s3://":                                                       "no valid name of a bucket",
		"s3://Not_A_Bucket":                                           "no valid name of a bucket",
		"s3://backups/a//b":                                           "the prefix",
		"s3://backups/../b":                                           "the prefix",
		"gs://hunter2":                                                "begins with file:// or s3://",
		"https://hunter2":                                             "begins with file:// or s3://",
		"s3://backups:hunter2":                                        "it is no URL",
		"file://host/path":                                            "file:///path",
		"file://":                                                     "file:///path",
		"file:///":                                                    "file:///path",
		"file:///path?token=hunter2":                                  "file:///path",
	} {
		t.Run("it refuses "+bad, func(t *testing.T) {
			t.Parallel()

			err := snapshot.Validate(bad)
			require.ErrorIs(t, err, snapshot.ErrPlace)
			require.ErrorContains(t, err, says)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "AKIA")

			_, err = snapshot.Open(t.Context(), bad, snapshot.OpenOptions{})
			require.ErrorIs(t, err, snapshot.ErrPlace)
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()

	answer := status.Convert(snapshot.ErrDamaged)
	require.Equal(t, codes.DataLoss, answer.Code())
	require.Contains(t, answer.String(), "damaged")
	require.Len(t, answer.Details(), 1)
	require.True(t, strings.HasPrefix(snapshot.ErrNotFound.Error(), "snapshot: "))
}
