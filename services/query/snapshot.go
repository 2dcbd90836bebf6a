package query

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "hale.dev/proto/gen/hale/admin/v1"
	"hale.dev/services/internal/snapshot"
	"hale.dev/services/internal/task"
	"hale.dev/services/internal/wire"
)

// Snapshots says which snapshots there are. snapshot.Archive implements it.
type Snapshots interface {
	// List returns the snapshots of a partition, of all if it is negative.
	List(ctx context.Context, partition int) ([]snapshot.Info, error)
	// Newest returns the newest good snapshot of a partition that ok accepts, OldestGood that with the lowest cursor;
	// snapshot.ErrNotFound: there is none.
	Newest(ctx context.Context, partition int, ok func(snapshot.Meta) bool) (snapshot.Info, *snapshot.Meta, error)
	OldestGood(ctx context.Context, partition int, ok func(snapshot.Meta) bool) (snapshot.Info, *snapshot.Meta, error)
	// Open opens a snapshot to read it.
	Open(ctx context.Context, info snapshot.Info) (*snapshot.Stored, error)
}

// anyPartition stands for all of them.
const anyPartition = -1

// ListSnapshots implements AdminService.
func (a *adminServer) ListSnapshots(
	ctx context.Context, req *adminv1.ListSnapshotsRequest,
) (*adminv1.ListSnapshotsResponse, error) {
	after, err := parseSnapshotToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}

	partition, err := a.service.chosen(req.Partition)
	if err != nil {
		return nil, err
	}

	all, err := a.service.snapshots(ctx, partition)
	if err != nil {
		return nil, err
	}

	slices.SortFunc(all, newestFirst)

	if after != nil {
		at, found := slices.BinarySearchFunc(all, *after, newestFirst)
		if found {
			at++
		}

		all = all[at:]
	}

	answer := &adminv1.ListSnapshotsResponse{}

	for i := range all {
		if i == pageSize(req.GetPageSize()) {
			answer.NextPageToken = formatSnapshotToken(&all[i-1])

			break
		}

		answer.Snapshots = append(answer.Snapshots, &adminv1.Snapshot{
			Name: all[i].Name, Partition: int32(all[i].Partition), Cursor: all[i].Cursor, //nolint:gosec // a handful
			CreatedAt: timestamppb.New(all[i].Created), Bytes: all[i].Size,
		})
	}

	return answer, nil
}

// newestFirst orders snapshots. No two are the same in it.
func newestFirst(a, b snapshot.Info) int {
	return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Partition, b.Partition), cmp.Compare(b.Cursor, a.Cursor))
}

// snapshotToken begins every page token of snapshots; what newestFirst compares of the last one follows.
const snapshotToken = 2

func formatSnapshotToken(last *snapshot.Info) string {
	b := []byte{snapshotToken}
	for _, n := range []uint64{uint64(last.Created.UnixMicro()), uint64(last.Partition), last.Cursor} { //nolint:gosec // bits
		b = binary.AppendUvarint(b, n)
	}

	return base64.RawURLEncoding.EncodeToString(b)
}

// parseSnapshotToken returns the last snapshot of the page before; nil: there is none.
func parseSnapshotToken(text string) (*snapshot.Info, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // nil says: the first page
	}

	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errPageToken("it is not one of this list")
	}

	r := wire.NewReader(b)
	version, created, partition, cursor := r.Byte(), r.Uvarint(), r.Uvarint(), r.Uvarint()

	if !r.Done() || version != snapshotToken {
		return nil, errPageToken("it is not one of this list")
	}

	return &snapshot.Info{
		Created: time.UnixMicro(int64(created)), Partition: int(partition), Cursor: cursor, //nolint:gosec // bit patterns
	}, nil
}

// chosen returns the partition that a request names, or anyPartition.
func (s *Service) chosen(partition *int32) (int, error) {
	if partition == nil {
		return anyPartition, nil
	}

	return int(*partition), s.known(*partition)
}

// snapshots lists those of a partition, or of any.
func (s *Service) snapshots(ctx context.Context, partition int) ([]snapshot.Info, error) {
	if s.deps.Snapshots == nil {
		return nil, errSnapshotsOff()
	}

	all, err := s.deps.Snapshots.List(ctx, partition)
	if typed := (*snapshot.Error)(nil); err != nil && !errors.As(err, &typed) {
		err = unavailable(reasonSnapshots, "the place where snapshots are kept does not answer", err)
	}

	return all, err
}

func errSnapshotsOff() *Error {
	return &Error{
		Code: codes.FailedPrecondition, Reason: reasonSnapshotsOff,
		Message: "snapshots are turned off in this deployment's configuration",
	}
}

// CreateSnapshot implements AdminService.
func (a *adminServer) CreateSnapshot(
	ctx context.Context, req *adminv1.CreateSnapshotRequest,
) (*adminv1.CreateSnapshotResponse, error) {
	partition, err := a.service.chosen(req.Partition)
	if err != nil {
		return nil, err
	}

	if a.service.deps.Snapshots == nil {
		return nil, errSnapshotsOff()
	}

	id, err := a.service.ask(ctx, task.Task{Kind: task.Snapshot, Partition: partition})
	if err != nil {
		return nil, err
	}

	return &adminv1.CreateSnapshotResponse{TaskId: id}, nil
}

// RestoreSnapshot implements AdminService. That there is something to restore is looked at first; whether it is sound
// is found out by the owner that reads it.
func (a *adminServer) RestoreSnapshot(
	ctx context.Context, req *adminv1.RestoreSnapshotRequest,
) (*adminv1.RestoreSnapshotResponse, error) {
	if req.Partition == nil && req.GetCursor() != 0 {
		return nil, invalid("cursor", "cursor.partition", "a cursor means something in one partition only: name it")
	}

	partition, err := a.service.chosen(req.Partition)
	if err != nil {
		return nil, err
	}

	all, err := a.service.snapshots(ctx, partition)
	if err != nil {
		return nil, err
	}

	wanted := func(s snapshot.Info) bool { return req.GetCursor() == 0 || s.Cursor == req.GetCursor() }
	if !slices.ContainsFunc(all, wanted) {
		return nil, errNoSnapshot(partition, req.GetCursor())
	}

	id, err := a.service.ask(ctx, task.Task{Kind: task.Restore, Partition: partition, Cursor: req.GetCursor()})
	if err != nil {
		return nil, err
	}

	return &adminv1.RestoreSnapshotResponse{TaskId: id}, nil
}

func errNoSnapshot(partition int, cursor uint64) *Error {
	e := &Error{Code: codes.NotFound, Reason: reasonSnapshot, Message: "there is no snapshot yet"}

	if partition != anyPartition {
		e.Message = fmt.Sprintf("there is no snapshot of partition %d", partition)
	}

	if cursor != 0 {
		e.Message += fmt.Sprintf(" with cursor %d", cursor)
	}

	return e
}
