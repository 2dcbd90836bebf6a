package settings

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
)

var (
	// ErrNoSilence is returned for a silence that is not there.
	ErrNoSilence = errors.New("settings: no such silence")
	// ErrSilenceRevision is returned when a silence is not of the revision that was to be replaced.
	ErrSilenceRevision = errors.New("settings: the silence was changed meanwhile")
	// ErrSilenceID is returned for an id that no silence can have.
	ErrSilenceID = errors.New("settings: the id of a silence is made of letters, digits, - and _")
)

// Silence keeps alerts from being delivered for a while.
type Silence struct {
	// Workspace of the silence.
	Workspace string
	// Silence as the API has it; its silence_id names it.
	Silence *alertv1.Silence
	// Revision is larger than that of any silence before it.
	Revision uint64
}

// ID is its id.
func (s Silence) ID() string { return s.Silence.GetSilenceId() }

// Active tells whether it is in force at a time.
func (s Silence) Active(at time.Time) bool {
	return !at.Before(s.Silence.GetStartTime().AsTime()) && at.Before(s.Silence.GetEndTime().AsTime())
}

// SilenceChange is what a watch of silences tells.
type SilenceChange struct {
	// Synced is true, once and with nothing else, when all silences that were there at the start have been told.
	Synced bool
	// Silence that was stored or removed; of a removed or unreadable one only workspace, id and revision are known.
	Silence Silence
	// Removed says that there is no such silence any more.
	Removed bool
	// Err says why an entry cannot be read; such a silence counts as removed.
	Err error
}

// PutSilence stores a silence, unchecked, in place of the one with its revision (0: there must be none), and returns the
// new revision. The error is ErrSilenceRevision if another one is there.
func (s *Settings) PutSilence(ctx context.Context, one Silence) (revision uint64, err error) {
	key, err := silenceKey(one.Workspace, one.ID())
	if err != nil {
		return 0, err
	}

	value, err := proto.Marshal(one.Silence)
	if err != nil {
		return 0, wrap(err, "encoding silence %q", one.ID())
	}

	if one.Revision == 0 {
		revision, err = s.silences.Create(ctx, key, value)
	} else {
		revision, err = s.silences.Update(ctx, key, value, one.Revision)
	}

	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) {
		return 0, ErrSilenceRevision
	}

	return revision, wrap(err, "storing silence %q of %q", one.ID(), one.Workspace)
}

// Silence returns a silence. The error is ErrNoSilence if there is none.
func (s *Settings) Silence(ctx context.Context, workspace, id string) (Silence, error) {
	key, err := silenceKey(workspace, id)
	if err != nil {
		return Silence{}, err
	}

	e, err := s.silences.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Silence{}, ErrNoSilence
	}

	if err != nil {
		return Silence{}, wrap(err, "reading silence %q of %q", id, workspace)
	}

	c := silenceChange(e)

	return c.Silence, c.Err
}

// DeleteSilence removes a silence, for instance one that ended long ago.
func (s *Settings) DeleteSilence(ctx context.Context, workspace, id string) error {
	key, err := silenceKey(workspace, id)
	if err != nil {
		return err
	}

	return wrap(s.silences.Delete(ctx, key), "removing silence %q of %q", id, workspace)
}

// WatchSilences calls f for every silence, first for those that are there and then for each change. It runs until ctx
// ends, f fails (with its error), NATS is closed (ErrClosed), or it was lost and is back (ErrReconnected).
func (s *Settings) WatchSilences(ctx context.Context, f func(SilenceChange) error) error {
	return s.watch(ctx, s.silences, func(e jetstream.KeyValueEntry) error {
		if e == nil {
			return f(SilenceChange{Synced: true})
		}

		return f(silenceChange(e))
	})
}

// silenceChange reads an entry of the bucket.
func silenceChange(e jetstream.KeyValueEntry) SilenceChange {
	workspace, id, _ := strings.Cut(e.Key(), ".")
	c := SilenceChange{Silence: Silence{
		Workspace: workspace, Silence: &alertv1.Silence{SilenceId: id}, Revision: e.Revision(),
	}}

	if e.Operation() != jetstream.KeyValuePut {
		c.Removed = true

		return c
	}

	read := &alertv1.Silence{}
	if err := proto.Unmarshal(e.Value(), read); err != nil {
		c.Removed, c.Err = true, wrap(err, "decoding silence %q", id)

		return c
	}

	read.SilenceId = id
	c.Silence.Silence = read

	return c
}

// silenceKey is a silence's key in the bucket; names of workspaces hold no dot.
func silenceKey(workspace, id string) (string, error) {
	if err := CheckWorkspace(workspace); err != nil {
		return "", err
	}

	if !workspaceName.MatchString(id) {
		return "", fmt.Errorf("%w: %q", ErrSilenceID, id)
	}

	return workspace + "." + id, nil
}
