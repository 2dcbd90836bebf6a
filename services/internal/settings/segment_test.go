package settings_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/settings"
)

func TestSegments(t *testing.T) {
	t.Parallel()

	js := natstest.JetStream(t)
	s, ctx := open(t, js), t.Context()
	one := settings.Segment{Workspace: "w1", Name: "big", Filter: "arr > 1000", Description: "pays much"}

	first, err := s.PutSegment(ctx, one)
	require.NoError(t, err)

	one.Revision = first
	second, err := s.PutSegment(ctx, one)
	require.NoError(t, err)
	require.Greater(t, second, first)

	_, err = s.PutSegment(ctx, one)
	require.ErrorIs(t, err, settings.ErrSegmentRevision, "somebody else was faster")

	one.Workspace, one.Revision = "w2", 77
	_, err = s.PutSegment(ctx, one)
	require.ErrorIs(t, err, settings.ErrSegmentRevision, "there is none")

	one.Revision = 0
	_, err = s.PutSegment(ctx, one)
	require.NoError(t, err)
	require.NoError(t, s.DeleteSegment(ctx, "w2", "big"))
	require.ErrorIs(t, s.DeleteSegment(ctx, "w2", "big"), settings.ErrNoSegment)

	for _, bad := range []settings.Segment{
		{Workspace: "no.good", Name: "big"}, {Workspace: "w1", Name: "no.good"}, {Workspace: "w1"},
	} {
		_, err := s.PutSegment(ctx, bad)
		require.Error(t, err)
		require.Error(t, s.DeleteSegment(ctx, bad.Workspace, bad.Name))
	}

	one = settings.Segment{Workspace: "w1", Name: "long", Filter: strings.Repeat("\x01", 4096), Description: strings.Repeat("\x01", 1024)}
	_, err = s.PutSegment(ctx, one)
	require.NoError(t, err, "as long as the API allows, however it is encoded")

	kv, err := js.KeyValue(ctx, "hale_segments")
	require.NoError(t, err)

	_, err = kv.PutString(ctx, "w1.broken", "{")
	require.NoError(t, err)

	t.Run("a watch tells all that are there, and that this was all", func(t *testing.T) {
		t.Parallel()

		told := map[string]settings.SegmentChange{}
		enough := errors.New("enough")

		within, cancel := context.WithTimeout(ctx, patience)
		defer cancel()

		require.ErrorIs(t, s.WatchSegments(within, func(c settings.SegmentChange) error {
			if c.Synced {
				return enough
			}

			told[c.Segment.Workspace+"/"+c.Segment.Name] = c

			return nil
		}), enough)

		require.Equal(t, settings.SegmentChange{Segment: settings.Segment{
			Workspace: "w1", Name: "big", Filter: "arr > 1000", Description: "pays much", Revision: second,
		}}, told["w1/big"])
		require.Equal(t, one.Filter, told["w1/long"].Segment.Filter)
		require.True(t, told["w2/big"].Removed)
		require.True(t, told["w1/broken"].Removed)
		require.Error(t, told["w1/broken"].Err)
	})
}
