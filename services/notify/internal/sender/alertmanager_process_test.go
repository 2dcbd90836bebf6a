package sender_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

const alertmanagerConfig = `
route:
  receiver: behind
  group_by: [account]
  group_wait: 200ms
  group_interval: 1s
  repeat_interval: 1h
receivers:
- name: behind
  webhook_configs:
  - url: %s/hook
    send_resolved: true
`

// startAlertmanager starts a real one that passes alerts on to a webhook, and returns its address. It ends with the test.
func startAlertmanager(t *testing.T, behind string) string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, alertmanagerConfig, behind), 0o600))

	cmd := exec.Command("prometheus-alertmanager", "--config.file="+config, "--storage.path="+dir,
		"--web.listen-address=127.0.0.1:0", "--cluster.listen-address=", "--log.level=info")
	output, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start(), "`make setup` installs it")
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})

	listening := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
	address := make(chan string, 1)
	done := make(chan struct{})

	go func() {
		defer close(done)

		for lines := bufio.NewScanner(output); lines.Scan(); {
			if found := listening.FindStringSubmatch(lines.Text()); found != nil {
				address <- found[1]
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
	})

	select {
	case found := <-address:
		return "http://" + found
	case <-done:
		require.Fail(t, "Alertmanager ended before it listened")

		return ""
	}
}
