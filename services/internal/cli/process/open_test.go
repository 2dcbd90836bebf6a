package process

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natscluster"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/telemetry"
)

// TestStreamsFit opens the streams on disks of many sizes: what one of them takes, the others must not miss.
func TestStreamsFit(t *testing.T) {
	t.Parallel()

	tel, err := telemetry.Setup(t.Context(), telemetry.Config{})
	require.NoError(t, err)

	const mib = 1 << 20

	for _, room := range []int64{
		640 * mib, 777 * mib, 1024 * mib, 2048 * mib, 3001 * mib, 5 << 10 * mib, 9<<10*mib + 1, 13 << 10 * mib,
		25<<10*mib + 16*mib, // 16 GiB for EVENTS, 1 for REJECTS, 8 for ALERTS, and nearly nothing for NOTIFY
		73 << 10 * mib, 1 << 20 * mib,
	} {
		t.Run(fmt.Sprint(room/mib, " MiB"), func(t *testing.T) {
			t.Parallel()

			nc, _ := natstest.Start(t, natsserver.Options{MaxStore: room})
			s := &session{logger: slog.New(slog.DiscardHandler), telemetry: tel}
			require.NoError(t, s.openStreams(t.Context(), nc, &base{}))
		})
	}

	t.Run("in a cluster, by several processes at once", func(t *testing.T) {
		t.Parallel()

		url := natscluster.Start(t, natscluster.Options{MaxStore: 100 << 30}).URL()

		var group errgroup.Group

		for range 3 {
			nc, err := eventlog.Connect(t.Context(), url, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			t.Cleanup(nc.Close)

			s := &session{config: Config{Events: Events{Replicas: 3}}, logger: slog.New(slog.DiscardHandler), telemetry: tel}
			group.Go(func() error { return s.openStreams(t.Context(), nc, &base{}) })
		}

		require.NoError(t, group.Wait())
	})
}
