package snapshot_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

const (
	accessKey = "test-access-key"
	secretKey = "test-secret-key"
)

// TestMain gives the process, before any test runs, what a deployment gives it for S3: credentials, and the certificate
// that test servers show.
func TestMain(m *testing.M) {
	code := 1

	err := prepare(func() { code = m.Run() })
	if err == nil {
		err = goleak.Find()
	}

	if err != nil {
		fmt.Fprintln(os.Stderr, err)

		code = 1
	}

	os.Exit(code)
}

func prepare(run func()) error {
	dir, err := os.MkdirTemp("", "snapshot")
	if err != nil {
		return err
	}

	defer func() { _ = os.RemoveAll(dir) }()

	server := httptest.NewTLSServer(http.NotFoundHandler())
	server.Close()

	file := filepath.Join(dir, "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})

	if err := os.WriteFile(file, block, 0o600); err != nil {
		return err
	}

	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "SSL_CERT_FILE": file,
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}

	run()

	return nil
}
