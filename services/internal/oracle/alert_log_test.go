package oracle_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hale.dev/services/internal/fold"
	"hale.dev/services/internal/oracle"
	"hale.dev/services/internal/scorecard"
)

// genAlertLog draws a log in which much happens about alerts, and the world that it makes.
func genAlertLog(t *rapid.T, messages, partition int) ([]oracle.Message, *oracle.World) {
	options := realOptions()
	options.Partition = partition
	return oracle.GenWorld(t, oracle.GenOptions{
		Messages: messages, Days: 120, Documents: texts()[:1], Commands: true,
		Alerts: &oracle.GenAlerts{Rules: rulings(), Options: options},
	})
}

// requireAlertsLikeTheOracle folds logs by both, over partitions that open makes, and compares.
func requireAlertsLikeTheOracle(t *testing.T, percent int, open func(require.TestingT) backend) {
	t.Helper()
	some(t, percent, func(t *rapid.T) {
		number := rapid.SampledFrom([]int{0, 0, 5}).Draw(t, "partition")
		messages, world := genAlertLog(t, rapid.SampledFrom([]int{12, 24}).Draw(t, "length"), number)
		t.Log(tale(messages))
		b := open(t)
		defer b.close()
		e := newEngineWith(t, fold.Options{Number: number, Shipped: scorecard.Shipped(), Parse: scorecard.Parse}, b)
		e.run(messages, anything())
		e.requireWorld(world)
	})
}

func TestTheEngineDecidesAlertsLikeTheOracle(t *testing.T) {
	t.Parallel()
	requireAlertsLikeTheOracle(t, 25, func(t require.TestingT) backend { return newTable(t) })
}

func TestTheEngineDecidesAlertsLikeTheOracleOverMemory(t *testing.T) {
	t.Parallel()
	requireAlertsLikeTheOracle(t, 5, inMemory(t))
}

func TestTheEngineDecidesAlertsLikeTheOracleOverRedis(t *testing.T) {
	t.Parallel()
	requireAlertsLikeTheOracle(t, 5, inRedis(t))
}
