package reject_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/eventlog/natsserver/natstest"
	"hale.dev/services/internal/reject"
)

const patience = 2 * time.Minute

func ctxOf(t testing.TB) context.Context {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)

	return ctx
}

func open(t testing.TB, js jetstream.JetStream, o reject.Options) *reject.Stream {
	t.Helper()

	s, err := reject.Open(ctxOf(t), js, o)
	require.NoError(t, err)

	return s
}

func newStream(t testing.TB, o reject.Options) *reject.Stream {
	t.Helper()

	return open(t, natstest.JetStream(t), o)
}

// entry is a refused event.
func entry(workspace, code, id string) reject.Reject {
	return reject.Reject{
		ID: id, Workspace: workspace, Code: code, Field: "ticket.severity", Message: "must be low to urgent",
		MessageID: "m-" + id, AccountID: "acme", Origin: "native", Body: []byte(`{"kind":"ticket"}`),
	}
}

func entries(workspace, code, prefix string, n int) []reject.Reject {
	all := make([]reject.Reject, n)
	for i := range all {
		all[i] = entry(workspace, code, fmt.Sprintf("%s%d", prefix, i))
	}

	return all
}

func ids(all []reject.Stored) []string {
	found := make([]string, len(all))
	for i, s := range all {
		found[i] = s.ID
	}

	return found
}

// putOneByOne keeps the order, which one Put of many does not.
func putOneByOne(t testing.TB, s *reject.Stream, all ...reject.Reject) {
	t.Helper()

	for _, r := range all {
		require.NoError(t, s.Put(ctxOf(t), r))
	}
}
