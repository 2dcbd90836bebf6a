package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hale.dev/services/internal/jsretry"
)

const (
	bucket = "hale_directory"
	// maxValue bounds an entry: 64 spells of ids of 256 bytes, each byte escaped.
	maxValue = 256 << 10
	// maxTries bounds how often a write that others keep overtaking is tried again.
	maxTries = 64
	// retryWatch is how long the watch waits before it starts again.
	retryWatch = time.Second

	defaultCached = 131072
)

// ErrContended is returned for a user that other processes kept changing at the same time. Try again.
var ErrContended = errors.New("directory: others keep changing this user")

// Options of a directory. The zero value works.
type Options struct {
	// Replicas of the bucket, when it is made here; 0: 1.
	Replicas int
	// Cached bounds the users kept in memory; 0: 131,072.
	Cached int
	// Logger hears of lost watches and entries that cannot be read; nil: nobody.
	Logger *slog.Logger
}

// Directory knows the accounts of users. It is safe for concurrent use.
type Directory struct {
	kv     jetstream.KeyValue
	conn   *nats.Conn
	cache  *cache
	log    *slog.Logger
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Open opens the bucket, making it if it is missing, and hears of changes from then on. Close ends that. A cluster
// that has no leader yet is waited for until ctx ends.
func Open(ctx context.Context, js jetstream.JetStream, o Options) (*Directory, error) {
	if o.Cached == 0 {
		o.Cached = defaultCached
	}

	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}

	kv, err := jsretry.Bucket(ctx, js, jetstream.KeyValueConfig{
		Bucket: bucket, Description: "accounts of users", MaxValueSize: maxValue, Replicas: o.Replicas,
	}, o.Logger)
	if err != nil {
		return nil, fmt.Errorf("opening the directory: %w", err)
	}

	watching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d := &Directory{conn: js.Conn(), kv: kv, cache: newCache(o.Cached), log: o.Logger, cancel: cancel}

	var w jetstream.KeyWatcher

	if err := jsretry.Do(ctx, o.Logger, func(context.Context) (err error) {
		w, err = d.kv.WatchAll(watching, jetstream.UpdatesOnly()) // for longer than this try

		return err //nolint:wrapcheck // wrapped below
	}); err != nil {
		cancel()

		return nil, fmt.Errorf("watching the directory: %w", err)
	}

	d.done.Go(func() { d.watch(watching, w) })

	return d, nil
}

// Close stops hearing of changes. The directory must not be used afterwards.
func (d *Directory) Close() {
	d.cancel()
	d.done.Wait()
}

// watch keeps the cache true to what other processes write, until ctx ends.
func (d *Directory) watch(ctx context.Context, w jetstream.KeyWatcher) {
	back := d.conn.StatusChanged(nats.CONNECTED)
	defer d.conn.RemoveStatusListener(back)

	for {
		for pause := d.follow(ctx, w, back); ; pause = retryWatch {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}

			var err error
			if w, err = d.kv.WatchAll(ctx, jetstream.UpdatesOnly()); err == nil {
				d.cache.reset() // what was written in between was not heard

				break
			}

			if ctx.Err() != nil { // it was closed, so nothing is wrong
				return
			}

			d.log.WarnContext(ctx, "watching the directory again soon", "error", err)
		}
	}
}

// follow reads one watch until it or ctx ends, or the connection was lost and is back: the watch would go on by itself,
// but only after a while. It returns how long to wait for the next.
func (d *Directory) follow(ctx context.Context, w jetstream.KeyWatcher, back <-chan nats.Status) time.Duration {
	defer func() {
		_ = w.Stop() // it is over, whatever the server thinks of it
		go func() {  // the client blocks on an update that nobody takes
			for range w.Updates() {
			}
		}()
	}()

	for {
		select {
		case <-ctx.Done():
			return 0
		case <-back:
			d.cache.reset() // what others wrote meanwhile was not heard

			return 0
		case e, ok := <-w.Updates():
			if !ok {
				return retryWatch
			}

			if e != nil {
				d.hear(ctx, e)
			}
		}
	}
}

// hear takes in one entry of the watch.
func (d *Directory) hear(ctx context.Context, e jetstream.KeyValueEntry) {
	v, err := parseEntry(e)
	if err != nil {
		d.log.WarnContext(ctx, "an entry that cannot be used", "key", e.Key(), "error", err)
		d.cache.forget(e.Key())

		return
	}

	d.cache.put(e.Key(), v)
}

// parseEntry reads an entry; a deleted one is an empty record.
func parseEntry(e jetstream.KeyValueEntry) (version, error) {
	if e.Operation() != jetstream.KeyValuePut {
		return version{revision: e.Revision()}, nil
	}

	r, err := parseRecord(e.Value())

	return version{record: r, revision: e.Revision()}, err
}

// read returns a user's version, from the cache unless fresh is set.
func (d *Directory) read(ctx context.Context, key string, fresh bool) (version, error) {
	if v, ok := d.cache.get(key); ok && !fresh {
		return v, nil
	}

	e, err := d.kv.Get(ctx, key)

	var v version

	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound), errors.Is(err, jetstream.ErrKeyDeleted):
	case err != nil:
		return version{}, fmt.Errorf("reading the directory: %w", err)
	default:
		if v, err = parseEntry(e); err != nil {
			return version{}, err
		}
	}

	d.cache.put(key, v)

	return v, nil
}

// write stores a record if the bucket still holds the revision. done is false if it does not.
func (d *Directory) write(ctx context.Context, key string, r record, revision uint64) (done bool, err error) {
	data, err := r.bytes()
	if err != nil {
		return false, err
	}

	var now uint64
	if revision == 0 {
		now, err = d.kv.Create(ctx, key, data)
	} else {
		now, err = d.kv.Update(ctx, key, data, revision)
	}

	switch {
	case errors.Is(err, jetstream.ErrKeyExists), errors.Is(err, jetstream.ErrKeyRevisionMismatch):
		return false, nil
	case err != nil:
		d.cache.forget(key) // whether it was written is unknown

		return false, fmt.Errorf("writing the directory: %w", err)
	}

	d.cache.put(key, version{record: r, revision: now})

	return true, nil
}
