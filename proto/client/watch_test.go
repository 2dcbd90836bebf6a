package client_test

import (
	"context"
	"slices"
	"testing"

	"hale.dev/proto/client"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// part is one part of a watch.
func part(token string, accounts ...string) *healthv1.WatchHealthResponse {
	p := &healthv1.WatchHealthResponse{ResumeToken: token}
	for _, id := range accounts {
		p.Changes = append(p.Changes, &healthv1.AccountChange{Account: &healthv1.AccountSummary{AccountId: id}})
	}

	return p
}

// follow watches until so many parts came.
func follow(t *testing.T, f *fake, req *healthv1.WatchHealthRequest, n int) (ids []string, resets int) {
	t.Helper()

	c := dial(t, f)

	for p, err := range c.Watch(t.Context(), req) {
		if err != nil {
			t.Fatal(err)
		}

		if p.GetReset_() {
			resets++
			ids = nil
		}

		for _, change := range p.GetChanges() {
			ids = append(ids, change.GetAccount().GetAccountId())
		}

		if n--; n == 0 {
			break
		}
	}

	return ids, resets
}

func TestWatchGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()

	f := &fake{failures: 1, parts: [][]*healthv1.WatchHealthResponse{
		{part("1", "a"), part("2", "b")}, {part("3", "c")}, {}, {part("4", "d")},
	}}
	req := &healthv1.WatchHealthRequest{Filter: "arr > 1"}
	ids, resets := follow(t, f, req, 4)

	if want := []string{"a", "b", "c", "d"}; !slices.Equal(ids, want) || resets != 0 {
		t.Errorf("got %v with %d resets", ids, resets)
	}

	var tokens []string
	for _, w := range f.watches {
		tokens = append(tokens, w.GetFilter()+w.GetResumeToken())
	}

	if want := []string{"arr > 1", "arr > 12", "arr > 13", "arr > 13"}; !slices.Equal(tokens, want) {
		t.Errorf("it came with %q", tokens)
	}

	if req.GetResumeToken() != "" {
		t.Error("the request was changed")
	}
}

func TestWatchBeginsABrokenSnapshotAnew(t *testing.T) {
	t.Parallel()

	f := &fake{parts: [][]*healthv1.WatchHealthResponse{
		{part("", "a")}, {part("", "a"), part("1", "b")},
	}}
	ids, resets := follow(t, f, &healthv1.WatchHealthRequest{Snapshot: true}, 3)

	if want := []string{"a", "b"}; !slices.Equal(ids, want) || resets != 1 {
		t.Errorf("got %v with %d resets, want %v with 1", ids, resets, want)
	}
}

func TestWatchEnds(t *testing.T) {
	t.Parallel()

	t.Run("with an error that coming again does not mend", func(t *testing.T) {
		t.Parallel()

		c := dial(t, &fake{refused: "TOKEN_UNKNOWN"})

		var errs []error

		for _, err := range c.Watch(t.Context(), nil) {
			errs = append(errs, err)
		}

		if len(errs) != 1 || client.Reason(errs[0]) != "TOKEN_UNKNOWN" {
			t.Errorf("got %v", errs)
		}
	})

	t.Run("with its context, without an error", func(t *testing.T) {
		t.Parallel()

		c := dial(t, &fake{parts: [][]*healthv1.WatchHealthResponse{{part("1", "a")}}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()

		for _, err := range c.Watch(ctx, nil) {
			if err != nil {
				t.Error(err)
			}

			cancel()
		}
	})
}
