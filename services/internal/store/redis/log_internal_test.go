package redis

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDriverLogger(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	quiet := driverLogger{slog.New(slog.NewTextHandler(&b, nil))}
	quiet.Printf(t.Context(), "connection %d", 1)
	require.Empty(t, b.String())
	loud := driverLogger{slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	loud.Printf(t.Context(), "connection %d", 1)
	require.Contains(t, b.String(), "connection 1")
}
