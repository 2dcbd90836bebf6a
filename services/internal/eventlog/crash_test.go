package eventlog_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"hale.dev/services/internal/eventlog"
	"hale.dev/services/internal/eventlog/natsserver"
	"hale.dev/services/internal/eventlog/natsserver/natstest"
)

// With these in its environment the test binary is a server, for tests that kill it.
const (
	envServerDir  = "HALE_TEST_SERVER_DIR"
	envServerPort = "HALE_TEST_SERVER_PORT"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(envServerDir); dir != "" {
		os.Exit(serve(dir, os.Getenv(envServerPort)))
	}

	goleak.VerifyTestMain(m)
}

// serve runs a server until its input ends or it is killed.
func serve(dir, portText string) int {
	port, err := strconv.Atoi(portText)
	if err != nil {
		return 1
	}

	server, err := natsserver.Start(natsserver.Options{Dir: dir, SyncAlways: true, Listen: true, Port: port})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)

		return 1
	}

	fmt.Println(server.ClientURL()) //nolint:forbidigo // the parent reads it
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Shutdown()

	return 0
}

// process is a server in a process of its own.
type process struct {
	command *exec.Cmd
	input   io.Closer
	url     string
}

func spawn(t testing.TB, dir string, port int) *process {
	t.Helper()

	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), envServerDir+"="+dir, envServerPort+"="+strconv.Itoa(port))
	command.Stderr = os.Stderr

	input, err := command.StdinPipe()
	require.NoError(t, err)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())

	url, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)

	p := &process{command: command, input: input, url: strings.TrimSpace(url)}
	t.Cleanup(p.kill)

	return p
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
	_ = p.input.Close()
}

// Writers retry while the server is killed again and again: at the end every acknowledged record is in the log, the
// records of each call in their order, and a reader that lived through it all got every message once.
func TestKill(t *testing.T) {
	t.Parallel()

	const (
		kills   = 6
		writers = 8
		perCall = 30
	)

	dir := t.TempDir()
	port := natstest.Port(t)
	server := spawn(t, dir, port)

	log, err := eventlog.Open(ctxOf(t), dial(t, server.url), eventlog.Options{Partitions: 4})
	require.NoError(t, err)

	w := newWriter(t, log, eventlog.WriterOptions{AckTimeout: 2 * time.Second})
	r := startReading(t, log, 1)
	stop := make(chan struct{})

	var (
		group   sync.WaitGroup
		calls   [writers]int
		acked   atomic.Int64
		retries atomic.Int64
	)

	for id := range writers {
		group.Go(func() {
			for calls[id] = 0; ; calls[id]++ {
				select {
				case <-stop:
					return
				default:
				}

				for !writeCall(w, id, calls[id], perCall) {
					retries.Add(1)
				}

				acked.Add(1)
			}
		})
	}

	for range kills {
		goal := acked.Load() + 200
		require.Eventually(t, func() bool { return acked.Load() >= goal }, patience, time.Millisecond)
		server.kill()
		server = spawn(t, dir, port)
	}

	goal := acked.Load() + 200
	require.Eventually(t, func() bool { return acked.Load() >= goal }, patience, time.Millisecond)
	close(stop)
	group.Wait()
	t.Logf("%d calls of %d records over %d kills, %d retries", acked.Load(), perCall, kills, retries.Load())

	checkCalls(t, log, r, calls[:], perCall)
}

// writeCall writes one call over two partitions; false: it is to be written again.
func writeCall(w *eventlog.Writer, writer, call, records int) bool {
	prefix := fmt.Sprintf("w%d/%d", writer, call)
	all := append(items(writer%4, prefix, records), items((writer+1)%4, prefix, records)...)

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()

	_, err := w.Write(ctx, all)

	return err == nil
}

// checkCalls reads the log again and compares: all calls complete and in order in each partition, and the same
// messages as the live reader got.
func checkCalls(t *testing.T, log *eventlog.Log, r *reading, calls []int, perCall int) {
	t.Helper()

	found := map[string]int{} // partition/call: records seen in order

	for i, m := range readAll(t, log, 0, 1) {
		require.NoError(t, m.Err)
		require.Equal(t, uint64(i+1), m.Sequence)
		require.Equal(t, m.Hash(), r.take(t, m.Sequence).Hash())

		for _, id := range ids(m.Records) {
			call, number, _ := strings.Cut(id, "-")
			n, err := strconv.Atoi(number)
			require.NoError(t, err)

			key := fmt.Sprintf("%d:%s", m.Partition, call)
			if n > found[key] { // a repetition may begin anew, but never skip ahead
				require.Fail(t, "out of order", "%s record %d after %d", key, n, found[key])
			}

			if n == found[key] {
				found[key]++
			}
		}
	}

	r.stop()
	require.ErrorIs(t, r.end(t), context.Canceled)
	require.Empty(t, r.seen)

	for writer, n := range calls {
		for call := range n {
			for _, partition := range []int{writer % 4, (writer + 1) % 4} {
				key := fmt.Sprintf("%d:w%d/%d", partition, writer, call)
				require.Equal(t, perCall, found[key], key)
			}
		}
	}
}
