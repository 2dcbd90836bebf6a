package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Programs are the paths of the programs that a cluster runs.
type Programs struct{ Hale, NATS, Redis string }

// Build builds hale and nats-server from this tree into dir and finds redis-server.
func Build(ctx context.Context, dir string) (Programs, error) {
	_, file, _, _ := runtime.Caller(0)
	services := filepath.Join(filepath.Dir(file), "..", "..")
	p := Programs{Hale: filepath.Join(dir, "hale"), NATS: filepath.Join(dir, "nats-server")}
	for out, pkg := range map[string]string{p.Hale: "./cmd/hale", p.NATS: "github.com/nats-io/nats-server/v2"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", out, pkg) //nolint:gosec // fixed arguments
		cmd.Dir, cmd.Stderr = services, os.Stderr
		if err := cmd.Run(); err != nil {
			return p, fmt.Errorf("building %s: %w", pkg, err)
		}
	}
	redis, err := exec.LookPath("redis-server")
	if err != nil {
		return p, fmt.Errorf("finding redis-server (`make setup` installs it): %w", err)
	}
	p.Redis = redis
	return p, nil
}
