package query

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/alertlog"
	"hale.dev/services/query/internal/board"
)

// Alerts is the stream of what happens to alerts. alertlog.Log implements it.
type Alerts interface {
	// Latest calls f for the newest record of each alert and returns the place behind which to follow.
	Latest(ctx context.Context, f func(alertlog.Entry) error) (alertlog.Place, error)
	// Follow calls f for every record behind a place, and then for each that comes. Its error is alertlog.ErrGone if the
	// stream does not go back so far, or is another one.
	Follow(ctx context.Context, after alertlog.Place, f func(alertlog.Entry) error) error
	// Check returns nil if a place is one of the stream as it is; alertlog.ErrGone: of another, or of what it has lost.
	Check(ctx context.Context, p alertlog.Place) error
	// Trail calls f for what happened to an alert, oldest first, until f fails; then that is its error.
	Trail(ctx context.Context, partition int, alertID string, f func(*logv1.AlertRecord) error) error
	// Last is the place behind the newest record.
	Last(ctx context.Context) (alertlog.Place, error)
}

// errAlerts says why alerts cannot be told of yet.
var errAlerts = errors.New("query: the alerts are being read")

// alertFeed keeps the board as the stream is.
type alertFeed struct {
	from   Alerts
	logger *slog.Logger
	board  *board.Board
	filled atomic.Bool
}

func newAlertFeed(from Alerts, transitions int, l *slog.Logger) *alertFeed {
	return &alertFeed{from: from, logger: l, board: board.New(transitions)}
}

// ready returns nil when the board holds what the stream does.
func (f *alertFeed) ready() error {
	if f.filled.Load() {
		return nil
	}

	return errAlerts
}

// run follows the stream until ctx ends.
func (f *alertFeed) run(ctx context.Context) error {
	for pause := retryLeast; ; pause = min(2*pause, retryMost) {
		err := f.once(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}

		if errors.Is(err, alertlog.ErrGone) {
			f.filled.Store(false)
		}

		f.logger.WarnContext(ctx, "reading alerts again soon", "error", err)

		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// once fills the board where it is not, and follows the stream from there.
func (f *alertFeed) once(ctx context.Context) error {
	if !f.filled.Load() {
		f.board.Reset()

		last, err := f.from.Latest(ctx, func(e alertlog.Entry) error {
			f.board.Fill(onBoard(e))

			return nil
		})
		if err != nil {
			return err
		}

		f.board.Begin(last)
		f.filled.Store(true)
	}

	return f.from.Follow(ctx, f.board.Last(), func(e alertlog.Entry) error {
		f.board.Put(onBoard(e))

		return nil
	})
}

// onBoard is a record of the stream as the board takes it.
func onBoard(e alertlog.Entry) board.Entry {
	return board.Entry{Sequence: e.Sequence, Time: e.Time.UnixNano(), Record: e.Record}
}
