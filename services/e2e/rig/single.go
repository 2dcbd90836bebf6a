package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"hale.dev/services/internal/quietaddr"
)

// Single is `hale run`: everything in one process on the embedded default.
type Single struct {
	Process                *Process
	Data                   string
	IngestHTTP, IngestGRPC string
	QueryGRPC, QueryHTTP   string
	Admin                  string
	Keys                   Keys
}

// NewSingle lays it out in dir; nothing runs yet.
func NewSingle(dir string, programs Programs, args ...string) (*Single, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	s := &Single{Data: filepath.Join(dir, "data")}
	if err := quietaddr.Fill(&s.IngestHTTP, &s.IngestGRPC, &s.QueryGRPC, &s.QueryHTTP, &s.Admin); err != nil {
		return nil, err
	}
	s.Process = &Process{Name: "hale", Path: programs.Hale, Dir: dir, Args: append([]string{
		"run", "--data", s.Data, "--ingest-http", s.IngestHTTP, "--ingest-grpc", s.IngestGRPC,
		"--query-grpc", s.QueryGRPC, "--query-http", s.QueryHTTP, "--admin", s.Admin,
	}, args...)}
	return s, nil
}

// Start starts the process and waits until it is ready.
func (s *Single) Start(ctx context.Context) error {
	if err := s.Process.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := Until(ctx, func() error {
		if ended, err := s.Process.Exited(); ended {
			return fmt.Errorf("hale ended: %v", err) //nolint:errorlint // for people; may be nil
		}
		return get(ctx, "http://"+s.Admin+"/readyz")
	})
	if err != nil {
		return fmt.Errorf("waiting for hale: %w\n%s", err, s.Process.Tail())
	}
	s.Keys, err = readKeys(s.Data)
	return err
}

func readKeys(data string) (Keys, error) {
	var k Keys
	b, err := os.ReadFile(filepath.Join(data, "credentials.yaml")) //nolint:gosec // the rig's own folder
	if err != nil {
		return k, fmt.Errorf("reading the keys: %w", err)
	}
	if err := yaml.Unmarshal(b, &k); err != nil {
		return k, fmt.Errorf("reading the keys: %w", err)
	}
	return k, nil
}

// bearer puts a key on every call.
type bearer string

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials; the rig is on loopback.
func (bearer) RequireTransportSecurity() bool { return false }

// Dial connects to a gRPC listener of Hale with a key.
func Dial(addr, key string) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(bearer(key)))
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", addr, err)
	}
	return conn, nil
}
