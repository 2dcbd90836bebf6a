package sender_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"

	"hale.dev/services/internal/egress"
	"hale.dev/services/notify/internal/sender"
)

// egressDefault reaches only what is public.
var egressDefault egress.Config

// now is the clock of most tests.
var now = time.Date(2026, time.November, 2, 10, 0, 0, 0, time.UTC)

// call is a request that a receiver got.
type call struct {
	path   string
	header http.Header
	body   []byte
}

// answer is what a receiver says to it; zero: 200.
type answer struct {
	status int
	header map[string]string
	body   string
}

// receiver is a server that remembers calls, and answers in turn; then 200.
type receiver struct {
	*httptest.Server

	mutex   sync.Mutex
	calls   []call
	answers []answer
}

func newReceiver(t *testing.T, answers ...answer) *receiver {
	t.Helper()
	r := &receiver{answers: answers}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)

	return r
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)

	r.mutex.Lock()
	defer r.mutex.Unlock()

	r.calls = append(r.calls, call{request.URL.Path, request.Header, body})

	var a answer
	if len(r.answers) > 0 {
		a, r.answers = r.answers[0], r.answers[1:]
	}

	for name, value := range a.header {
		w.Header().Set(name, value)
	}

	if a.status != 0 {
		w.WriteHeader(a.status)
	}

	_, _ = io.WriteString(w, a.body)
}

func (r *receiver) got() []call {
	r.mutex.Lock()
	defer r.mutex.Unlock()

	return r.calls
}

// secrets are those that the tests' references stand for.
func secrets(values map[string]string) *sender.Secrets {
	return &sender.Secrets{LookupEnv: func(name string) (string, bool) {
		value, ok := values[name]

		return value, ok
	}}
}

// build makes a sender that may reach this machine.
func build(t *testing.T, settings sender.Settings, values map[string]string) sender.Sender {
	t.Helper()
	s, err := sender.New(settings, deps(t, values, egress.Config{Allow: []string{"127.0.0.1"}}))
	require.NoError(t, err)

	return s
}

func deps(t *testing.T, values map[string]string, c egress.Config) sender.Deps {
	t.Helper()
	guard, err := egress.New(c)
	require.NoError(t, err)
	t.Cleanup(guard.Close)

	return sender.Deps{Egress: guard, Secrets: secrets(values), Now: func() time.Time { return now }}
}

// refusal is the error that a sender returned.
func refusal(t *testing.T, err error) *sender.Error {
	t.Helper()
	refused := new(sender.Error)
	require.ErrorAs(t, err, &refused)

	return refused
}

// preview is what would be sent.
func preview(t *testing.T, settings sender.Settings, n *sender.Notification) []sender.Payload {
	t.Helper()
	payloads, err := sender.Preview(settings, n)
	require.NoError(t, err)

	return payloads
}

// conforms checks JSON against a schema of testdata.
func conforms(t *testing.T, schema string, body []byte) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiled, err := compiler.Compile("testdata/" + schema)
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, compiled.Validate(value), string(body))
}

func decode[T any](t *testing.T, body []byte) T {
	t.Helper()

	var value T
	require.NoError(t, json.Unmarshal(body, &value), string(body))

	return value
}

// one is a notification of one alert, changed by f.
func one(f func(*alertv1.Transition)) *sender.Notification {
	n := sender.Sample()
	n.Alerts = n.Alerts[:1]

	if f != nil {
		f(n.Alerts[0])
	}

	return n
}

// many is a notification of n alerts, each of an account with a long name.
func many(count int, name string) *sender.Notification {
	n := sender.Sample()
	first := n.Alerts[0]
	n.Alerts = nil

	for range count {
		t := proto.CloneOf(first)
		t.Alert.Subject.Name, t.Alert.Summary, t.Note = name, name, name
		n.Alerts = append(n.Alerts, t)
	}

	return n
}

// digest is a notification of what happened in a week.
func digest() *sender.Notification {
	n := sender.Sample()
	subject := n.Alerts[0].Alert.Subject
	n.ID, n.Digest = "digest-1", &sender.Digest{
		Owner: "dana@example.com", From: now.AddDate(0, 0, -7), To: now,
		Fell:     []sender.Move{{Account: sender.Account{ID: "acme", Subject: subject}, Before: 70, After: 37.5}},
		Rose:     []sender.Move{{Account: sender.Account{ID: "b<b>&b", Subject: nil}, Before: 20, After: 45}},
		Renewals: []sender.Account{{ID: "acme", Subject: subject}},
		Open:     []*alertv1.Alert{n.Alerts[0].Alert},
	}
	n.Alerts = nil

	return n
}

// state changes what an alert waits for.
func state(s alertv1.State, kind alertv1.Transition_Kind) func(*alertv1.Transition) {
	return func(t *alertv1.Transition) {
		t.Kind, t.Alert.State, t.Author = kind, s, "eve@example.com"
		if s == alertv1.State_STATE_RESOLVED {
			t.Alert.ResolveTime = timestamppb.New(now)
		}
	}
}
