package redis_test

import (
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"hale.dev/services/internal/store/redis"
)

func TestMain(m *testing.M) {
	redis.SetDriverLogger(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}
