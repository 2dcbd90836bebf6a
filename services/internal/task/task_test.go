package task_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/task"
)

func TestState(t *testing.T) {
	t.Parallel()
	for state, final := range map[task.State]bool{
		task.Asked: false, task.Running: false, task.Aborting: false,
		task.Done: true, task.Failed: true, task.Aborted: true,
	} {
		require.Equal(t, final, state.Final(), state)
	}
}

func TestLeft(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		task  task.Task
		left  time.Duration
		known bool
	}{
		"a quarter done in 10 s leaves 30 s": {
			task.Task{From: 100, At: 200, To: 500, Begun: begun, Updated: begun.Add(10 * time.Second)}, 30 * time.Second, true,
		},
		"at the end nothing is left": {
			task.Task{From: 100, At: 500, To: 500, Begun: begun, Updated: begun.Add(time.Second)}, 0, true,
		},
		"nobody knows before the first step": {
			task.Task{From: 100, At: 100, To: 500, Begun: begun, Updated: begun.Add(time.Second)}, 0, false,
		},
		"nobody knows before any time has passed": {
			task.Task{From: 100, At: 200, To: 500, Begun: begun, Updated: begun}, 0, false,
		},
		"nor of a place before the beginning": {
			task.Task{From: 100, At: 50, To: 500, Begun: begun, Updated: begun.Add(time.Second)}, 0, false,
		},
		"nor beyond the end": {
			task.Task{From: 100, At: 600, To: 500, Begun: begun, Updated: begun.Add(time.Second)}, 0, false,
		},
		"nor of a task that only was asked for": {task.Task{}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left, known := c.task.Left()
			require.Equal(t, c.known, known)
			require.Equal(t, c.left, left)
		})
	}
}

func TestStoredForm(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	value, err := json.Marshal(task.Task{ID: "X", Kind: task.Restore, Stream: 3, State: task.Asked, Partition: -1, Asked: at})
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"X","kind":"restore","stream":3,"state":"asked","partition":-1,"asked":"2026-03-10T12:00:00Z"}`,
		string(value), "what is not known yet is left out, and partition 0 is not")
}
