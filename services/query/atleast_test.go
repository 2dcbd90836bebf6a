package query_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	healthv1 "hale.dev/proto/gen/hale/health/v1"
	"hale.dev/services/internal/access"
	"hale.dev/services/internal/eventlog"
	"hale.dev/services/query"
)

func TestAtLeast(t *testing.T) {
	t.Parallel()

	for name, open := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := start(t, open(t))
			client, writer := w.health(), w.writer()

			// Many write, and read what they wrote; meanwhile a scorer follows the log.
			const writes = 60

			scoring, stop := context.WithCancel(t.Context())

			var readers, scorer sync.WaitGroup

			scorer.Go(func() {
				_ = w.log.Read(scoring, 0, 0, w.follow)
			})

			for i := range writes {
				readers.Go(func() {
					account := accountID(i)
					token, _, _ := w.write(writer, account)
					ctx := w.as(access.RoleViewer)

					got, err := client.GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: account, AtLeast: token})
					if err != nil || got.GetHealth().GetAccountId() != account {
						t.Errorf("reading %s: %v, %v", account, got, err)
					}

					list, err := client.ListAccounts(ctx, &healthv1.ListAccountsRequest{
						AtLeast: token, OrderBy: "account_id", PageSize: 1000,
					})
					if err != nil || !lists(list, account) {
						t.Errorf("%s is not in the list: %v", account, err)
					}
				})
			}

			readers.Wait()
			stop()
			scorer.Wait()
		})
	}
}

// follow scores the events of a message; the cursor moves with the last.
func (w *world) follow(m *eventlog.Message) error {
	for i, r := range m.Records {
		sequence := uint64(stay)
		if i == len(m.Records)-1 {
			sequence = m.Sequence
		}

		w.score(r.GetWorkspace(), r.GetEvent().GetAccountId(), m.Time, sequence, r.GetEvent())
	}

	return nil
}

func lists(l *healthv1.ListAccountsResponse, account string) bool {
	for _, a := range l.GetAccounts() {
		if a.GetAccountId() == account {
			return true
		}
	}

	return false
}

func TestAtLeastWithoutTheWrite(t *testing.T) {
	t.Parallel()

	short := func(c *query.Config, _ *query.Deps) { c.MaxWait = 30 * time.Millisecond }

	t.Run("gives up when the service has waited long enough", func(t *testing.T) {
		t.Parallel()

		w := start(t, openMemory(t), short)
		token, _, _ := w.write(w.writer(), "acme")

		_, err := w.health().GetHealth(w.as(access.RoleViewer),
			&healthv1.GetHealthRequest{AccountId: "acme", AtLeast: token})
		requireError(t, err, codes.DeadlineExceeded, "NOT_YET_VISIBLE")
		_, err = w.health().GetHistory(w.as(access.RoleViewer),
			&healthv1.GetHistoryRequest{AccountId: "acme", AtLeast: token})
		requireError(t, err, codes.DeadlineExceeded, "NOT_YET_VISIBLE")
		_, err = w.health().ListAccounts(w.as(access.RoleViewer), &healthv1.ListAccountsRequest{AtLeast: token})
		requireError(t, err, codes.DeadlineExceeded, "NOT_YET_VISIBLE")
	})

	t.Run("says so before the caller's own deadline", func(t *testing.T) {
		t.Parallel()

		w := start(t, openMemory(t))
		token, _, _ := w.write(w.writer(), "acme")

		ctx, cancel := context.WithTimeout(w.as(access.RoleViewer), 10*time.Second)
		defer cancel()

		_, err := w.health().GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "acme", AtLeast: token})
		requireError(t, err, codes.DeadlineExceeded, "NOT_YET_VISIBLE")
	})

	t.Run("waits for the account's own partition only", func(t *testing.T) {
		t.Parallel()

		w := start(t, openMemory(t), short)
		w.score(home, "acme", noon(), 0, used("acme"))

		writer, i := w.writer(), 0
		for w.log.Layout().Partition(home, accountID(i)) == w.log.Layout().Partition(home, "acme") {
			i++
		}

		token, _, _ := w.write(writer, accountID(i))

		_, err := w.health().GetHealth(w.as(access.RoleViewer),
			&healthv1.GetHealthRequest{AccountId: "acme", AtLeast: token})
		require.NoError(t, err)
	})

	t.Run("ends with a caller who goes", func(t *testing.T) {
		t.Parallel()

		w := start(t, openMemory(t))
		token, _, _ := w.write(w.writer(), "acme")
		ctx, cancel := context.WithCancel(w.as(access.RoleViewer))
		time.AfterFunc(50*time.Millisecond, cancel)

		_, err := w.health().GetHealth(ctx, &healthv1.GetHealthRequest{AccountId: "acme", AtLeast: token})
		require.Equal(t, codes.Canceled, status.Code(err))
	})
}
