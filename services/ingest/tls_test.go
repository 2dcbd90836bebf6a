package ingest

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	eventv1 "hale.dev/proto/gen/hale/event/v1"
	ingestv1 "hale.dev/proto/gen/hale/ingest/v1"
	"hale.dev/services/internal/listener/listenertest"
)

func TestMutualTLS(t *testing.T) {
	t.Parallel()

	ours, theirs := listenertest.New(t), listenertest.New(t)
	cert, key := ours.Issue(t, t.TempDir(), 1)
	b := newBundle(t, Config{TLSCert: cert, TLSKey: key, TLSClientCA: ours.File})

	post := func(client *tls.Config, id string) error {
		transport := &http.Transport{TLSClientConfig: client}
		defer transport.CloseIdleConnections()

		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+b.service.HTTPAddr().String()+"/v1/events",
			strings.NewReader(`[{"type":"usage","id":"`+id+`","account":"a","feature":"f"}]`))
		require.NoError(t, err)
		r.SetBasicAuth(b.ingest, "")
		r.Header.Set("Content-Type", "application/json")

		answer, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			return err
		}

		require.Equal(t, http.StatusOK, answer.StatusCode)

		return answer.Body.Close()
	}

	publish := func(client *tls.Config, id string) error {
		cc, err := grpc.NewClient(b.service.GRPCAddr().String(), grpc.WithTransportCredentials(credentials.NewTLS(client)))
		require.NoError(t, err)

		_, err = ingestv1.NewIngestServiceClient(cc).Publish(withKey(t, b.ingest), &ingestv1.PublishRequest{
			Events: []*eventv1.Event{usage(id)},
		})
		require.NoError(t, cc.Close())

		return err
	}

	for name, send := range map[string]func(*tls.Config, string) error{"http": post, "grpc": publish} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.NoError(t, send(ours.Client(t, ours), name+"1"))
			require.NotNil(t, b.event(name+"1"))

			require.Error(t, send(ours.Client(t, nil), name+"2"), "a key alone does not open it")
			require.Error(t, send(ours.Client(t, theirs), name+"2"), "nor does a certificate of somebody else")
			require.Error(t, send(theirs.Client(t, ours), name+"2"), "who trusts others does not send here")
			require.Nil(t, b.event(name+"2"))
		})
	}

	// Without TLS nothing is answered.
	_, err := ingestv1.NewIngestServiceClient(dial(t, b)).Publish(withKey(t, b.ingest), &ingestv1.PublishRequest{})
	require.Equal(t, codes.Unavailable, status.Code(err))
	require.Equal(t, http.StatusBadRequest, plainStatus(t, "http://"+b.service.HTTPAddr().String()))
}

// plainStatus is what a listener with TLS says to who does without.
func plainStatus(t *testing.T, url string) int {
	t.Helper()

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())

	return answer.StatusCode
}
