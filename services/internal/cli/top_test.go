package cli_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/term"

	"hale.dev/services/internal/cli"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

// sitting is somebody who sits at a terminal.
type sitting struct {
	keys   *os.File // what is typed goes in here
	tty    *os.File
	screen telemetrytest.Buffer
	code   chan int
	before *term.State
}

// sit runs a command at a terminal of its own.
func sit(ctx context.Context, t *testing.T, environ []string, args ...string) *sitting {
	t.Helper()

	keys, tty, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(keys, &pty.Winsize{Rows: 24, Cols: 80}))

	s := &sitting{keys: keys, tty: tty, code: make(chan int, 1)}
	s.before, err = term.GetState(int(tty.Fd()))
	require.NoError(t, err)

	read := make(chan struct{})

	go func() {
		defer close(read)

		_, _ = io.Copy(&s.screen, keys) // ends with an error once both ends are closed
	}()

	go func() {
		s.code <- cli.Main(ctx, args, cli.IO{
			In: tty, Out: tty, Err: &s.screen, Environ: environ, Program: "bin/hale", Version: "1.2.3",
		})
	}()

	t.Cleanup(func() {
		_ = tty.Close()
		_ = keys.Close()

		<-read
	})

	return s
}

func (s *sitting) types(t *testing.T, keys string) {
	t.Helper()

	_, err := s.keys.WriteString(keys)
	require.NoError(t, err)
}

// until waits for a text on the screen.
func (s *sitting) until(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(s.screen.String(), text) }, patience, 10*time.Millisecond,
		"%q is not on the screen", text)
}

// left waits for the end, and looks whether the terminal is as it was.
func (s *sitting) left(t *testing.T) int {
	t.Helper()

	code := <-s.code

	after, err := term.GetState(int(s.tty.Fd()))
	require.NoError(t, err)
	require.Equal(t, s.before, after, "the terminal is as it was")
	require.Eventually(t, func() bool {
		text := s.screen.String()

		return strings.Count(text, "\x1b[?1049h") == strings.Count(text, "\x1b[?1049l") && // back from the other screen
			strings.LastIndex(text, "\x1b[?25h") >= strings.LastIndex(text, "\x1b[?25l") // the cursor is seen again
	}, patience, time.Millisecond)

	return code
}

// watched is a run with two open alerts.
func watched(t *testing.T) *run {
	t.Helper()

	r := start(t, filepath.Join(t.TempDir(), "data"))
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(rules, []byte("kind: rules\nrules:\n"+
		"  - {name: pays, summary: They pay, severity: critical, when: profile.arr > 0.0}\n"+
		"  - {name: there, summary: They are there, severity: warning, when: profile.seats < 1.0}\n"), 0o600))

	applied := r.hale(t, "", "rules", "apply", rules)
	require.Zero(t, applied.code, applied.err)
	require.Zero(t, r.hale(t, story, "send").code)
	require.Eventually(t, func() bool {
		list := r.hale(t, "", "alerts", "list").out

		return strings.Contains(list, "They pay") && strings.Contains(list, "They are there")
	}, patience, 10*time.Millisecond)

	return r
}

func TestTop(t *testing.T) {
	t.Parallel()

	r := watched(t)
	s := sit(t.Context(), t, []string{"TERM=xterm-256color", "NO_COLOR=1"}, "top", "--data", r.dir, "--author", "maya")
	s.until(t, "They pay")
	s.until(t, "They are there")
	s.until(t, "live")

	s.types(t, "a")
	s.until(t, "acme, They pay, by maya")
	require.Contains(t, r.hale(t, "", "alerts", "list", "--filter", "acknowledged_by = maya").out, "They pay")

	// Somebody else is faster.
	list := r.hale(t, "", "alerts", "list", "--filter", "rule = there").out
	id, _, _ := strings.Cut(strings.Split(list, "\n")[1], " ")
	require.Zero(t, r.hale(t, "", "alerts", "ack", id, "--author", "bob").code)
	s.types(t, "ja")
	s.until(t, "by bob")

	s.types(t, "k\r")
	s.until(t, "CONTRIBUTION")
	lists := strings.Count(s.screen.String(), "SUMMARY")
	s.types(t, "\x1b") // alone: with the next key at once it would be another one
	require.Eventually(t, func() bool { return strings.Count(s.screen.String(), "SUMMARY") > lists }, patience, time.Millisecond)
	s.types(t, "/mood = bad\r")
	s.until(t, "no field")

	s.types(t, "q")
	require.Zero(t, s.left(t))
	require.NotRegexp(t, `\x1b\[[0-9;]*(3[0-7]|9[0-7])[0-9;]*m`, s.screen.String(), "NO_COLOR is heeded")
}

func TestTopEnds(t *testing.T) {
	t.Parallel()

	none := hale(t, "", "top")
	require.Equal(t, 2, none.code)
	require.Contains(t, none.err, "needs a terminal; `hale alerts watch --snapshot`")

	// A server that was never there is not waited for.
	s := sit(t.Context(), t, []string{"TERM=xterm-256color"}, "top", "--server", "127.0.0.1:1", "--key", "none")
	require.Equal(t, 5, s.left(t))
	s.until(t, "connection refused")

	// It is told to stop.
	d := deploy(t, false)
	ctx, cancel := context.WithCancel(t.Context())
	s = sit(ctx, t, []string{"TERM=xterm-256color"}, "top", "--server", d.address, "--key", d.key)
	s.until(t, "live")
	cancel()
	require.Zero(t, s.left(t))

	// Its key is no good.
	s = sit(t.Context(), t, []string{"TERM=xterm-256color"}, "top", "--server", d.address, "--key", "wrong")
	require.Equal(t, 4, s.left(t))
}
