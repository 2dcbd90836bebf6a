package rig_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"hale.dev/services/e2e/rig"
)

func TestPause(t *testing.T) {
	t.Parallel()
	p := &rig.Process{Name: "sleep", Path: "sleep", Args: []string{"60"}, Dir: t.TempDir()}
	require.Error(t, p.Pause(), "it was never started")
	require.Zero(t, p.PID())
	require.NoError(t, p.Start())
	t.Cleanup(p.Kill)
	require.True(t, p.Running())
	state := func() string {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
		require.NoError(t, err)
		return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))[0]
	}
	require.NoError(t, p.Pause())
	require.Eventually(t, func() bool { return state() == "T" }, atLast, soon)
	require.NoError(t, p.Resume())
	require.Eventually(t, func() bool { return state() == "S" }, atLast, soon)
	require.NoError(t, p.Pause())
	p.Kill()
	require.False(t, p.Running(), "a paused program can be killed")
}

func TestDisk(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "disk")
	d, err := rig.NewDisk(folder, 1<<20)
	if errors.Is(err, rig.ErrNoDisk) {
		require.NotZero(t, os.Getuid(), "root may mount")
		return
	}
	require.NoError(t, err)
	t.Cleanup(d.Close)
	file := filepath.Join(d.Dir(), "file")
	write := func() error { return os.WriteFile(file, make([]byte, 1<<10), 0o600) }
	require.NoError(t, write())
	require.NoError(t, os.Remove(file))
	require.NoError(t, d.Fill())
	require.ErrorIs(t, write(), syscall.ENOSPC)
	for _, entry := range entries(t, d.Dir()) { // a program that is being started still has what was open
		f, err := os.Open(filepath.Join(d.Dir(), entry))
		require.NoError(t, err)
		t.Cleanup(func() { _ = f.Close() })
	}
	require.NoError(t, d.Free())
	require.NoError(t, d.Free(), "free already")
	require.NoError(t, write())
	require.Empty(t, entries(t, folder), "nobody else sees the disk")
}

func entries(t *testing.T, folder string) []string {
	t.Helper()
	found, err := os.ReadDir(folder)
	require.NoError(t, err)
	var names []string
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return names
}

func TestSlotOf(t *testing.T) {
	t.Parallel()
	require.Equal(t, []int{0, 8192, 4096, 12288, 512}, []int{
		rig.SlotOf(0), rig.SlotOf(1), rig.SlotOf(2), rig.SlotOf(3), rig.SlotOf(16),
	})
}
