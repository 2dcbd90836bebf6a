package sender_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"

	"hale.dev/services/internal/egress"
	"hale.dev/services/internal/listener/listenertest"
	"hale.dev/services/notify/internal/sender"
)

func email(server string) *sender.Email {
	return &sender.Email{Server: server, From: "Hale <hale@example.com>", To: []string{"oncall@example.com"}}
}

// authority issues a certificate for servers on this machine.
func authority(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	a := listenertest.New(t)
	certificate, key := a.Issue(t, t.TempDir(), 1)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	require.NoError(t, err)

	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, a.Client(t, a).RootCAs
}

func mailer(t *testing.T, settings sender.Settings, roots *x509.CertPool) sender.Sender {
	t.Helper()
	values := map[string]string{"HALE_SECRET_RIGHT": "right", "HALE_SECRET_WRONG": "wrong"}
	s, err := sender.New(settings, deps(t, values, egress.Config{Allow: []string{"127.0.0.1"}, RootCAs: roots}))
	require.NoError(t, err)

	return s
}

func TestEmailEncryption(t *testing.T) {
	t.Parallel()
	config, roots := authority(t)

	t.Run("STARTTLS is used", func(t *testing.T) {
		t.Parallel()
		server := startMail(t, config, false)
		require.NoError(t, mailer(t, email(server.address), roots).Send(t.Context(), sender.Sample()))
		require.Len(t, server.got(), 1)
		require.True(t, server.got()[0].secure)
		require.Equal(t, "hale@example.com", server.got()[0].from)
		require.Equal(t, "oncall@example.com", server.got()[0].to)
	})

	t.Run("a server without STARTTLS gets nothing", func(t *testing.T) {
		t.Parallel()
		server := startMail(t, nil, false)
		require.ErrorContains(t, mailer(t, email(server.address), roots).Send(t.Context(), sender.Sample()), "STARTTLS")
		require.Empty(t, server.got())
	})

	t.Run("a certificate of a stranger is not trusted", func(t *testing.T) {
		t.Parallel()
		server := startMail(t, config, false)
		_, others := authority(t)
		require.ErrorContains(t, mailer(t, email(server.address), others).Send(t.Context(), sender.Sample()), "certificate")
		require.Empty(t, server.got())
	})

	t.Run("implicit TLS works", func(t *testing.T) {
		t.Parallel()
		server := startMail(t, config, true)
		e := email(server.address)
		e.TLS, e.Username, e.Password = "implicit", "hale", "env:HALE_SECRET_RIGHT"
		require.NoError(t, mailer(t, e, roots).Send(t.Context(), sender.Sample()))
		require.True(t, server.got()[0].secure)
	})

	t.Run("none works on this machine", func(t *testing.T) {
		t.Parallel()
		server := startMail(t, nil, false)
		e := email(server.address)
		e.TLS = "none"
		require.NoError(t, mailer(t, e, roots).Send(t.Context(), sender.Sample()))
		require.False(t, server.got()[0].secure)
	})

	t.Run("the way out is guarded", func(t *testing.T) {
		t.Parallel()
		server := startMail(t, config, false)
		s, err := sender.New(email(server.address), deps(t, nil, egressDefault))
		require.NoError(t, err)
		require.True(t, refusal(t, s.Send(t.Context(), sender.Sample())).Permanent)
	})
}

