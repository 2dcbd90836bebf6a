package ingest

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/directory"
)

// eventually waits until an event is in the log.
func (b *bundle) eventually(t *testing.T, id string) {
	t.Helper()
	require.Eventually(t, func() bool { return b.event(id) != nil }, patience, 5*time.Millisecond, id)
}

func TestRouting(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})

	account := func(t *testing.T, id, want string) {
		t.Helper()

		e := b.event(id)
		require.NotNil(t, e, id)
		require.Equal(t, want, e.GetAccountId())
	}

	t.Run("an event goes to the account its user had at its own time", func(t *testing.T) {
		t.Parallel()

		// The client's clock is an hour ahead; the group calls are on the same clock as the events.
		a := b.post(batch, b.ingest, `{"sentAt":"2026-03-04T06:06:07Z","batch":[
			{"type":"group","messageId":"r1","userId":"r","groupId":"one","timestamp":"2026-03-04T05:00:00Z"},
			{"type":"track","messageId":"r2","userId":"r","event":"E","timestamp":"2026-03-04T05:30:00Z"},
			{"type":"group","messageId":"r3","userId":"r","groupId":"two","timestamp":"2026-03-04T06:00:00Z"},
			{"type":"track","messageId":"r4","userId":"r","event":"E","timestamp":"2026-03-04T05:59:00Z"},
			{"type":"track","messageId":"r5","userId":"r","event":"E","timestamp":"2026-03-04T06:00:00Z"},
			{"type":"track","messageId":"r6","userId":"r","event":"E","timestamp":"2026-03-04T04:00:00Z"}]}`)
		require.Equal(t, 6, a.Accepted, "%+v", a)
		account(t, "r2", "one")
		account(t, "r4", "one")
		account(t, "r5", "two")
		account(t, "r6", "one")
	})

	t.Run("an event before its group call in a batch waits, and goes by itself", func(t *testing.T) {
		t.Parallel()

		a := b.post(batch, b.ingest, `{"batch":[
			{"type":"track","messageId":"w1","userId":"w","event":"E","timestamp":"2026-03-04T04:00:00Z"},
			{"type":"group","messageId":"w2","userId":"w","groupId":"late"}]}`)
		require.Equal(t, map[int]Code{0: CodeUnknownUser}, a.codes())
		b.eventually(t, "w1")
		account(t, "w1", "late")
		require.Eventually(t, func() bool {
			for _, s := range b.kept(CodeUnknownUser) {
				if s.MessageID == "w1" {
					return false
				}
			}

			_, unsettled, err := b.directory.Unsettled(t.Context(), "w", "w")

			return err == nil && !unsettled
		}, patience, 5*time.Millisecond)
	})

	t.Run("waiting events go where their own time says, and keep their corrected time", func(t *testing.T) {
		t.Parallel()

		a := b.post(batch, b.ingest, `{"sentAt":"2026-03-04T06:06:07Z","batch":[
			{"type":"track","messageId":"k1","userId":"k","event":"E","timestamp":"2026-03-04T05:30:00Z"},
			{"type":"track","messageId":"k2","userId":"k","event":"E","timestamp":"2026-03-04T06:00:00Z"}]}`)
		require.Len(t, a.Rejected, 2)
		b.post(batch, b.ingest, `{"batch":[
			{"type":"group","messageId":"k3","userId":"k","groupId":"one","timestamp":"2026-03-04T05:00:00Z"},
			{"type":"group","messageId":"k4","userId":"k","groupId":"two","timestamp":"2026-03-04T05:45:00Z"}]}`)
		b.eventually(t, "k1")
		b.eventually(t, "k2")
		account(t, "k1", "one")
		account(t, "k2", "two")
		require.Equal(t, "2026-03-04T05:00:00Z", b.event("k2").GetOccurredAt().AsTime().Format(time.RFC3339))
	})

	t.Run("an alias lets either name find the account, whenever it is told", func(t *testing.T) {
		t.Parallel()

		b.post(track, b.ingest, `{"messageId":"l1","userId":"old","event":"E"}`)
		a := b.post("/v1/alias", b.ingest, `{"messageId":"l2","previousId":"old","userId":"new"}`)
		require.Equal(t, map[int]Code{0: CodeUnknownUser}, a.codes())
		b.post(track, b.ingest, `{"messageId":"l3","userId":"new","event":"E"}`)
		b.post("/v1/group", b.ingest, `{"messageId":"l4","userId":"old","groupId":"joined"}`)

		for _, id := range []string{"l1", "l2", "l3"} {
			b.eventually(t, id)
			account(t, id, "joined")
		}
	})

	t.Run("native events learn and are routed too", func(t *testing.T) {
		t.Parallel()

		a := b.post(events, b.ingest, `[
			{"type":"user","id":"n1","account":"nat","user":"nu","role":"admin"},
			{"type":"usage","id":"n2","user":"nu","feature":"f"},
			{"type":"login","id":"n3","user":"stranger"}]`)
		require.Equal(t, map[int]Code{2: CodeUnknownUser}, a.codes())
		account(t, "n2", "nat")
		b.post(events, b.ingest, `{"type":"user","id":"n4","account":"far","user":"stranger"}`)
		b.eventually(t, "n3")
		account(t, "n3", "far")
	})

	t.Run("workspaces have users of their own", func(t *testing.T) {
		t.Parallel()

		b.post("/v1/group", b.ingest, `{"messageId":"o1","userId":"shared","groupId":"mine"}`)
		a := b.post(track, b.otherSpace, `{"messageId":"o2","userId":"shared","event":"E"}`)
		require.Equal(t, map[int]Code{0: CodeUnknownUser}, a.codes())
	})

	t.Run("a group call that is refused teaches nothing", func(t *testing.T) {
		t.Parallel()

		b.post("/v1/group", b.ingest, `{"messageId":"q1","userId":"q","groupId":"q","traits":{"seats":-1}}`)
		known, err := b.directory.Known(t.Context(), "w", "q")
		require.NoError(t, err)
		require.False(t, known)
	})
}

