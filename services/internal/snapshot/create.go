package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Create makes a snapshot of a partition: fill writes the entries and returns what stands at the end. It grows in a
// file of the work folder, is uploaded when its cursor is known, and is read back: only then it is good. One that reads
// back wrong is deleted.
func (a *Archive) Create(ctx context.Context, partition int, fill func(*Writer) (Meta, error)) (Info, error) {
	begun := time.Now()

	info, err := a.create(ctx, partition, fill)
	a.metrics.made(ctx, time.Since(begun), info.Size, err)

	if err != nil {
		return Info{}, fmt.Errorf("making a snapshot of partition %d: %w", partition, err)
	}

	return info, nil
}

func (a *Archive) create(ctx context.Context, partition int, fill func(*Writer) (Meta, error)) (info Info, err error) {
	if partition < 0 {
		return Info{}, errors.New("there is no such partition")
	}

	created, err := a.newest(ctx, partition)
	if err != nil {
		return Info{}, err
	}

	file, err := a.workFile()
	if err != nil {
		return Info{}, err
	}

	defer func() {
		if e := file.Close(); err == nil && e != nil {
			err = fmt.Errorf("closing the work file: %w", e)
		}
	}()

	spool := &bounded{w: file, ctxErr: ctx.Err, left: a.o.MaxBytes}

	meta, err := write(spool, Header{Layout: a.o.Layout, Partition: partition, Begun: created.UnixMicro()}, fill)
	if err != nil {
		return Info{}, err
	}

	info = Info{
		Partition: partition, Cursor: meta.Cursor, Created: created, Size: a.o.MaxBytes - spool.left,
		Name: formatName(a.o.Layout, partition, meta.Cursor, created),
	}

	return info, a.store(ctx, info, meta, file)
}

// newest is a time of creation after those of all snapshots of a partition, whatever other machines' clocks said: the
// order of snapshots decides which ones are removed.
func (a *Archive) newest(ctx context.Context, partition int) (time.Time, error) {
	created := a.o.Now().UTC().Truncate(time.Microsecond)

	all, err := a.List(ctx, partition)
	if err != nil {
		return time.Time{}, err
	}

	if len(all) > 0 && !created.After(all[0].Created) {
		created = all[0].Created.Add(time.Microsecond)
	}

	return created, nil
}

// workFile makes a file that has no name, so that a crash leaves nothing behind.
func (a *Archive) workFile() (*os.File, error) {
	file, err := os.CreateTemp(a.o.Dir, "snapshot-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("making the work file: %w", err)
	}

	if err := os.Remove(file.Name()); err != nil {
		return nil, fmt.Errorf("hiding the work file: %w", errors.Join(err, file.Close()))
	}

	return file, nil
}

// write writes a whole snapshot.
func write(w io.Writer, h Header, fill func(*Writer) (Meta, error)) (Meta, error) {
	out, err := NewWriter(w, h)
	if err != nil {
		return Meta{}, err
	}

	meta, err := fill(out)
	if err != nil {
		return Meta{}, fmt.Errorf("gathering the state: %w", err)
	}

	return meta, out.Finish(meta)
}

// store uploads what the work file holds, and reads it back.
func (a *Archive) store(ctx context.Context, info Info, meta Meta, file *os.File) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading the work file: %w", err)
	}

	if err := a.vault.Put(ctx, info.Name, file); err != nil {
		return fmt.Errorf("storing it: %w", err)
	}

	back, err := a.readBack(ctx, info)
	if err == nil && !back.equal(&meta) {
		err = fmt.Errorf("%w: its end is another one", ErrDamaged)
	}

	a.metrics.checked(ctx, err)

	if err == nil {
		a.verdicts.put(info, verdict{meta: &meta})

		return nil
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()

	return fmt.Errorf("reading it back: %w", errors.Join(err, a.vault.Delete(ctx, info.Name)))
}

// bounded is a file that does not grow past a bound.
type bounded struct {
	w      io.Writer
	ctxErr func() error
	left   int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if err := b.ctxErr(); err != nil {
		return 0, err
	}

	if int64(len(p)) > b.left {
		return 0, fmt.Errorf("%w: larger than a snapshot may be", ErrTooLarge)
	}

	n, err := b.w.Write(p)
	b.left -= int64(n)

	return n, full(err)
}