func TestEmailAnswers(t *testing.T) {
	t.Parallel()
	config, roots := authority(t)
	gone := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	busy := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}

	t.Run("a name and password are needed and sent", func(t *testing.T) {
		t.Parallel()
		server := startMail(t, config, false)
		e := email(server.address)
		e.Username, e.Password = "hale", "env:HALE_SECRET_WRONG"
		refused := refusal(t, mailer(t, e, roots).Send(t.Context(), sender.Sample()))
		require.Equal(t, 535, refused.Status)
		require.True(t, refused.Permanent)

		e.Password = "env:HALE_SECRET_RIGHT"
		require.NoError(t, mailer(t, e, roots).Send(t.Context(), sender.Sample()))
	})

	t.Run("5xx is final and 4xx is not", func(t *testing.T) {
		t.Parallel()
		for _, answer := range []*smtp.SMTPError{gone, busy} {
			server := startMail(t, config, false)
			server.content = answer
			refused := refusal(t, mailer(t, email(server.address), roots).Send(t.Context(), sender.Sample()))
			require.Equal(t, answer.Code, refused.Status)
			require.Equal(t, answer.Code >= 500, refused.Permanent)
			require.Contains(t, refused.Reason, answer.Message)
		}
	})

	t.Run("one bad address keeps mail from nobody else, and nobody gets it twice", func(t *testing.T) {
		t.Parallel()
		server := startMail(t, config, false)
		server.setRefuse("a@example.com", busy)
		server.setRefuse("b@example.com", gone)
		e := email(server.address)
		e.To = []string{"a@example.com", "b@example.com", "c@example.com"}
		s := mailer(t, e, roots)

		require.False(t, refusal(t, s.Send(t.Context(), sender.Sample())).Permanent)
		require.Equal(t, []string{"c@example.com"}, recipients(server))

		server.setRefuse("a@example.com", nil)
		require.True(t, refusal(t, s.Send(t.Context(), sender.Sample())).Permanent)
		require.Equal(t, []string{"c@example.com", "a@example.com"}, recipients(server))
	})

	t.Run("a connection that breaks is tried again with the same mail", func(t *testing.T) {
		t.Parallel()
		server := startMail(t, config, false)
		server.reset = true
		s := mailer(t, email(server.address), roots)
		require.Error(t, s.Send(t.Context(), sender.Sample()))
		require.NoError(t, s.Send(t.Context(), sender.Sample()))
		require.Len(t, server.got(), 1)
		require.Equal(t, string(preview(t, email(server.address), sender.Sample())[0].Body), string(server.got()[0].body))
	})
}

func recipients(s *mailServer) []string {
	var to []string
	for _, m := range s.got() {
		to = append(to, m.to)
	}

	return to
}

// parts are the header and the parts of a mail, by content type.
func parts(t *testing.T, n *sender.Notification, settings *sender.Email) (netmail.Header, map[string]string) {
	t.Helper()
	message, err := netmail.ReadMessage(strings.NewReader(string(preview(t, settings, n)[0].Body)))
	require.NoError(t, err)
	kind, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)

	texts := map[string]string{}
	for reader := multipart.NewReader(message.Body, parameters["boundary"]); ; {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return message.Header, texts
		}

		require.NoError(t, err)
		body, err := io.ReadAll(part)
		require.NoError(t, err)
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		require.NoError(t, err)
		texts[kind] = string(body)
	}
}

func TestEmailMessage(t *testing.T) {
	t.Parallel()
	settings := email("mail.example.com:587")

	t.Run("both parts tell the same", func(t *testing.T) {
		t.Parallel()
		header, texts := parts(t, sender.Sample(), settings)
		require.Equal(t, "[1 firing, 1 resolved] Acme Corp", header.Get("Subject"))
		require.Len(t, texts, 2)

		for _, part := range []string{"Acme Corp", "FIRING", "RESOLVED", "The score fell below 40", "37.5", "30,000 EUR", "2026-12-15", "usage_trend", "https://hale.example.com/alerts/a1f0"} {
			require.Contains(t, texts["text/plain"], part)
			require.Contains(t, texts["text/html"], part)
		}
	})

	t.Run("its headers are stable and form threads", func(t *testing.T) {
		t.Parallel()
		first, _ := parts(t, sender.Sample(), settings)
		again, _ := parts(t, sender.Sample(), settings)
		require.Equal(t, first, again)

		other := sender.Sample()
		other.ID = "another"
		second, _ := parts(t, other, settings)
		require.NotEqual(t, first.Get("Message-Id"), second.Get("Message-Id"))
		require.Equal(t, first.Get("References"), second.Get("References"))
		require.Equal(t, first.Get("References"), first.Get("In-Reply-To"))
		require.Regexp(t, `^<[0-9a-f]{40}@example\.com>$`, first.Get("Message-Id"))
		require.Equal(t, "auto-generated", first.Get("Auto-Submitted"))
		require.Regexp(t, `^<alerts\.[0-9a-f]+\.example\.com>$`, first.Get("List-Id"))
		date, err := first.Date()
		require.NoError(t, err)
		require.True(t, sender.Sample().Sent.Equal(date))

		other.Group = "account/other"
		third, _ := parts(t, other, settings)
		require.NotEqual(t, first.Get("References"), third.Get("References"))
	})

	t.Run("a name breaks out of no header and no markup", func(t *testing.T) {
		t.Parallel()
		n := one(func(t *alertv1.Transition) {
			t.Alert.Subject.Name = "Acme\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>"
		})
		header, texts := parts(t, n, settings)
		require.Empty(t, header.Get("Bcc"))
		require.NotContains(t, texts["text/html"], "<script>")
		require.Contains(t, texts["text/html"], "&lt;script&gt;")

		n.Alerts[0].Alert.RunbookUrl = `javascript:alert(1)`
		_, texts = parts(t, n, settings)
		require.NotContains(t, texts["text/html"], "javascript:")
	})

	t.Run("a template makes subject and text", func(t *testing.T) {
		t.Parallel()
		e := email("mail.example.com:587")
		e.Title, e.Text = "{{.Counts}}", "<b>{{(index .Alerts 0).Name}}</b>"
		header, texts := parts(t, sender.Sample(), e)
		require.Equal(t, "1 firing, 1 resolved", header.Get("Subject"))
		require.Equal(t, "<b>Acme Corp</b>", strings.TrimSpace(texts["text/plain"]))
		require.Contains(t, texts["text/html"], "&lt;b&gt;Acme Corp&lt;/b&gt;")
	})

	t.Run("a digest has its own layout, and no thread", func(t *testing.T) {
		t.Parallel()
		header, texts := parts(t, digest(), settings)
		require.Equal(t, "Hale digest for dana@example.com, 2026-10-26 to 2026-11-02: 1 fell, 1 rose, 1 to renew, 1 open alerts", header.Get("Subject"))
		require.Empty(t, header.Get("References"))
		require.Contains(t, texts["text/plain"], "Acme Corp: 70 -> 37.5 (-32.5)")
		require.Contains(t, texts["text/html"], "b&lt;b&gt;&amp;b")
	})

	t.Run("the text of all is as agreed", func(t *testing.T) {
		t.Parallel()
		_, texts := parts(t, sender.Sample(), settings)
		golden := filepath.Join("testdata", "alerts.txt")
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(string(want)), strings.TrimSpace(strings.ReplaceAll(texts["text/plain"], "\r\n", "\n")))
	})
}