func TestUnknownUsersRace(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})

	const users = 20

	var wg sync.WaitGroup

	for i := range users {
		wg.Go(func() {
			for j := range 5 {
				b.post(track, b.ingest, fmt.Sprintf(`{"messageId":"u%d-%d","userId":"u%d","event":"E"}`, i, j, i))
			}
		})
		wg.Go(func() {
			b.post("/v1/group", b.ingest, fmt.Sprintf(`{"messageId":"g%d","userId":"u%d","groupId":"a%d"}`, i, i, i))
		})
	}

	wg.Wait()
	require.Eventually(t, func() bool { return len(b.kept(CodeUnknownUser)) == 0 }, patience, 10*time.Millisecond)

	found := make(map[string]int)
	for _, r := range b.records() {
		found[r.GetEvent().GetMessageId()]++
	}

	require.GreaterOrEqual(t, len(found), users*6)
}

func TestWaitingSurvivesAMissedWake(t *testing.T) {
	t.Parallel()

	b := newBundle(t, Config{})
	b.post(track, b.ingest, `{"messageId":"c1","userId":"c","event":"E"}`)

	// A process learned the account, and died before it sent anything again.
	other, err := directory.Open(t.Context(), b.log.JetStream(), directory.Options{})
	require.NoError(t, err)

	defer other.Close()

	_, err = other.Assign(t.Context(), "w", "c", "acc", 1)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, known, err := b.directory.Lookup(t.Context(), "w", "c", 1)

		return err == nil && known
	}, patience, time.Millisecond)

	a := b.post(track, b.ingest, `{"messageId":"c2","userId":"c","event":"E"}`)
	require.Equal(t, http.StatusOK, a.status)
	b.eventually(t, "c1")
}
