package query_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
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
				got, err := w.health().BatchGetHealth(w.as(access.RoleQuery), &healthv1.BatchGetHealthRequest{AccountIds: ids})
				require.NoError(t, err)
				require.Equal(t, []string{"nobody", "hidden"}, got.GetMissingAccountIds())

				known := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "nobody" || id == "hidden" })
				require.Len(t, got.GetHealths(), len(known))

				for i, id := range known {
					one, err := w.health().GetHealth(w.as(access.RoleQuery), &healthv1.GetHealthRequest{AccountId: id})
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

func TestABatchWaitsForAWrite(t *testing.T) {
	t.Parallel()

	w := start(t, openMemory(t), func(c *query.Config, _ *query.Deps) { c.MaxWait = 20 * time.Millisecond })
	token, _, _ := w.write(w.writer(), "acme")
	req := &healthv1.BatchGetHealthRequest{AccountIds: []string{"acme", "other"}, AtLeast: token}

	_, err := w.health().BatchGetHealth(w.as(access.RoleQuery), req)
	requireError(t, err, codes.DeadlineExceeded, "NOT_YET_VISIBLE")

	req.AtLeast = "x"
	_, err = w.health().BatchGetHealth(w.as(access.RoleQuery), req)
	requireError(t, err, codes.InvalidArgument, "TOKEN_UNKNOWN")

	req.AtLeast, req.AccountIds = "", []string{"twice", "twice"}
	_, err = w.health().BatchGetHealth(w.as(access.RoleQuery), req)
	requireError(t, err, codes.InvalidArgument, "REQUEST_INVALID")
}
