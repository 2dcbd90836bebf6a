package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"

	"hale.dev/services/e2e/rig"
)

// programs are built once for all tests of this package.
var programs rig.Programs

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hale-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if programs, err = rig.Build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
