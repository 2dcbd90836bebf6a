package snapshot

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// metasAtOnce is how many entries a list reads together.
const metasAtOnce = 16

// info is an object's entry.
func (s *objectStore) info(ctx context.Context, name string) (*jetstream.ObjectInfo, error) {
	m, err := s.last(ctx, metaSubject(name))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	}

	if err != nil {
		return nil, fmt.Errorf("reading the entry of %s: %w", name, err)
	}

	info := &jetstream.ObjectInfo{}
	if err := json.Unmarshal(m.Data, info); err != nil {
		return nil, fmt.Errorf("%w: the entry of %s: %w", ErrDamaged, name, err)
	}

	if info.Deleted { // by another tool
		return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	}

	info.ModTime = m.Time

	return info, nil
}

// last is the last message of a subject, as the stream's leader knows it.
func (s *objectStore) last(ctx context.Context, subject string) (m *jetstream.RawStreamMsg, err error) {
	err = patiently(ctx, func(ctx context.Context) (err error) {
		m, err = s.stream.GetLastMsgForSubject(ctx, subject)

		return err //nolint:wrapcheck // by callers
	})

	return m, err
}

// subjects counts the messages of every subject that matches, as the stream's leader knows it.
func (s *objectStore) subjects(ctx context.Context, filter string) (map[string]uint64, error) {
	var info *jetstream.StreamInfo

	err := patiently(ctx, func(ctx context.Context) (err error) {
		info, err = s.stream.Info(ctx, jetstream.WithSubjectFilter(filter))

		return err //nolint:wrapcheck // below
	})
	if err != nil {
		return nil, fmt.Errorf("looking into bucket %s: %w", objectBucket, err)
	}

	return info.State.Subjects, nil
}

// List implements Vault.
func (s *objectStore) List(ctx context.Context, prefix string) ([]Object, error) {
	infos, err := s.infos(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", s, err)
	}

	found := make([]Object, 0, len(infos))

	for _, info := range infos {
		size := int64(info.Size) //nolint:gosec // bit pattern only
		found = append(found, Object{Name: info.Name, Size: size, Modified: info.ModTime})
	}

	sortObjects(found)

	return found, nil
}

// infos are the entries of all objects with a prefix. One that cannot be read has no size, so that it is seen.
func (s *objectStore) infos(ctx context.Context, prefix string) ([]*jetstream.ObjectInfo, error) {
	subjects, err := s.subjects(ctx, metaSubjects+">")
	if err != nil {
		return nil, err
	}

	var names []string

	for subject := range subjects {
		name, err := nameOf(subject)
		if err == nil && strings.HasPrefix(name, prefix) && checkName(name) == nil {
			names = append(names, name)
		}
	}

	found := make([]*jetstream.ObjectInfo, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(metasAtOnce)

	for i, name := range names {
		group.Go(func() (err error) {
			found[i], err = s.info(ctx, name)

			switch {
			case errors.Is(err, ErrDamaged):
				found[i] = &jetstream.ObjectInfo{ObjectMeta: jetstream.ObjectMeta{Name: name}}
			case !errors.Is(err, ErrNotFound): // deleted meanwhile
				return err
			}

			return nil
		})
	}

	if err := group.Wait(); err != nil {
		return nil, err //nolint:wrapcheck // by info
	}

	return slices.DeleteFunc(found, func(i *jetstream.ObjectInfo) bool { return i == nil }), nil
}

// Sweep implements Vault: chunks that no object names.
func (s *objectStore) Sweep(ctx context.Context, before time.Time) (int, error) {
	chunks, err := s.subjects(ctx, chunkSubjects+">")
	if err != nil {
		return 0, fmt.Errorf("sweeping %s: %w", s, err)
	}

	infos, err := s.infos(ctx, "") // after the chunks: what was named meanwhile is among them
	if err != nil {
		return 0, fmt.Errorf("sweeping %s: %w", s, err)
	}

	for _, info := range infos {
		delete(chunks, chunkSubjects+info.NUID)
	}

	swept := 0

	for subject := range chunks {
		m, err := s.last(ctx, subject)
		if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && !m.Time.Before(before) {
			continue
		}

		if err == nil {
			err = s.purge(ctx, subject)
		}

		if err != nil {
			return swept, fmt.Errorf("sweeping %s: %w", s, err)
		}

		swept++
	}

	return swept, nil
}

// String implements Vault.
func (s *objectStore) String() string { return "JetStream bucket " + objectBucket }

// Close implements Vault: the connection is its owner's.
func (s *objectStore) Close() error { return nil }

func metaSubject(name string) string {
	return metaSubjects + base64.URLEncoding.EncodeToString([]byte(name))
}

func nameOf(subject string) (string, error) {
	name, err := base64.URLEncoding.DecodeString(strings.TrimPrefix(subject, metaSubjects))

	return string(name), err
}