func TestEmailRecipients(t *testing.T) {
	t.Parallel()
	to := func(t *testing.T, e *sender.Email, n *sender.Notification) []string {
		t.Helper()

		var list []string
		for _, p := range preview(t, e, n) {
			list = append(list, p.To)
		}

		return list
	}
	owned := func(to ...string) *sender.Email {
		e := email("mail.example.com:587")
		e.To, e.Owners = to, map[string]string{"Dana": "Dana Doe <dana@example.com>"}

		return e
	}

	t.Run("@owner is who the alert is assigned to, else who owns the account", func(t *testing.T) {
		t.Parallel()
		n := one(func(t *alertv1.Transition) { t.Alert.Assignee = "eve@example.com" })
		require.Equal(t, []string{"eve@example.com"}, to(t, owned("@owner"), n))
		n.Alerts[0].Alert.Assignee = ""
		require.Equal(t, []string{"dana@example.com"}, to(t, owned("@owner"), n))
	})

	t.Run("an owner's name is looked up", func(t *testing.T) {
		t.Parallel()
		n := one(func(t *alertv1.Transition) { t.Alert.Assignee = "Dana" })
		require.Equal(t, []string{"dana@example.com"}, to(t, owned("@owner"), n))
	})

	t.Run("each gets one mail", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, []string{"DANA@example.com", "oncall@example.com"}, to(t, owned("DANA@example.com", "@owner", "oncall@example.com"), sender.Sample()))
	})

	t.Run("an owner without an address is left out if there are others", func(t *testing.T) {
		t.Parallel()
		n := one(func(t *alertv1.Transition) { t.Alert.Assignee = "Eve" })
		require.Equal(t, []string{"oncall@example.com"}, to(t, owned("@owner", "oncall@example.com"), n))

		_, err := sender.Preview(owned("@owner"), n)
		require.True(t, refusal(t, err).Permanent)
		require.ErrorContains(t, err, `"Eve"`)
	})

	t.Run("nobody to write to is final", func(t *testing.T) {
		t.Parallel()
		n := one(func(t *alertv1.Transition) { t.Alert.Assignee, t.Alert.Subject = "", nil })
		_, err := sender.Preview(owned("@owner"), n)
		require.True(t, refusal(t, err).Permanent)
	})

	t.Run("a digest goes to its owner", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, []string{"dana@example.com"}, to(t, owned("@owner"), digest()))
	})
}
