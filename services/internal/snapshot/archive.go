package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"go.opentelemetry.io/otel/metric"
)

const (
	// defaultMaxBytes bounds a snapshot in the work folder.
	defaultMaxBytes = 64 << 30
	// sweepAfter is how long nothing was added to an upload that nobody will finish.
	sweepAfter = 24 * time.Hour
)

// ArchiveOptions configure an Archive. Only Layout is needed.
type ArchiveOptions struct {
	// Layout is the id of the log whose partitions these are.
	Layout string
	// Dir is the work folder, where a snapshot grows until its cursor is known. Empty: the system's.
	Dir string
	// MaxBytes bounds a snapshot, and what the work folder holds for it. 0: 64 GiB.
	MaxBytes int64
	// Now is the clock. Nil: the system's.
	Now func() time.Time
	// Logger hears of damaged snapshots, once of each. Nil: nobody.
	Logger *slog.Logger
	// Meter provides the instruments. Nil: none.
	Meter metric.Meter
}

// Archive keeps the snapshots of one log's partitions in a vault. Several processes may use one vault at once. It is
// safe for concurrent use.
type Archive struct {
	vault    Vault
	o        ArchiveOptions
	metrics  *archiveMetrics
	verdicts *verdicts
}

// NewArchive makes an archive in a vault, which stays its owner's to close.
func NewArchive(v Vault, o ArchiveOptions) (*Archive, error) {
	if err := checkLayout(o.Layout); err != nil {
		return nil, err
	}

	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}

	if o.Now == nil {
		o.Now = time.Now
	}

	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}

	m, err := newArchiveMetrics(o.Meter)
	if err != nil {
		return nil, err
	}

	return &Archive{vault: v, o: o, metrics: m, verdicts: newVerdicts(maxVerdicts)}, nil
}

// List returns the snapshots of a partition, of all if it is negative, newest first. They may be damaged.
func (a *Archive) List(ctx context.Context, partition int) ([]Info, error) {
	objects, err := a.vault.List(ctx, partitionPrefix(a.o.Layout, partition))
	if err != nil {
		return nil, fmt.Errorf("listing snapshots: %w", err)
	}

	all := make([]Info, 0, len(objects))

	for _, o := range objects {
		if info, ok := parseName(a.o.Layout, o.Name); ok {
			info.Size = o.Size
			all = append(all, info)
		}
	}

	slices.SortStableFunc(all, func(x, y Info) int {
		return cmp.Or(y.Created.Compare(x.Created), cmp.Compare(y.Cursor, x.Cursor), cmp.Compare(x.Partition, y.Partition))
	})

	return all, nil
}

// Newest returns the newest good snapshot of a partition that ok accepts (nil: any), and its meta without the state.
// Damaged ones are passed over. If there is none: ErrNotFound.
func (a *Archive) Newest(ctx context.Context, partition int, ok func(Meta) bool) (Info, *Meta, error) {
	all, err := a.List(ctx, partition)
	if err != nil {
		return Info{}, nil, err
	}

	return a.first(ctx, all, ok)
}

// OldestGood returns the good snapshot of a partition with the lowest cursor of those that ok accepts (nil: any), and
// its meta without the state: the log may be trimmed up to its cursor, and no further. If there is none: ErrNotFound.
//
// The cursor means something only in the stream that the meta names, so ok has to compare it with the log's.
func (a *Archive) OldestGood(ctx context.Context, partition int, ok func(Meta) bool) (Info, *Meta, error) {
	all, err := a.List(ctx, partition)
	if err != nil {
		return Info{}, nil, err
	}

	slices.SortStableFunc(all, func(x, y Info) int { return cmp.Compare(x.Cursor, y.Cursor) })

	return a.first(ctx, all, ok)
}

// first is the first good one that ok accepts.
func (a *Archive) first(ctx context.Context, all []Info, ok func(Meta) bool) (Info, *Meta, error) {
	for _, info := range all {
		m, err := a.verify(ctx, info)

		switch {
		case err == nil && (ok == nil || ok(*m)):
			return info, m, nil
		case err == nil, useless(err):
		default:
			return Info{}, nil, err
		}
	}

	return Info{}, nil, ErrNotFound
}

// Stored is an open snapshot.
type Stored struct {
	*Reader

	archive *Archive
	info    Info
	body    io.Closer
}

// Open opens a snapshot. It must be closed. Its entries may be used only once Each has returned without an error; a
// snapshot that turns out damaged then is passed over from then on.
func (a *Archive) Open(ctx context.Context, info Info) (*Stored, error) {
	body, err := a.vault.Get(ctx, info.Name)
	if err != nil {
		return nil, fmt.Errorf("opening snapshot %s: %w", info.Name, err)
	}

	r, err := NewReader(body)
	if err == nil {
		if h := r.Header(); h.Layout != a.o.Layout || h.Partition != info.Partition || h.Begun != info.Created.UnixMicro() {
			r.Close()

			err = fmt.Errorf("%w: it is another one than its name says", ErrDamaged)
		}
	}

	if err != nil {
		return nil, fmt.Errorf("opening snapshot %s: %w", info.Name, errors.Join(err, body.Close()))
	}

	return &Stored{Reader: r, archive: a, info: info, body: body}, nil
}

// Each is Reader.Each; the meta must be the one that the snapshot's name tells of.
func (s *Stored) Each(ctx context.Context, f func(Entry) error) (Meta, error) {
	m, err := s.Reader.Each(ctx, f)
	if err == nil && m.Cursor != s.info.Cursor {
		err = fmt.Errorf("%w: its cursor is %d", ErrDamaged, m.Cursor)
	}

	if err != nil {
		err = fmt.Errorf("reading snapshot %s: %w", s.info.Name, err)
	}

	if useless(err) {
		s.archive.condemn(ctx, s.info, err)
	}

	return m, err
}

// Close frees what reading needs.
func (s *Stored) Close() error {
	s.Reader.Close()

	if err := s.body.Close(); err != nil {
		return fmt.Errorf("closing snapshot %s: %w", s.info.Name, err)
	}

	return nil
}
