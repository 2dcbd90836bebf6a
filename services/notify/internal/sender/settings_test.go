package sender_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hale.dev/services/notify/internal/sender"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)

	for name, c := range map[string]struct {
		settings sender.Settings
		want     []string // field and code
	}{
		"slack needs an address":             {&sender.Slack{}, []string{"url missing"}},
		"slack's address is a secret":        {&sender.Slack{URL: "https://hooks.example.com/x"}, []string{"url secret_reference"}},
		"a channel is short":                 {&sender.Slack{URL: "file:slack", Channel: long}, []string{"channel too_large"}},
		"pagerduty needs a key":              {&sender.PagerDuty{}, []string{"routing_key missing"}},
		"pagerduty's key is a secret":        {&sender.PagerDuty{RoutingKey: "abc", EventsURL: "ftp://x"}, []string{"routing_key secret_reference", "events_url url_invalid"}},
		"alertmanager needs addresses":       {&sender.Alertmanager{}, []string{"urls missing"}},
		"alertmanager has not too many":      {&sender.Alertmanager{URLs: make([]string, 0)}, []string{"urls missing"}},
		"credentials are no part of them":    {&sender.Alertmanager{URLs: []string{"http://a", "http://u:p@b"}}, []string{"urls[1] url_invalid"}},
		"an address is not empty":            {&sender.Alertmanager{URLs: []string{""}}, []string{"urls[0] missing"}},
		"a name needs a password":            {&sender.Alertmanager{URLs: []string{"http://a"}, Username: "u"}, []string{"password settings_conflict"}},
		"a password is a secret":             {&sender.Alertmanager{URLs: []string{"http://a"}, Username: "u", Password: "p"}, []string{"password secret_reference"}},
		"there is one way to authenticate":   {&sender.Alertmanager{URLs: []string{"http://a"}, Username: "u", Password: "file:p", BearerToken: "t"}, []string{"bearer_token secret_reference", "bearer_token settings_conflict"}},
		"an interval is a duration":          {&sender.Alertmanager{URLs: []string{"http://a"}, ResendInterval: "often"}, []string{"resend_interval duration_invalid"}},
		"an interval is not too short":       {&sender.Alertmanager{URLs: []string{"http://a"}, ResendInterval: "1s"}, []string{"resend_interval duration_invalid"}},
		"email needs much":                   {&sender.Email{}, []string{"server missing", "from missing", "to missing"}},
		"a server has a port":                {&sender.Email{Server: "mail", From: "a@b.c", To: []string{"@owner"}}, []string{"server address_invalid"}},
		"a port is a number":                 {&sender.Email{Server: "mail:smtp", From: "a@b.c", To: []string{"@owner"}}, []string{"server address_invalid"}},
		"addresses are addresses":            {&sender.Email{Server: "mail:25", From: "x", To: []string{"@owners"}, Owners: map[string]string{"d": "d"}}, []string{"from address_invalid", "to[0] address_invalid", "owners[d] address_invalid"}},
		"addresses have no line breaks":      {&sender.Email{Server: "mail:25", From: "a@b.c\r\nBcc: d@e.f", To: []string{"a@b.c"}}, []string{"from address_invalid"}},
		"mail is encrypted on its way":       {&sender.Email{Server: "mail:25", TLS: "none", From: "a@b.c", To: []string{"a@b.c"}}, []string{"tls encryption_required"}},
		"encryption is one of three":         {&sender.Email{Server: "mail:25", TLS: "ssl", From: "a@b.c", To: []string{"a@b.c"}}, []string{"tls unknown_choice"}},
		"a webhook needs address and secret": {&sender.Webhook{}, []string{"url missing", "secrets missing"}},
		"what signs is a secret":             {&sender.Webhook{URL: "https://a", Secrets: []sender.Secret{"whsec_abc"}}, []string{"secrets[0] secret_reference"}},
		"few secrets sign":                   {&sender.Webhook{URL: "https://a", Secrets: []sender.Secret{"file:a", "file:b", "file:c", "file:d", "file:e", "file:f"}}, []string{"secrets too_large"}},
		"a body is one of two":               {&sender.Webhook{URL: "https://a", Secrets: []sender.Secret{"file:a"}, Body: "xml"}, []string{"body unknown_choice"}},
		"cloudevents have no text":           {&sender.Webhook{URL: "https://a", Secrets: []sender.Secret{"file:a"}, Body: "cloudevents", Templates: sender.Templates{Title: "x"}}, []string{"body settings_conflict"}},
		"an address is not too long":         {&sender.Webhook{URL: "https://a/" + long, Secrets: []sender.Secret{"file:a"}}, []string{"url too_large"}},
		"headers are those of HTTP": {
			&sender.Webhook{URL: "https://a", Secrets: []sender.Secret{"file:a"}, Headers: map[string]string{
				"A b": "x", "Content-Type": "x", "Webhook-Id": "x", "X-Break": "a\nb", "Authorization": "Bearer abc", "X-Ref": "env:PATH", "X-Good": "x",
			}},
			[]string{"headers[A b] header_invalid", "headers[Authorization] secret_reference", "headers[Content-Type] header_invalid", "headers[Webhook-Id] header_invalid", "headers[X-Break] header_invalid", "headers[X-Ref] secret_reference"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var got []string
			for _, p := range c.settings.Validate() {
				require.NotEmpty(t, p.Message)
				got = append(got, p.Field+" "+p.Code)
			}

			require.Equal(t, c.want, got)

			_, err := sender.New(c.settings, sender.Deps{})
			require.Error(t, err)
		})
	}

	for name, settings := range map[string]sender.Settings{
		"slack": &slack, "pagerduty": pagerDuty("https://events.eu.pagerduty.com/v2/enqueue"), "alertmanager": &alertmanager,
		"email": email("mail.example.com:465"), "webhook": webhook("https://example.com/x?y=z"),
		"email without encryption to this machine": &sender.Email{Server: "[::1]:25", TLS: "none", From: "a@b.c", To: []string{"a@b.c"}},
	} {
		t.Run("good settings have no problems: "+name, func(t *testing.T) {
			t.Parallel()
			require.Empty(t, settings.Validate())
		})
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range sender.Kinds() {
		require.Equal(t, kind, sender.NewSettings(kind).Kind())
	}

	require.Nil(t, sender.NewSettings("pigeon"))
	require.True(t, sender.KindEmail.TakesDigests())
	require.False(t, sender.KindAlertmanager.TakesDigests())
	require.Equal(t, 2*time.Minute, alertmanager.Resend())
	require.Equal(t, time.Minute, new(sender.Alertmanager).Resend())
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("private"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "slack"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "slack", "url"), []byte(" value \n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "empty"), []byte("\n"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(folder, "link")))

	s := secrets(map[string]string{"HALE_SECRET_A": "from the environment", "HOME": "private"})
	s.Folder = folder

	t.Run("a file of the folder is read", func(t *testing.T) {
		t.Parallel()
		value, err := s.Resolve("file:slack/url")
		require.NoError(t, err)
		require.Equal(t, "value", value)
	})

	t.Run("a variable with the prefix is read", func(t *testing.T) {
		t.Parallel()
		value, err := s.Resolve("env:HALE_SECRET_A")
		require.NoError(t, err)
		require.Equal(t, "from the environment", value)
	})

	for _, reference := range []sender.Secret{"env:HOME", "env:hale_secret_a", "file:/etc/passwd", "file:../x", "file:slack/../../x", "file:", "plain", ""} {
		t.Run("nothing else can be named: "+string(reference), func(t *testing.T) {
			t.Parallel()
			_, err := s.Resolve(reference)
			require.True(t, refusal(t, err).Permanent)
		})
	}

	t.Run("a link leads nowhere else", func(t *testing.T) {
		t.Parallel()
		_, err := s.Resolve("file:link")
		require.Error(t, err)
		require.NotContains(t, err.Error(), "private")
	})

	t.Run("what is missing or empty may come", func(t *testing.T) {
		t.Parallel()
		for _, reference := range []sender.Secret{"file:empty", "env:HALE_SECRET_B"} {
			_, err := s.Resolve(reference)
			require.ErrorIs(t, err, sender.ErrNoSecret)
		}

		_, err := s.Resolve("file:none")
		require.ErrorIs(t, err, os.ErrNotExist)
		_, err = new(sender.Secrets).Resolve("file:none")
		require.ErrorIs(t, err, sender.ErrNoSecret)
	})

	t.Run("what is no reference is not shown", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, "(hidden)", sender.Secret("hunter2").String())
		require.Equal(t, "file:slack/url", sender.Secret("file:slack/url").String())
	})
}
