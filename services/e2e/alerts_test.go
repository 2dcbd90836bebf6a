package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"
	"hale.dev/services/e2e/rig"
)

const alertRules = `
kind: rules
rules:
  - {name: large, summary: The account pays a lot, severity: critical, when: profile.arr >= 100.0, owner: "@account"}
  - {name: many_seats, summary: The account has many seats, severity: warning, when: profile.seats >= 100.0}
`

// site is a Hale whose alerts are told to a webhook, an Alertmanager and a mail server.
type site struct {
	t          *testing.T
	ingestHTTP string
	queryGRPC  string
	keys       rig.Keys
	hook       *rig.Hook
	manager    string
	mails      *mailbox
	alerts     alertv1.AlertServiceClient
}

// TestAlerts follows alerts from an event to whoever is told, in one process and in several.
func TestAlerts(t *testing.T) {
	t.Parallel()
	t.Run("in one process", func(t *testing.T) {
		t.Parallel()
		hook := startHook(t)
		s, err := rig.NewSingle(t.TempDir(), programs, "--notify-egress-allow", "127.0.0.1")
		require.NoError(t, err)
		s.Process.Env = hook.Env()
		require.NoError(t, s.Start(t.Context()))
		t.Cleanup(s.Process.Stop)
		a := &site{t: t, ingestHTTP: s.IngestHTTP, queryGRPC: s.QueryGRPC, keys: s.Keys, hook: hook}
		a.run()
	})
	t.Run("in separate services", func(t *testing.T) {
		t.Parallel()
		hook := startHook(t)
		c, err := rig.NewCluster(t.TempDir(), programs, rig.Options{Partitions: 4})
		require.NoError(t, err)
		t.Cleanup(c.Stop)
		require.NoError(t, c.Start(t.Context()))
		notify, err := c.AddNotify(hook.Env())
		require.NoError(t, err)
		require.NoError(t, c.Restart(t.Context(), notify))
		a := &site{t: t, ingestHTTP: c.IngestHTTP, queryGRPC: c.QueryGRPC, keys: c.Keys, hook: hook}
		a.run()
	})
}

func startHook(t *testing.T) *rig.Hook {
	t.Helper()
	hook, err := rig.NewHook()
	require.NoError(t, err)
	t.Cleanup(hook.Close)
	return hook
}

// run goes through the lives of some alerts.
func (s *site) run() {
	s.manager, s.mails = startAlertmanager(s.t), startMail(s.t)
	conn, err := rig.Dial(s.queryGRPC, s.keys.Admin)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, conn.Close()) })
	s.alerts = alertv1.NewAlertServiceClient(conn)
	s.refuseDocuments()
	s.apply("rules", alertRules)
	s.apply("receivers", fmt.Sprintf(`
kind: receivers
receivers:
  - {name: hook, kind: webhook, settings: {url: %q, secrets: [%q]}, events: [fired, acknowledged, resolved]}
  - {name: manager, kind: alertmanager, settings: {urls: [%q], resend_interval: 10s}}
  - {name: mail, kind: email, settings: {server: %q, tls: none, from: hale@example.com, to: ["@owner"]}}
default_route: {receivers: [hook, manager, mail], group_by: [account], group_wait: 0s, group_interval: 0s}
`, s.hook.URL, rig.HookReference, s.manager, s.mails.address))

	watch, err := s.alerts.WatchAlerts(s.t.Context(), &alertv1.WatchAlertsRequest{Snapshot: true})
	require.NoError(s.t, err)
	s.send(`{"id":"a1","type":"account","account":"acme","name":"Acme","arr":500,"owner":"maya@example.com"}`)
	fired := s.watched(watch, "acme", alertv1.Transition_KIND_FIRED)
	id := fired.GetAlert().GetAlertId()
	require.Equal(s.t, "large", fired.GetAlert().GetRule())
	require.Equal(s.t, "maya@example.com", fired.GetAlert().GetAssignee())
	s.hooked(fired.GetTransitionId())
	s.until("Alertmanager shows it active", func() error { return s.managed("acme", 1) })
	s.until("a mail came", func() error { return s.mails.has("maya@example.com", "The account pays a lot") })

	s.acknowledge(watch, id)
	s.silence(watch)

	s.send(`{"id":"a2","type":"account","account":"acme","arr":10}`)
	resolved := s.watched(watch, "acme", alertv1.Transition_KIND_RESOLVED)
	require.Equal(s.t, id, resolved.GetAlert().GetAlertId())
	s.hooked(resolved.GetTransitionId())
	s.until("Alertmanager shows it no more", func() error { return s.managed("acme", 0) })
	s.until("a mail says that it ended", func() error { return s.mails.has("maya@example.com", "resolved") })
	_, forged := s.hook.Got()
	require.Zero(s.t, forged, "every webhook is signed")
}

// acknowledge takes an alert up on the command line, twice.
func (s *site) acknowledge(watch alertv1.AlertService_WatchAlertsClient, id string) {
	s.t.Helper()
	s.hale("alerts", "ack", id, "--author", "maya", "--note", "I call them")
	taken := s.watched(watch, "acme", alertv1.Transition_KIND_ACKNOWLEDGED)
	require.Equal(s.t, "maya", taken.GetAuthor())
	s.hooked(taken.GetTransitionId())
	got, err := s.alerts.GetAlert(s.t.Context(), &alertv1.GetAlertRequest{AlertId: id})
	require.NoError(s.t, err)
	require.Equal(s.t, alertv1.State_STATE_ACKNOWLEDGED, got.GetAlert().GetState())
	require.Contains(s.t, s.refused("alerts", "ack", id, "--author", "bob"), "maya", "the second one hears who was first")
}

