package settings_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/settings"
)

func TestSilences(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	s, ctx := open(t, js), t.Context()
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	one := settings.Silence{Workspace: "w1", Silence: &alertv1.Silence{
		SilenceId: "s1", Matchers: []*alertv1.Matcher{{Field: "rule", Value: "inactive"}}, Comment: "known",
		StartTime: timestamppb.New(now), EndTime: timestamppb.New(now.Add(time.Hour)),
	}}

	require.False(t, one.Active(now.Add(-1)))
	require.True(t, one.Active(now))
	require.False(t, one.Active(now.Add(time.Hour)))

	first, err := s.PutSilence(ctx, one)
	require.NoError(t, err)
	_, err = s.PutSilence(ctx, one)
	require.ErrorIs(t, err, settings.ErrSilenceRevision, "it is there already")

	one.Revision, one.Silence.EndTime = first, timestamppb.New(now)
	one.Revision, err = s.PutSilence(ctx, one)
	require.NoError(t, err)

	found, err := s.Silence(ctx, "w1", "s1")
	require.NoError(t, err)
	require.Equal(t, one.Revision, found.Revision)
	require.Equal(t, one.Silence.String(), found.Silence.String())

	_, err = s.Silence(ctx, "w1", "s2")
	require.ErrorIs(t, err, settings.ErrNoSilence)
	_, err = s.Silence(ctx, "w1", "s.2")
	require.ErrorIs(t, err, settings.ErrSilenceID)

	for _, other := range []settings.Silence{
		{Workspace: "w1", Silence: &alertv1.Silence{SilenceId: "s2"}}, {Workspace: "w2", Silence: &alertv1.Silence{SilenceId: "s3"}},
	} {
		_, err = s.PutSilence(ctx, other)
		require.NoError(t, err)
	}

	require.NoError(t, s.DeleteSilence(ctx, "w1", "s2"))

	told, enough := map[string]bool{}, errors.New("enough")
	require.ErrorIs(t, s.WatchSilences(ctx, func(c settings.SilenceChange) error {
		if c.Synced {
			return enough
		}

		told[c.Silence.ID()] = !c.Removed

		return nil
	}), enough)
	require.Equal(t, map[string]bool{"s1": true, "s2": false, "s3": true}, told)
}

func TestReceivers(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	s, ctx := open(t, js), t.Context()

	version, doc, err := s.Receivers().Get(ctx, "w1")
	require.NoError(t, err)
	require.Zero(t, version)
	require.Empty(t, doc)

	first, err := s.Receivers().Put(ctx, "w1", []byte("one"))
	require.NoError(t, err)

	version, doc, err = s.Receivers().Get(ctx, "w1")
	require.NoError(t, err)
	require.Equal(t, first, version)
	require.Equal(t, "one", string(doc))

	_, err = s.Receivers().Put(ctx, "w.1", nil)
	require.ErrorIs(t, err, settings.ErrWorkspaceName)
	_, _, err = s.Receivers().Get(ctx, "w.1")
	require.ErrorIs(t, err, settings.ErrWorkspaceName)

	watching, stop := context.WithCancel(ctx)
	told := make(chan settings.ReceiversChange, 10)
	done := make(chan error, 1)

	go func() {
		done <- s.WatchReceivers(watching, func(c settings.ReceiversChange) error {
			told <- c

			return nil
		})
	}()

	require.Equal(t, settings.ReceiversChange{Workspace: "w1", Version: first, Document: []byte("one")}, receive(t, told))
	require.True(t, receive(t, told).Synced)

	second, err := s.Receivers().Put(ctx, "w2", []byte("two"))
	require.NoError(t, err)
	require.Greater(t, second, first)
	require.Equal(t, "w2", receive(t, told).Workspace)
	stop()
	require.ErrorIs(t, receive(t, done), context.Canceled)
}
