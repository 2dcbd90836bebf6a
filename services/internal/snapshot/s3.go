package snapshot

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// s3PartSize is what an upload holds in memory. 10,000 parts are the most there can be: 160 GiB.
	s3PartSize = 16 << 20
	s3Retries  = 5
)

// s3Bucket keeps objects in a bucket that speaks S3.
type s3Bucket struct {
	core      *minio.Core
	transport *http.Transport
	place     s3Place
}

var _ Vault = (*s3Bucket)(nil)

// openS3 opens a bucket that exists. Credentials come from where S3's tools look for them: the environment, the file of
// shared credentials, the machine's or the pod's role.
func openS3(ctx context.Context, p s3Place) (*s3Bucket, error) {
	transport, err := minio.DefaultTransport(p.secure)
	if err != nil {
		return nil, fmt.Errorf("making the transport to %s: %w", p.host, err)
	}

	lookup := minio.BucketLookupAuto
	if p.pathStyle {
		lookup = minio.BucketLookupPath
	}

	core, err := minio.NewCore(p.host, &minio.Options{
		Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.EnvMinio{}, &credentials.FileAWSCredentials{}, &credentials.IAM{},
		}),
		Secure: p.secure, Transport: transport, Region: p.region, BucketLookup: lookup, MaxRetries: s3Retries,
	})
	if err != nil {
		return nil, fmt.Errorf("making the client of %s: %w", p.host, err)
	}

	s := &s3Bucket{core: core, transport: transport, place: p}

	found, err := core.BucketExists(ctx, p.bucket)
	if err == nil && !found {
		err = fmt.Errorf("%w: the bucket does not exist", ErrPlace)
	}

	if err != nil {
		transport.CloseIdleConnections()

		return nil, fmt.Errorf("opening %s: %w", s, err)
	}

	return s, nil
}

// Put implements Vault: an upload in parts, which is seen when it is completed.
func (s *s3Bucket) Put(ctx context.Context, name string, r io.Reader) error {
	if err := checkName(name); err != nil {
		return err
	}

	in, size := bufio.NewReader(source(ctx, r)), int64(-1) // not known
	if _, err := in.Peek(1); err == io.EOF {               // and no wrapped one
		size = 0 // a part must not be empty
	}

	_, err := s.core.Client.PutObject(ctx, s.place.bucket, s.key(name), in, size, minio.PutObjectOptions{
		PartSize: s3PartSize, NumThreads: 1, ContentType: "application/octet-stream",
	})
	if err != nil {
		return fmt.Errorf("uploading %s: %w", name, err)
	}

	return nil
}

// Get implements Vault.
func (s *s3Bucket) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}

	body, _, _, err := s.core.GetObject(ctx, s.place.bucket, s.key(name), minio.GetObjectOptions{})
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	}

	if err != nil {
		return nil, fmt.Errorf("downloading %s: %w", name, err)
	}

	return body, nil
}

// List implements Vault.
func (s *s3Bucket) List(ctx context.Context, prefix string) ([]Object, error) {
	var found []Object

	for o := range s.core.ListObjectsIter(ctx, s.place.bucket, minio.ListObjectsOptions{
		Prefix: s.key(prefix), Recursive: true,
	}) {
		if o.Err != nil {
			return nil, fmt.Errorf("listing %s: %w", s, o.Err)
		}

		if name := strings.TrimPrefix(o.Key, s.key("")); checkName(name) == nil {
			found = append(found, Object{Name: name, Size: o.Size, Modified: o.LastModified})
		}
	}

	if err := ctx.Err(); err != nil { // the iteration may end without saying so
		return nil, fmt.Errorf("listing %s: %w", s, err)
	}

	sortObjects(found)

	return found, nil
}

// Delete implements Vault.
func (s *s3Bucket) Delete(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}

	err := s.core.RemoveObject(ctx, s.place.bucket, s.key(name), minio.RemoveObjectOptions{})
	if err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchKey {
		return fmt.Errorf("deleting %s: %w", name, err)
	}

	return nil
}

// Sweep implements Vault.
func (s *s3Bucket) Sweep(ctx context.Context, before time.Time) (int, error) {
	ctx, cancel := context.WithCancel(ctx) // ends the listing
	defer cancel()

	swept := 0

	for u := range s.core.ListIncompleteUploads(ctx, s.place.bucket, s.key(""), true) {
		err := u.Err
		if err == nil && !u.Initiated.Before(before) {
			continue
		}

		if err == nil {
			err = s.core.AbortMultipartUpload(ctx, s.place.bucket, u.Key, u.UploadID)
		}

		if err != nil {
			return swept, fmt.Errorf("sweeping %s: %w", s, err)
		}

		swept++
	}

	return swept, nil
}

// String implements Vault.
func (s *s3Bucket) String() string {
	return "s3://" + s.place.bucket + "/" + s.place.prefix + " at " + s.place.host
}

// Close implements Vault.
func (s *s3Bucket) Close() error {
	s.transport.CloseIdleConnections()

	return nil
}

func (s *s3Bucket) key(name string) string {
	if s.place.prefix == "" {
		return name
	}

	return s.place.prefix + "/" + name
}
