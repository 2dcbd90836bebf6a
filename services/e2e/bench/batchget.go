package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/e2e/rig"
)

const (
	batchAccounts = 1000
	batchRounds   = 100
)

// batchGet compares BatchGetHealth of 1,000 accounts with a bare gRPC server that answers as many bytes, read in one go
// from the same redis-server. One caller at a time; the client of both decodes nothing.
func batchGet(ctx context.Context, b *bench) error {
	c, stop, err := startCluster(ctx, b)
	if err != nil {
		return err
	}
	defer stop()
	if _, err := send(ctx, segmentClient(c.IngestHTTP, c.Keys.Ingest), everyAccount(batchAccounts)); err != nil {
		return err
	}
	if err := waitCounted(ctx, c, batchAccounts); err != nil {
		return err
	}
	conn, err := rig.Dial(c.QueryGRPC, c.Keys.Query)
	if err != nil {
		return fmt.Errorf("connecting to query: %w", err)
	}
	defer func() { _ = conn.Close() }()
	req := &healthv1.BatchGetHealthRequest{}
	for i := range batchAccounts {
		req.AccountIds = append(req.AccountIds, "account-"+strconv.Itoa(i))
	}
	answer, err := healthv1.NewHealthServiceClient(conn).BatchGetHealth(ctx, req)
	if err != nil {
		return fmt.Errorf("getting a batch: %w", err)
	}
	if len(answer.GetHealths()) != batchAccounts {
		return fmt.Errorf("%d of %d accounts are there", len(answer.GetHealths()), batchAccounts)
	}
	echo, err := startEcho(ctx, b, c, proto.Size(answer))
	if err != nil {
		return err
	}
	defer echo.stop()
	request, err := proto.Marshal(req)
	if err != nil {
		return fmt.Errorf("building a request: %w", err)
	}
	batch, err := callTimes(ctx, conn, healthv1.HealthService_BatchGetHealth_FullMethodName, request)
	if err != nil {
		return fmt.Errorf("calling BatchGetHealth: %w", err)
	}
	bare, err := callTimes(ctx, echo.conn, echoMethod, request)
	if err != nil {
		return fmt.Errorf("calling the echo: %w", err)
	}
	const median, slow = batchRounds / 2, batchRounds * 99 / 100
	return b.report.all("r",
		figure{Name: "BatchGetHealth, 1,000 accounts, p50", Value: batch[median], Unit: "ms"},
		figure{Name: "BatchGetHealth, 1,000 accounts, p99", Value: batch[slow], Unit: "ms"},
		figure{Name: "bare gRPC echo of as many bytes, p50", Value: bare[median], Unit: "ms"},
		figure{Name: "bare gRPC echo of as many bytes, p99", Value: bare[slow], Unit: "ms"},
		figure{Name: "accounts read in batches", Value: batchAccounts * 1000 / batch[median], Unit: "accounts/s"},
		figure{Name: "bare echo over BatchGetHealth, p50", Value: bare[median] / batch[median], Unit: "ratio"},
	)
}

// callTimes calls a method again and again and returns how long each call took, in milliseconds, ordered.
func callTimes(ctx context.Context, conn *grpc.ClientConn, method string, request []byte) ([]float64, error) {
	took := make([]float64, 0, batchRounds)
	for range batchRounds {
		var out []byte
		begun := time.Now()
		if err := conn.Invoke(ctx, method, &request, &out, grpc.ForceCodec(rawCodec{})); err != nil {
			return nil, err //nolint:wrapcheck // the caller knows of what
		}
		took = append(took, float64(time.Since(begun).Microseconds())/1000) // to milliseconds
	}
	slices.Sort(took)
	return took, nil
}
