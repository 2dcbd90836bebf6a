package e2e

import (
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/e2e/fault"
	"hale.dev/services/e2e/trial"
	"hale.dev/services/internal/store/redis"
)

// chaosSeed is the seed of the short form; CHAOS_SEED names another one.
const chaosSeed = 3

// TestChaos is the short form of `make chaos`: clusters, several processes of each service, and a fault of each of the
// most telling classes.
//
//nolint:paralleltest // it loads the machine with its own programs, and must have it alone
func TestChaos(t *testing.T) {
	seed := uint64(chaosSeed)
	if s := os.Getenv("CHAOS_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("seed %d; CHAOS_SEED=%d repeats this run", seed, seed)
	redis.SetDriverLogger(slog.New(slog.DiscardHandler)) // lost connections are what this is about
	report, err := trial.Run(t.Context(), trial.Options{
		Programs: programs, Dir: t.TempDir(), Out: t.Output(), Seed: seed, Faults: 14, Rate: 800, Accounts: 1000,
		Time: 160 * time.Second, Longest: 8 * time.Second,
		Classes: []fault.Class{
			fault.KillScoring, fault.KillIngest, fault.KillNATS, fault.KillRedisMaster, fault.PauseScoring, fault.PauseRedis,
			fault.CutHaleNATS, fault.CutHaleRedis, fault.RedisFailover, fault.RedisWiped, fault.SlotMigration, fault.ClockStep,
		},
	})
	require.NoError(t, err)
	require.NoError(t, report.Print(t.Output()))
	require.False(t, report.Failed(), "events lost or counted twice, or answers that differ: see above")
}
