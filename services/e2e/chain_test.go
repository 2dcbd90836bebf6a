package e2e

import (
	"log/slog"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/e2e/chain"
	"hale.dev/services/internal/store/redis"
)

// TestAlertsSurviveKills is the short form of `make chaos ARGS=-alerts`: scoring, notify, query, NATS and Redis are each
// killed at each moment between an event, or a command about an alert, and the delivery of what it does.
//
//nolint:paralleltest // it loads the machine with its own programs, and must have it alone
func TestAlertsSurviveKills(t *testing.T) {
	seed := uint64(chaosSeed)
	if s := os.Getenv("CHAOS_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("seed %d; CHAOS_SEED=%d repeats this run", seed, seed)
	redis.SetDriverLogger(slog.New(slog.DiscardHandler)) // lost connections are what this is about
	report, err := chain.Run(t.Context(), chain.Options{Programs: programs, Dir: t.TempDir(), Out: t.Output(), Seed: seed})
	require.NoError(t, err)
	require.NoError(t, report.Print(t.Output()))
	require.False(t, report.Failed(), "alerts were missed or told twice: see above")
	for _, kind := range []string{
		"fired", "acknowledged", "snoozed", "woke", "assigned", "commented", "held", "released", "resolved",
	} {
		require.Positive(t, report.Kinds[kind], "nothing was shown of what is %s", kind)
	}
	require.NotEmpty(t, report.Refused, "no command was refused")
	require.Positive(t, report.Unknown, "every command was answered at once")
}
