package query_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/task"
	"hale.dev/services/query"
)

// archived starts a world with an archive of snapshots.
func archived(t *testing.T) (*world, *snapshot.Archive) {
	t.Helper()

	w := prepare(t, openMemory(t))
	vault, err := snapshot.Open(t.Context(), "jetstream", snapshot.OpenOptions{JetStream: w.log.JetStream()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, vault.Close()) })

	archive, err := snapshot.NewArchive(vault, snapshot.ArchiveOptions{Layout: w.log.Layout().ID, Dir: t.TempDir()})
	require.NoError(t, err)
	w.run(func(_ *query.Config, d *query.Deps) { d.Snapshots = archive })
	require.Eventually(t, func() bool { return w.service.Ready() == nil }, patience, time.Millisecond)

	return w, archive
}

// shoot makes a snapshot of a partition.
func shoot(t *testing.T, a *snapshot.Archive, partition int, cursor uint64) snapshot.Info {
	t.Helper()

	info, err := a.Create(t.Context(), partition, func(w *snapshot.Writer) (snapshot.Meta, error) {
		return snapshot.Meta{Stream: "s", Cursor: cursor}, w.Put("key", []byte("value"))
	})
	require.NoError(t, err)

	return info
}

func TestListSnapshots(t *testing.T) {
	t.Parallel()

	w, archive := archived(t)
	admin, ctx := w.admin(), w.as(access.RoleAdmin)

	none, err := admin.ListSnapshots(ctx, &adminv1.ListSnapshotsRequest{})
	require.NoError(t, err)
	require.Empty(t, none.GetSnapshots())
	require.Empty(t, none.GetNextPageToken())

	var newest []string // first

	for i := range 5 {
		newest = append([]string{shoot(t, archive, i%2, uint64(10+i)).Name}, newest...)
	}

	list := func(req *adminv1.ListSnapshotsRequest) (names []string, pages int) {
		for {
			got, err := admin.ListSnapshots(ctx, req)
			require.NoError(t, err)

			pages++

			for _, s := range got.GetSnapshots() {
				names = append(names, s.GetName())
				require.Positive(t, s.GetBytes())
				require.WithinDuration(t, time.Now(), s.GetCreatedAt().AsTime(), time.Minute)
			}

			if req.PageToken = got.GetNextPageToken(); req.GetPageToken() == "" {
				return names, pages
			}
		}
	}

	for size, want := range map[int32]int{0: 1, 1: 5, 2: 3, 5: 1} {
		names, pages := list(&adminv1.ListSnapshotsRequest{PageSize: size})
		require.Equal(t, newest, names, "the newest comes first")
		require.Equal(t, want, pages)
	}

	names, _ := list(&adminv1.ListSnapshotsRequest{Partition: proto.Int32(1), PageSize: 1})
	require.Equal(t, []string{newest[1], newest[3]}, names)

	got, err := admin.ListSnapshots(ctx, &adminv1.ListSnapshotsRequest{Partition: proto.Int32(0), PageSize: 1})
	require.NoError(t, err)
	require.Equal(t, uint64(14), got.GetSnapshots()[0].GetCursor())
	require.Zero(t, got.GetSnapshots()[0].GetPartition())

	for _, token := range []string{"x", "AQ", "Ag", got.GetNextPageToken() + "AA"} {
		_, err = admin.ListSnapshots(ctx, &adminv1.ListSnapshotsRequest{PageToken: token})
		requireError(t, err, codes.InvalidArgument, "PAGE_TOKEN_INVALID")
	}

	_, err = admin.ListSnapshots(ctx, &adminv1.ListSnapshotsRequest{Partition: proto.Int32(partitions)})
	requireError(t, err, codes.NotFound, "PARTITION_NOT_FOUND")
	_, err = admin.ListSnapshots(ctx, &adminv1.ListSnapshotsRequest{PageSize: 1001})
	require.Equal(t, []string{"page_size"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))
}

func TestSnapshotsOff(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t))
	admin, ctx := w.admin(), w.as(access.RoleAdmin)

	_, err := admin.ListSnapshots(ctx, &adminv1.ListSnapshotsRequest{})
	requireError(t, err, codes.FailedPrecondition, "SNAPSHOTS_OFF")
	_, err = admin.CreateSnapshot(ctx, &adminv1.CreateSnapshotRequest{})
	requireError(t, err, codes.FailedPrecondition, "SNAPSHOTS_OFF")
	_, err = admin.RestoreSnapshot(ctx, &adminv1.RestoreSnapshotRequest{})
	requireError(t, err, codes.FailedPrecondition, "SNAPSHOTS_OFF")
}

