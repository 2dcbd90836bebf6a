package listener

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// stamp tells versions of a file apart.
type stamp struct {
	changed time.Time
	size    int64
}

// reloader keeps what the files held when they last could be read.
type reloader struct {
	files  TLS
	logger *slog.Logger

	mu      sync.Mutex
	current *tls.Config
	stamps  [3]stamp
	// told are the stamps of the version that was last complained about.
	told [3]stamp
}

// get returns what is in force.
func (r *reloader) get(ctx context.Context) *tls.Config {
	r.mu.Lock()
	defer r.mu.Unlock()

	now, err := r.look()
	if err == nil && now == r.stamps {
		return r.current
	}

	if err == nil {
		err = r.read(now)
	}

	// A pair whose halves are written one after the other does not fit for a moment: the next handshake looks again.
	if err != nil && r.told != now {
		r.told = now
		r.logger.WarnContext(ctx, "the certificate in force stays: its files cannot be used", slog.Any("error", err))
	}

	return r.current
}

// reload reads the files for the first time.
func (r *reloader) reload() error {
	now, err := r.look()
	if err != nil {
		return err
	}

	return r.read(now)
}

// look returns the stamps of the files. They are taken before the files are read: a change in between is seen next
// time.
func (r *reloader) look() (stamps [3]stamp, err error) {
	for i, name := range []string{r.files.Cert, r.files.Key, r.files.ClientCA} {
		if name == "" {
			continue
		}

		info, err := os.Stat(name)
		if err != nil {
			return stamps, fmt.Errorf("looking at the certificate: %w", err)
		}

		stamps[i] = stamp{changed: info.ModTime(), size: info.Size()}
	}

	return stamps, nil
}

// read puts what the files hold in force.
func (r *reloader) read(now [3]stamp) error {
	c, err := r.files.load()
	if err != nil {
		return err
	}

	r.current, r.stamps = c, now

	return nil
}
