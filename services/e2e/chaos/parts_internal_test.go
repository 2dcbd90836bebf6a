package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/e2e/fault"
	"hale.dev/services/e2e/trial"
)

func TestParse(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-seed", "7", "-faults", "60", "-time", "9m", "-classes", "kill_nats,clock_step", "-parts", "3"})
	require.NoError(t, err)
	require.Equal(t, options{parts: 3, trial: trial.Options{
		Seed: 7, Faults: 60, Time: 9 * time.Minute, Classes: []fault.Class{fault.KillNATS, fault.ClockStep},
	}}, o)
	o, err = parse([]string{"-alerts", "-rounds", "500", "-seed", "2"})
	require.NoError(t, err)
	require.Equal(t, options{parts: 1, alerts: true, rounds: 500, trial: trial.Options{Seed: 2}}, o)
	_, err = parse([]string{"-earthquake"})
	require.Error(t, err)
}

func TestResults(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "results")
	require.Error(t, sum(file), "there are none")
	require.NoError(t, note("", &trial.Report{}), "nobody asked for it")
	require.NoError(t, note(file, &trial.Report{Seeds: []uint64{1}, Acknowledged: 10}))
	require.NoError(t, note(file, &trial.Report{Seeds: []uint64{2}, Acknowledged: 10}))
	require.NoError(t, sum(file))
	require.NoError(t, note(file, &trial.Report{Seeds: []uint64{3}, Acknowledged: 10, Lost: 1}))
	require.ErrorIs(t, sum(file), errWrong)
}