// brokenPlace cannot be listed.
type brokenPlace struct {
	query.Snapshots

	err error
}

func (b brokenPlace) List(context.Context, int) ([]snapshot.Info, error) { return nil, b.err }

func TestSnapshotsInABrokenPlace(t *testing.T) {
	t.Parallel()

	for reason, c := range map[string]struct {
		err  error
		code codes.Code
	}{
		"SNAPSHOTS_UNAVAILABLE": {errors.New("no route"), codes.Unavailable},
		"SNAPSHOT_PLACE":        {snapshot.ErrPlace, codes.InvalidArgument},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()

			w := start(t, openMemory(t), func(_ *query.Config, d *query.Deps) { d.Snapshots = brokenPlace{err: c.err} })
			_, err := w.admin().ListSnapshots(w.as(access.RoleAdmin), &adminv1.ListSnapshotsRequest{})
			requireError(t, err, c.code, reason)
			_, err = w.admin().RestoreSnapshot(w.as(access.RoleAdmin), &adminv1.RestoreSnapshotRequest{})
			requireError(t, err, c.code, reason)
		})
	}
}

func TestCreateAndRestoreSnapshots(t *testing.T) {
	t.Parallel()

	w, archive := archived(t)
	admin, ctx := w.admin(), w.as(access.RoleAdmin)

	_, err := admin.RestoreSnapshot(ctx, &adminv1.RestoreSnapshotRequest{})
	requireError(t, err, codes.NotFound, "SNAPSHOT_NOT_FOUND")

	made, err := admin.CreateSnapshot(ctx, &adminv1.CreateSnapshotRequest{Partition: proto.Int32(2)})
	require.NoError(t, err)

	asked, err := w.tasks.Get(t.Context(), task.Snapshot, 0)
	require.NoError(t, err)
	require.Equal(t, made.GetTaskId(), asked.ID)
	require.Equal(t, 2, asked.Partition)

	_, err = admin.CreateSnapshot(ctx, &adminv1.CreateSnapshotRequest{})
	requireError(t, err, codes.FailedPrecondition, "TASK_BUSY")
	_, err = admin.CreateSnapshot(ctx, &adminv1.CreateSnapshotRequest{Partition: proto.Int32(partitions)})
	requireError(t, err, codes.NotFound, "PARTITION_NOT_FOUND")

	shoot(t, archive, 1, 10)

	_, err = admin.RestoreSnapshot(ctx, &adminv1.RestoreSnapshotRequest{Partition: proto.Int32(0)})
	requireError(t, err, codes.NotFound, "SNAPSHOT_NOT_FOUND")
	_, err = admin.RestoreSnapshot(ctx, &adminv1.RestoreSnapshotRequest{Partition: proto.Int32(1), Cursor: 11})
	requireError(t, err, codes.NotFound, "SNAPSHOT_NOT_FOUND")
	require.ErrorContains(t, err, "no snapshot of partition 1 with cursor 11")
	_, err = admin.RestoreSnapshot(ctx, &adminv1.RestoreSnapshotRequest{Cursor: 10})
	require.Equal(t, []string{"cursor"}, requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID"))

	restore, err := admin.RestoreSnapshot(ctx, &adminv1.RestoreSnapshotRequest{Partition: proto.Int32(1), Cursor: 10})
	require.NoError(t, err)

	asked, err = w.tasks.Get(t.Context(), task.Restore, 0)
	require.NoError(t, err)
	require.Equal(t, restore.GetTaskId(), asked.ID)
	require.Equal(t, 1, asked.Partition)
	require.Equal(t, uint64(10), asked.Cursor)

	_, err = w.tasks.Abort(t.Context(), task.Restore, 1)
	require.NoError(t, err)
	_, err = admin.RestoreSnapshot(ctx, &adminv1.RestoreSnapshotRequest{})
	require.NoError(t, err)

	asked, err = w.tasks.Get(t.Context(), task.Restore, 0)
	require.NoError(t, err)
	require.Equal(t, -1, asked.Partition)
}
