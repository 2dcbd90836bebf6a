package query_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	logv1 "hale.dev/proto/gen/hale/log/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/scorecard"
	"hale.dev/services/query"
)

func TestABatchHoldsWhatSingleReadsReturn(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := start(t, open(t))

			var ids []string

			for i := range 60 {
				ids = append(ids, accountID(i))
				w.score(home, accountID(i), noon()+int64(i%3)*day, 0, used(accountID(i)))
			}

			// One that stands in parts, one of another workspace, and one that nobody knows.
			var events []*eventv1.Event
			for i := range 600 {
				e := used("big")
				e.UserId = fmt.Sprint("user-", i)
				events = append(events, e)
			}

			w.score(home, "big", noon(), 0, events...)
			w.score("other", "hidden", noon(), 0, used("hidden"))

			ids = slices.Insert(ids, 7, "big", "nobody", "hidden")

			requireBatch := func() {
				got, err := w.health().BatchGetHealth(w.as(access.RoleViewer), &healthv1.BatchGetHealthRequest{AccountIds: ids})
				require.NoError(t, err)
				require.Equal(t, []string{"nobody", "hidden"}, got.GetMissingAccountIds())

				known := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "nobody" || id == "hidden" })
				require.Len(t, got.GetHealths(), len(known))

				for i, id := range known {
					one, err := w.health().GetHealth(w.as(access.RoleViewer), &healthv1.GetHealthRequest{AccountId: id})
					require.NoError(t, err)
					require.True(t, proto.Equal(one.GetHealth(), got.GetHealths()[i]), id)
				}
			}

			requireBatch()

			document := strings.Replace(string(scorecard.ShippedDocument()), "name: onboarding", "name: newcomers", 1)
			w.setScorecards(home, 3, []byte(document), nil)
			requireBatch() // by scorecards that are met for the first time
		})
	}
}

func TestABatchHoldsTheWriteThatItWaitsFor(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := start(t, open(t))
			client, writer := w.health(), w.writer()
			ids := []string{"untouched"}
			w.score(home, "untouched", noon(), stay, used("untouched"))

			scoring, stop := context.WithCancel(t.Context())
			release := make(chan struct{})

			var scorer sync.WaitGroup

			// Nothing is scored before the batch waits, and one account is written in each partition and more.
			scorer.Go(func() {
				<-release

				_ = w.log.Read(scoring, 0, 0, w.follow)
			})

			var items []eventlog.Item

			for i := range 3 * partitions {
				ids = append(ids, accountID(i))
				items = append(items, eventlog.Item{
					Partition: w.log.Layout().Partition(home, accountID(i)),
					Record: &logv1.Record{
						Workspace: home, Payload: &logv1.Record_Event{Event: used(accountID(i))},
					},
				})
			}

			token, err := writer.Write(t.Context(), items)
			require.NoError(t, err)

			req := &healthv1.BatchGetHealthRequest{AccountIds: ids, AtLeast: token.String()}
			answered := make(chan *healthv1.BatchGetHealthResponse, 1)

			go func() {
				got, err := client.BatchGetHealth(w.as(access.RoleViewer), req)
				if err != nil {
					t.Errorf("reading the batch: %v", err)
				}

				answered <- got
			}()

			without, err := client.BatchGetHealth(w.as(access.RoleViewer), &healthv1.BatchGetHealthRequest{AccountIds: ids})
			require.NoError(t, err)
			require.Equal(t, ids[1:], without.GetMissingAccountIds(), "who does not wait gets what there is")
			require.Empty(t, answered)
			close(release)

			got := <-answered

			stop()
			scorer.Wait()
			require.Empty(t, got.GetMissingAccountIds())

			found := make([]string, 0, len(ids))

			for _, h := range got.GetHealths() {
				found = append(found, h.GetAccountId())
				require.NotNil(t, h.Score)
			}

			require.Equal(t, ids, found)
		})
	}
}

func TestABatchWaitsForAWrite(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t), func(c *query.Config, _ *query.Deps) { c.MaxWait = 20 * time.Millisecond })
	token, _, _ := w.write(w.writer(), "acme")
	req := &healthv1.BatchGetHealthRequest{AccountIds: []string{"acme", "other"}, AtLeast: token}

	_, err := w.health().BatchGetHealth(w.as(access.RoleViewer), req)
	requireError(t, err, codes.DeadlineExceeded, "NOT_YET_VISIBLE")

	req.AtLeast = "x"
	_, err = w.health().BatchGetHealth(w.as(access.RoleViewer), req)
	requireError(t, err, codes.InvalidArgument, "TOKEN_UNKNOWN")

	req.AtLeast, req.AccountIds = "", []string{"twice", "twice"}
	_, err = w.health().BatchGetHealth(w.as(access.RoleViewer), req)
	requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID")
}
