package client_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"hale.dev/proto/client"
	healthv1 "hale.dev/proto/gen/hale/health/v1"
)

// fake is a query service with five accounts, a to e.
type fake struct {
	healthv1.UnimplementedHealthServiceServer

	mu       sync.Mutex
	failures int      // how many calls are still answered UNAVAILABLE
	refused  string   // why all calls are refused
	calls    int      // how many came
	keys     []string // what came as authorization
	watches  []*healthv1.WatchHealthRequest
	// parts are what each watch sends before it breaks; the last one stays open.
	parts [][]*healthv1.WatchHealthResponse
}

// serve runs a fake on loopback and returns its address.
func serve(f *fake) (address string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}

	server := grpc.NewServer()
	healthv1.RegisterHealthServiceServer(server, f)

	var served sync.WaitGroup

	served.Go(func() { _ = server.Serve(listener) })

	return listener.Addr().String(), func() { server.Stop(); served.Wait() }, nil
}

// dial runs a fake for a test, and a client of it.
func dial(t *testing.T, f *fake, options ...client.Option) *client.Client {
	t.Helper()

	address, stop, err := serve(f)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(stop)

	c, err := client.Dial(address, options...)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})

	return c
}

// refusal is an error as Hale answers it.
func refusal(code codes.Code, reason string, more ...protoadapt.MessageV1) error {
	st, err := status.New(code, "refused").WithDetails(append(more, &errdetails.ErrorInfo{Reason: reason, Domain: "hale.dev"})...)
	if err != nil {
		return err
	}

	return st.Err()
}

// come counts a call and reports why it fails.
func (f *fake) come(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()

	f.calls++
	f.keys = append(f.keys, metadata.ValueFromIncomingContext(ctx, "authorization")...)

	if f.refused != "" {
		return refusal(codes.InvalidArgument, f.refused)
	}

	if f.failures > 0 {
		f.failures--

		return refusal(codes.Unavailable, "LISTS_FILLING")
	}

	return nil
}

func (f *fake) GetHealth(ctx context.Context, req *healthv1.GetHealthRequest) (*healthv1.GetHealthResponse, error) {
	if err := f.come(ctx); err != nil {
		return nil, err
	}

	switch req.GetAccountId() {
	case "":
		return nil, refusal(codes.InvalidArgument, "REQUEST_INVALID", &errdetails.BadRequest{
			FieldViolations: []*errdetails.BadRequest_FieldViolation{
				{Field: "account_id", Description: "is too short", Reason: "string.min_len"},
			},
		})
	case "nobody":
		return nil, refusal(codes.NotFound, "ACCOUNT_NOT_FOUND")
	}

	score := 71.5

	return &healthv1.GetHealthResponse{Health: &healthv1.AccountHealth{
		AccountId: req.GetAccountId(), Score: &score, Band: healthv1.Band_BAND_STEADY,
	}}, nil
}

func (f *fake) SetPulse(ctx context.Context, _ *healthv1.SetPulseRequest) (*healthv1.SetPulseResponse, error) {
	if err := f.come(ctx); err != nil {
		return nil, err
	}

	return &healthv1.SetPulseResponse{}, nil
}

// ListAccounts answers two accounts a page; the token is the first letter of the next.
func (f *fake) ListAccounts(
	ctx context.Context, req *healthv1.ListAccountsRequest,
) (*healthv1.ListAccountsResponse, error) {
	if err := f.come(ctx); err != nil {
		return nil, err
	}

	const first, last = 'a', 'e'

	at := first
	if token := req.GetPageToken(); token != "" {
		at = rune(token[0])
	}

	if at > last {
		return nil, refusal(codes.InvalidArgument, "PAGE_TOKEN_INVALID")
	}

	answer := &healthv1.ListAccountsResponse{}
	for ; len(answer.GetAccounts()) < 2 && at <= last; at++ {
		answer.Accounts = append(answer.Accounts, &healthv1.AccountSummary{AccountId: string(at)})
	}

	if at <= last {
		answer.NextPageToken = string(at)
	}

	return answer, nil
}

func (f *fake) WatchHealth(
	req *healthv1.WatchHealthRequest, stream grpc.ServerStreamingServer[healthv1.WatchHealthResponse],
) error {
	if err := f.come(stream.Context()); err != nil {
		return err
	}

	f.mu.Lock()
	parts := f.parts[min(len(f.watches), len(f.parts)-1)]
	f.watches = append(f.watches, req)
	last := len(f.watches) >= len(f.parts)
	f.mu.Unlock()

	for _, p := range parts {
		if err := stream.Send(p); err != nil {
			return err
		}
	}

	if last {
		<-stream.Context().Done()
	}

	return refusal(codes.Unavailable, "STOPPING")
}