// silence keeps the alerts of an account back.
func (s *site) silence(watch alertv1.AlertService_WatchAlertsClient) {
	s.t.Helper()
	s.hale("silences", "create", `account_id="quiet"`, "--for", "1h", "--comment", "they move")
	s.send(`{"id":"q1","type":"account","account":"quiet","seats":500}`)
	fired := s.watched(watch, "quiet", alertv1.Transition_KIND_FIRED)
	s.until("the deliveries are left out, and say why", func() error {
		got, err := s.alerts.GetAlert(s.t.Context(), &alertv1.GetAlertRequest{AlertId: fired.GetAlert().GetAlertId()})
		if err != nil {
			return err
		}
		left := 0
		for _, d := range got.GetDeliveries() {
			if d.GetStatus() == alertv1.Delivery_STATUS_SKIPPED && strings.HasPrefix(d.GetReason(), "silenced:") {
				left++
			}
		}
		if left != 3 { //nolint:mnd // three receivers
			return fmt.Errorf("%d deliveries are left out: %v", left, got.GetDeliveries())
		}
		return nil
	})
	got, _ := s.hook.Got()
	for _, one := range got {
		require.NotContains(s.t, string(one.Body), fired.GetTransitionId())
	}
}

// refuseDocuments puts documents in force that are wrong, and looks whether each says where and how.
func (s *site) refuseDocuments() {
	s.t.Helper()
	for _, wrong := range []struct{ kind, document, field, code string }{
		{"rules", `{kind: rules, rules: [{name: a, summary: A, severity: loud, when: "true"}]}`, "rules[0].severity", "unknown_severity"},
		{"rules", `{kind: rules, rules: [{name: a, summary: A, severity: info, when: "1 / profile.seats > 1.0"}]}`, "rules[0].when", "when_"},
		{"receivers", `{kind: receivers, receivers: [{name: a, kind: pigeon, settings: {}}]}`, "receivers[0].kind", "unknown_kind"},
		{"receivers", `{kind: receivers, receivers: [], default_route: {receivers: [nobody]}}`, "default_route.receivers[0]", "unknown_receiver"},
		{
			"receivers", `{kind: receivers, receivers: [{name: a, kind: webhook, settings: {url: "http://127.0.0.1/", secrets: ["hush"]}}]}`,
			"receivers[0].settings.secrets[0]", "secret_reference",
		},
	} {
		said := s.refused(wrong.kind, "check", s.file(wrong.document))
		require.Contains(s.t, said, wrong.field)
		require.Contains(s.t, said, wrong.code)
		said = s.refused(wrong.kind, "apply", s.file(wrong.document))
		require.Contains(s.t, said, wrong.field)
		require.Contains(s.t, said, wrong.code)
	}
}

func (s *site) file(text string) string {
	path := filepath.Join(s.t.TempDir(), "document.yaml")
	require.NoError(s.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func (s *site) apply(kind, document string) { s.hale(kind, "apply", s.file(document)) }

func (s *site) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	s.t.Cleanup(cancel)
	return exec.CommandContext(ctx, programs.Hale, append(args, "--server", s.queryGRPC, "--key", s.keys.Admin)...)
}

// hale runs a command that has to work.
func (s *site) hale(args ...string) {
	s.t.Helper()
	out, err := s.command(args...).CombinedOutput()
	require.NoError(s.t, err, "%v: %s", args, out)
}

// refused runs a command that must not work, and returns what it says.
func (s *site) refused(args ...string) string {
	s.t.Helper()
	out, err := s.command(args...).CombinedOutput()
	var failed *exec.ExitError
	require.ErrorAs(s.t, err, &failed, "%v: %s", args, out)
	return string(out)
}

func (s *site) send(event string) {
	s.t.Helper()
	client := &rig.Client{URL: "http://" + s.ingestHTTP + "/v1/events", Key: s.keys.Ingest, HTTP: http.DefaultClient}
	answer, err := client.Send(s.t.Context(), []byte("["+event+"]"), 1)
	require.NoError(s.t, err)
	require.Empty(s.t, answer.Rejected)
}

// watched waits until a watch tells of an account what is wanted.
func (s *site) watched(
	watch alertv1.AlertService_WatchAlertsClient, account string, kind alertv1.Transition_Kind,
) *alertv1.Transition {
	s.t.Helper()
	for {
		part, err := watch.Recv()
		require.NoError(s.t, err)
		for _, one := range part.GetTransitions() {
			if one.GetAlert().GetAccountId() == account && one.GetKind() == kind {
				return one
			}
		}
	}
}

func (s *site) until(what string, check func() error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	require.NoError(s.t, rig.Until(ctx, check), what)
}

// hooked waits until the webhook was told of a transition.
func (s *site) hooked(id string) {
	s.t.Helper()
	s.until("the webhook hears of "+id, func() error {
		got, _ := s.hook.Got()
		for _, one := range got {
			var body struct {
				ID          string
				Transitions []struct {
					ID string `json:"transition_id"`
				}
			}
			if err := json.Unmarshal(one.Body, &body); err != nil {
				return err
			}
			if len(body.Transitions) == 1 && body.Transitions[0].ID == id && body.ID == one.ID {
				return nil
			}
		}
		return errors.New("not yet")
	})
}

// managed says whether Alertmanager shows so many active alerts of an account.
func (s *site) managed(account string, count int) error {
	resp, err := http.Get(s.manager + "/api/v2/alerts?active=true&filter=account%3D" + account)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var alerts []struct{ Labels map[string]string }
	if err := json.NewDecoder(resp.Body).Decode(&alerts); err != nil {
		return err
	}
	if len(alerts) != count {
		return fmt.Errorf("%d alerts are active: %v", len(alerts), alerts)
	}
	return nil
}
