package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
)

func TestProgress(t *testing.T) {
	t.Parallel()

	const (
		asked    = adminv1.TaskState_TASK_STATE_ASKED
		running  = adminv1.TaskState_TASK_STATE_RUNNING
		aborting = adminv1.TaskState_TASK_STATE_ABORTING
		done     = adminv1.TaskState_TASK_STATE_DONE
	)

	begun := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	one := func(state adminv1.TaskState, at, events uint64, left time.Duration) *adminv1.Task {
		v := &adminv1.Task{Kind: adminv1.TaskKind_TASK_KIND_REBUILD, State: state}
		if state != asked {
			v.FromSequence, v.AtSequence, v.ToSequence, v.Events = 100, at, 200, events
			v.BegunAt, v.UpdatedAt = timestamppb.New(begun), timestamppb.New(begun.Add(10*time.Second))
		}

		if left > 0 {
			v.Left = durationpb.New(left)
		}

		return v
	}

	for want, tasks := range map[string][]*adminv1.Task{
		"rebuild: waiting for the owners (`hale partitions` shows them)": {one(asked, 0, 0, 0), one(asked, 0, 0, 0)},
		"rebuild: 25%, 100 events/s, about 30s left":                     {one(running, 125, 1000, 30*time.Second)},
		"rebuild: 50%, 300 events/s, about 1m30s left":                   {one(running, 125, 1000, 90*time.Second), one(running, 175, 2000, 3*time.Second)},
		"rebuild: 75%, 100 events/s, about 10s left":                     {one(done, 200, 9000, 0), one(running, 150, 1000, 10*time.Second)},
		"rebuild: 25%, 100 events/s":                                     {one(running, 125, 1000, 30*time.Second), one(asked, 0, 0, 0)},
		"rebuild: 0%":                                                    {one(running, 100, 0, 0)},
		"rebuild: being given up, 100 events/s":                          {one(aborting, 125, 1000, 30*time.Second)},
		"rebuild: ended":                                                 {one(done, 200, 1, 0), one(adminv1.TaskState_TASK_STATE_FAILED, 120, 1, 0)},
	} {
		require.Equal(t, want, sumUp(tasks).String())
	}

	t.Run("a place outside of the way does no harm", func(t *testing.T) {
		t.Parallel()

		for _, at := range []uint64{0, 99, 201, 1 << 60} {
			s := sumUp([]*adminv1.Task{one(running, at, 0, 0)})
			require.GreaterOrEqual(t, s.share, 0.0)
			require.LessOrEqual(t, s.share, 1.0)
		}
	})
}

func TestShareText(t *testing.T) {
	t.Parallel()

	require.Equal(t, "50%", shareText(100, 150, 200))
	require.Equal(t, "100%", shareText(0, 300, 200))
	require.Equal(t, "0%", shareText(0, 0, 200))
	require.Empty(t, shareText(0, 0, 0), "there is no way")
	require.Empty(t, shareText(100, 50, 200), "it has not begun")
}
