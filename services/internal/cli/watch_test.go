package cli_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/internal/cli"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

// following is a command that runs until it is told to end.
type following struct {
	out, err telemetrytest.Buffer
	cancel   context.CancelFunc
	code     chan int
}

func follow(t *testing.T, args ...string) *following {
	t.Helper()

	ctx, cancel := context.WithCancel(context.Background())
	f := &following{cancel: cancel, code: make(chan int, 1)}

	go func() {
		f.code <- cli.Main(ctx, args, cli.IO{
			In: strings.NewReader(""), Out: &f.out, Err: &f.err, Program: "bin/hale", Version: "1.2.3",
		})
	}()

	t.Cleanup(cancel)

	return f
}

// until waits for a text in what the command prints.
func (f *following) until(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(f.out.String(), text) }, 60*time.Second,
		10*time.Millisecond, "%s is not in it", text)
}

// end tells the command to end, and returns the token that it leaves.
func (f *following) end(t *testing.T) string {
	t.Helper()
	f.cancel()
	require.Zero(t, <-f.code, f.err.String())

	found := regexp.MustCompile(`--resume-token (\S+)\n$`).FindStringSubmatch(f.err.String())
	require.NotNil(t, found, f.err.String())

	return found[1]
}

func TestWatchAndSegments(t *testing.T) {
	t.Parallel()

	data := filepath.Join(t.TempDir(), "data")
	r := start(t, data)

	sent := r.hale(t, story, "send", "-o", "json")
	require.Zero(t, sent.code, sent.err)

	var answer struct{ Token string }

	require.NoError(t, json.Unmarshal([]byte(sent.out), &answer))
	require.Zero(t, r.hale(t, "", "accounts", "list", "--at-least", answer.Token).code)

	for _, step := range []struct {
		golden string
		code   int
		args   []string
	}{
		{"segments-none", 0, []string{"list"}},
		{"segments-set", 0, []string{"set", "paying", "arr > 0", "--description", "who pays"}},
		{"segments-set-json", 0, []string{"set", "everybody", "coverage >= 0", "-o", "json"}},
		{"segments-list", 0, []string{"list"}},
		{"segments-jsonl", 0, []string{"list", "-o", "jsonl"}},
		{"segments-get", 0, []string{"get", "paying"}},
		{"segments-mismatch", 1, []string{"set", "paying", "arr > 1", "--revision", "77"}},
		{"segments-refused", 6, []string{"set", "paying", `in_segment("everybody")`}},
		{"segments-deleted", 0, []string{"delete", "everybody"}},
		{"segments-gone", 3, []string{"get", "everybody"}},
	} {
		got := r.hale(t, "", append([]string{"segments"}, step.args...)...)
		require.Equal(t, step.code, got.code, "%s: %s", step.golden, got.err)
		golden(t, step.golden, got.out+got.err)
	}

	lines := follow(t, "watch", "--data", data, "--snapshot", "--filter", `in_segment("paying")`)
	objects := follow(t, "watch", "--data", data, "--snapshot", "-o", "jsonl")

	lines.until(t, "snapshot  acme")
	objects.until(t, `"resume_token"`)

	change := func(more ...string) {
		got := r.hale(t, "", append([]string{"send", "account", "--account", "acme"}, more...)...)
		require.Zero(t, got.code, got.err)
	}

	change("arr=24000", "currency=USD")
	lines.until(t, "updated  acme")

	token := lines.end(t)

	change("arr=0", "currency=USD")
	objects.until(t, `"arr":0`)
	objects.end(t)

	resumed := follow(t, "watch", "--data", data, "--resume-token", token, "--filter", `in_segment("paying")`)
	resumed.until(t, "left  acme")
	resumed.end(t)

	golden(t, "watch", lines.out.String()+resumed.out.String())

	for line := range strings.Lines(objects.out.String()) {
		require.True(t, json.Valid([]byte(line)), line)
	}

	require.Contains(t, objects.out.String(), `{"kind":"updated","account":{"account_id":"acme",`)

	wrong := r.hale(t, "", "watch", "--resume-token", token)
	require.Equal(t, 6, wrong.code)
	require.Contains(t, wrong.err, "TOKEN_UNKNOWN")
}

func TestWatchGoesOn(t *testing.T) {
	t.Parallel()

	data := filepath.Join(t.TempDir(), "data")
	r := start(t, data)
	require.Zero(t, r.hale(t, story, "send").code)

	// It is cut by a change of the segment, and goes on by itself.
	require.Zero(t, r.hale(t, "", "segments", "set", "some", "arr > 0").code)

	w := follow(t, "watch", "--data", data, "--snapshot", "--filter", `in_segment("some")`)
	w.until(t, "acme")
	require.Zero(t, r.hale(t, "", "segments", "set", "some", "arr > 20000").code)
	w.until(t, "reset")
	require.Contains(t, w.err.String(), "the watch was cut and goes on")
	w.end(t)

	nobody := hale(t, "", "watch", "--server", "127.0.0.1:1", "--key", "none")
	require.Equal(t, 5, nobody.code, "a server that was never there is not waited for")
}
