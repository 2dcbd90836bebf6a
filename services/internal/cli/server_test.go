package cli_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"hale.dev/services/internal/cli"
	"hale.dev/services/internal/cli/process"
	"hale.dev/services/internal/telemetry/telemetrytest"
)

// update writes the golden files anew: go test ./internal/cli -run TestCommands -update.
var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"),
		// CEL's parser keeps its pool of lexers for ever.
		goleak.IgnoreAnyFunction("github.com/antlr4-go/antlr/v4.init"),
	)
}

// result is what one command did.
type result struct {
	out, err string
	code     int
}

// hale runs one command line.
func hale(t *testing.T, stdin string, args ...string) result {
	t.Helper()

	return haleWith(t.Context(), nil, stdin, args...)
}

func haleWith(ctx context.Context, environ []string, stdin string, args ...string) result {
	var out, err telemetrytest.Buffer

	code := cli.Main(ctx, args, cli.IO{
		In: strings.NewReader(stdin), Out: &out, Err: &err, Environ: environ, Program: "bin/hale", Version: "1.2.3",
	})

	return result{out.String(), err.String(), code}
}

// run is a Hale that runs in this process.
type run struct {
	dir  string
	stop context.CancelFunc
	done chan result
	out  *telemetrytest.Buffer
}

// anyPorts lets a run choose free ports.
func anyPorts() []string {
	return []string{
		"--ingest-http", "127.0.0.1:0", "--ingest-grpc", "127.0.0.1:0", "--query-grpc", "127.0.0.1:0",
		"--query-http", "127.0.0.1:0", "--admin", "127.0.0.1:0",
	}
}

// start starts a run on a data folder and waits until it is ready.
func start(t *testing.T, dir string, flags ...string) *run {
	t.Helper()

	ctx, stop := context.WithCancel(context.Background())
	r := &run{dir: dir, stop: stop, done: make(chan result, 1), out: &telemetrytest.Buffer{}}
	log := &telemetrytest.Buffer{}

	go func() {
		code := cli.Main(ctx, slices.Concat([]string{"run", "--data", dir}, anyPorts(), flags), cli.IO{
			In: strings.NewReader(""), Out: r.out, Err: log, Program: "bin/hale", Version: "1.2.3",
		})
		r.done <- result{r.out.String(), log.String(), code}
	}()

	t.Cleanup(func() { r.end(t) })

	require.Eventually(t, func() bool {
		select {
		case ended := <-r.done:
			r.done <- ended

			return true
		default:
			return strings.Contains(r.out.String(), "Hale is ready.")
		}
	}, 60*time.Second, 10*time.Millisecond)
	require.Contains(t, r.out.String(), "Hale is ready.", "%s", log)

	return r
}

// end stops the run in order, once.
func (r *run) end(t *testing.T) {
	t.Helper()
	r.stop()

	ended := <-r.done
	r.done <- ended

	require.Zero(t, ended.code, "%s", ended.err)
}

// hale runs a command against the run.
func (r *run) hale(t *testing.T, stdin string, args ...string) result {
	t.Helper()

	return hale(t, stdin, append(args, "--data", r.dir)...)
}

// scrub takes out what differs from run to run.
func scrub(text string) string {
	for pattern, with := range map[string]string{
		`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`: "TIME",
		`\b\d{4}-\d\d-\d\d\b`:                     "DAY",
		`\b\d{4}-\d\d([ "])`:                      "MONTH$1",
		`\b\d{4}-Q[1-4]\b`:                        "QUARTER",
		`"lag_seconds": "\d+"`:                    `"lag_seconds": "LAG"`,
		`\bAQ[A-Za-z0-9_-]{14,}`:                  "TOKEN",
		`127\.0\.0\.1:\d+`:                        "ADDRESS",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}

	return text
}

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()

	file := filepath.Join("testdata", name+".golden")
	got = scrub(got)

	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}

	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// addresses are those that the run wrote down.
func (r *run) addresses(t *testing.T) process.Addresses {
	t.Helper()

	a, err := process.ReadAddresses(r.dir)
	require.NoError(t, err)

	return a
}
