package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"hale.dev/proto/client"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

func TestDial(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		name, address string
		options       []client.Option
		want          error
	}{
		{"a key stays on this machine", "127.0.0.1:9090", []client.Option{client.WithKey("k")}, nil},
		{"of IPv6 as well", "[::1]:9090", []client.Option{client.WithKey("k")}, nil},
		{"or under its name", "localhost:9090", []client.Option{client.WithKey("k")}, nil},
		{"it does not leave it in plain text", "hale.example.com:9090", []client.Option{client.WithKey("k")}, client.ErrPlaintextKey},
		{"nor to an address", "192.0.2.1:9090", []client.Option{client.WithKey("k")}, client.ErrPlaintextKey},
		{"nor through a resolver", "dns:///localhost:9090", []client.Option{client.WithKey("k")}, client.ErrPlaintextKey},
		{"unless told so", "192.0.2.1:9090", []client.Option{client.WithKey("k"), client.WithPlaintext()}, nil},
		{"with TLS it may", "192.0.2.1:9090", []client.Option{client.WithKey("k"), client.WithTLS(nil)}, nil},
		{"without a key anything may", "192.0.2.1:9090", nil, nil},
		{
			"plain text and TLS exclude each other", "127.0.0.1:9090",
			[]client.Option{client.WithTLS(&tls.Config{MinVersion: tls.VersionTLS13}), client.WithPlaintext()},
			client.ErrTransport,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()

			got, err := client.Dial(c.address, c.options...)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}

			if err == nil {
				if err := got.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestKey(t *testing.T) {
	t.Parallel()

	f := &fake{}
	c := dial(t, f, client.WithKey("hale_query_x"))

	if _, err := c.Health.GetHealth(t.Context(), &healthv1.GetHealthRequest{AccountId: "acme"}); err != nil {
		t.Fatal(err)
	}

	if want := []string{"Bearer hale_query_x"}; !slices.Equal(f.keys, want) {
		t.Errorf("got %q, want %q", f.keys, want)
	}
}

func TestReadsAreTriedAgain(t *testing.T) {
	t.Parallel()

	f := &fake{failures: 2}
	c := dial(t, f)

	if _, err := c.Health.GetHealth(t.Context(), &healthv1.GetHealthRequest{AccountId: "acme"}); err != nil {
		t.Fatal(err)
	}

	if f.calls != 3 {
		t.Errorf("it came %d times, want 3", f.calls)
	}
}

func TestWritesAreNotTriedAgain(t *testing.T) {
	t.Parallel()

	f := &fake{failures: 1}
	c := dial(t, f)

	_, err := c.Health.SetPulse(t.Context(), &healthv1.SetPulseRequest{AccountId: "acme"})
	if status.Code(err) != codes.Unavailable || f.calls != 1 {
		t.Errorf("got %v after %d calls, want UNAVAILABLE after 1", err, f.calls)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()

	c := dial(t, &fake{})
	_, err := c.Health.GetHealth(t.Context(), &healthv1.GetHealthRequest{})

	if got := client.Reason(err); got != "REQUEST_INVALID" {
		t.Errorf("reason is %q", got)
	}

	want := []client.Violation{{Field: "account_id", Description: "is too short", Code: "string.min_len"}}
	if got := client.Violations(err); !slices.Equal(got, want) {
		t.Errorf("violations are %v, want %v", got, want)
	}

	for _, other := range []error{nil, errors.New("of another kind"), context.Canceled} {
		if client.Reason(other) != "" || client.Violations(other) != nil {
			t.Errorf("%v has a reason", other)
		}
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()

	f := &fake{}
	c := dial(t, f)
	list := func(req *healthv1.ListAccountsRequest) (ids []string, failed error) {
		for a, err := range c.Accounts(t.Context(), req) {
			if err != nil {
				return ids, err
			}

			ids = append(ids, a.GetAccountId())
		}

		return ids, nil
	}

	req := &healthv1.ListAccountsRequest{}

	ids, err := list(req)
	if want := []string{"a", "b", "c", "d", "e"}; err != nil || !slices.Equal(ids, want) || f.calls != 3 {
		t.Errorf("got %v and %v in %d pages", ids, err, f.calls)
	}

	if req.GetPageToken() != "" {
		t.Error("the request was changed")
	}

	if ids, err = list(nil); err != nil || len(ids) != 5 {
		t.Errorf("no request got %v and %v", ids, err)
	}

	if _, err = list(&healthv1.ListAccountsRequest{PageToken: "z"}); client.Reason(err) != "PAGE_TOKEN_INVALID" {
		t.Errorf("a bad token got %v", err)
	}

	f.calls = 0
	for _, err := range c.Accounts(t.Context(), nil) {
		if err != nil {
			t.Error(err)
		}

		break
	}

	if f.calls != 1 {
		t.Errorf("stopping at the first account asked for %d pages", f.calls)
	}
}
