package scoring

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/member"
	"hale.dev/services/internal/reject"
	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/store"
	"hale.dev/services/internal/task"
)

// Deps is what the service works with. All are needed but those that say otherwise.
type Deps struct {
	Log     Log
	Store   store.Store
	Rejects Rejects
	// Pressure is where the service says that message ids fill its memory.
	Pressure Board
	// Writer writes ticks into the log. The caller closes it, after Run.
	Writer Writer
	// Group are the processes that share the partitions; nil: nobody else scores this log, and leases are not asked for.
	Group Group
	// Marks remember outside the store how far it was; nil: nothing is remembered.
	Marks Marks
	// Alerts is told what is decided about alerts; nil: nobody is.
	Alerts Alerts
	// Archive keeps snapshots; nil: none are made, and the log is never trimmed.
	Archive *snapshot.Archive
	// Tasks are what operators ask for; nil: nobody asks.
	Tasks  *task.Board
	Logger *slog.Logger
	Tracer trace.TracerProvider
	Meter  metric.MeterProvider
}

// Log is what the service needs of eventlog.Log.
type Log interface {
	Layout() eventlog.Layout
	Info(ctx context.Context, stream int) (eventlog.StreamInfo, error)
	MessageAt(ctx context.Context, stream int, seq uint64) (eventlog.Message, error)
	Read(ctx context.Context, stream int, from uint64, f func(*eventlog.Message) error) error
	Trim(ctx context.Context, stream int, upTo uint64) (removed uint64, err error)
	SequenceBefore(ctx context.Context, stream int, t time.Time) (uint64, error)
	Spread(ctx context.Context) (moved int, err error)
}

// Writer is what the service needs of eventlog.Writer.
type Writer interface {
	Write(ctx context.Context, items []eventlog.Item) (eventlog.Token, error)
}

// Rejects is what the service needs of reject.Stream.
type Rejects interface {
	Put(ctx context.Context, rejects ...reject.Reject) error
}

// Board is what the service needs of pressure.Board.
type Board interface {
	Raise(ctx context.Context, name, why string) error
	Clear(ctx context.Context, name string) error
	Raised(ctx context.Context, name string) (bool, error)
}

// Alerts is what the service needs of alertlog.Log.
type Alerts interface {
	Append(ctx context.Context, partition int, after uint64, records []*logv1.AlertRecord) (last uint64, err error)
}

// Group is what the service needs of member.Group.
type Group interface {
	// Name of this process.
	Name() string
	Run(ctx context.Context) error
	// Changed gets a token when it is time to look again who should own what.
	Changed() <-chan struct{}
	Assigned(streams int) (owners []string, known bool)
	Live() []member.Beat
	// Connected says whether the others can hear this process.
	Connected() bool
	// Leave says that this process takes no more streams, Tell that something changed.
	Leave()
	Tell()
}

// Marks is what the service needs of watermark.Book.
type Marks interface {
	// Get returns what was noted of a stream; empty: nothing.
	Get(ctx context.Context, stream int) ([]byte, error)
	Put(ctx context.Context, stream int, mark []byte) error
}
