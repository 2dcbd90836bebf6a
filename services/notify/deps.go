package notify

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"

	"hale.dev/services/internal/alertlog"
	"hale.dev/services/internal/delivery"
	"hale.dev/services/internal/settings"
	"hale.dev/services/notify/internal/sender"
	"hale.dev/services/notify/receiver"
)

// Alerts is the stream that is followed.
type Alerts interface {
	Check(ctx context.Context, place alertlog.Place) error
	Follow(ctx context.Context, after alertlog.Place, f func(alertlog.Entry) error) error
	Latest(ctx context.Context, f func(alertlog.Entry) error) (alertlog.Place, error)
}

// Portfolio is where accounts are read for digests.
type Portfolio interface {
	// Accounts calls f for every account of a workspace, with its score at the end of the last day that was over at a time.
	Accounts(ctx context.Context, workspace string, before time.Time, f func(Holding)) error
}

// Journal is the stream of what became of notifications.
type Journal interface {
	Load(ctx context.Context, f func(delivery.Entry) error) error
	// Put writes records. With delivery.ErrFull it returns the sequences of those that are written, 0 for the others.
	Put(ctx context.Context, writes ...delivery.Write) ([]uint64, error)
	FollowWishes(ctx context.Context, f func(delivery.Wish) error) error
	Grant(ctx context.Context, w delivery.Wish) error
	Sweep(ctx context.Context, before time.Time, keep func(delivery.Record) bool) (int, error)
}

// Settings are where receivers and silences are set.
type Settings interface {
	WatchReceivers(ctx context.Context, f func(settings.ReceiversChange) error) error
	WatchSilences(ctx context.Context, f func(settings.SilenceChange) error) error
}

// Leader lets one of several processes lead.
type Leader interface {
	Lead(ctx context.Context, f func(ctx context.Context) error) error
}

// Clock tells the time.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f once after d, unless stop is called before.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Deps are what the service needs from outside. Alerts, Journal, Settings and Leader are needed.
type Deps struct {
	Alerts   Alerts
	Journal  Journal
	Settings Settings
	Leader   Leader
	// Portfolio is read for digests; nil: there are none, and whoever wants one finds a warning in the log.
	Portfolio Portfolio
	// Senders makes what sends to a receiver; nil: that of package sender.
	Senders func(*receiver.Receiver) (sender.Sender, error)
	// Clock is the clock; nil: that of the machine.
	Clock Clock
	// Random gives numbers from 0 to 1; nil: random ones.
	Random func() float64
	Logger *slog.Logger
	Meter  metric.MeterProvider
}

var errDeps = errors.New("notify: alerts, journal, settings, leader, logger and meter are needed")

func (d Deps) validate() error {
	if d.Alerts == nil || d.Journal == nil || d.Settings == nil || d.Leader == nil || d.Logger == nil || d.Meter == nil {
		return errDeps
	}

	return nil
}

// wall is the clock of the machine.
type wall struct{}

func (wall) Now() time.Time { return time.Now().UTC() }

func (wall) AfterFunc(d time.Duration, f func()) (stop func() bool) { return time.AfterFunc(d, f).Stop }
