package sender_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	alertv1 "hale.dev/proto/gen/hale/alert/v1"

	"hale.dev/services/notify/internal/sender"
)

// rendered is what a text template makes of a notification.
func rendered(t *testing.T, text string, n *sender.Notification) string {
	t.Helper()
	w := webhook("https://example.com/hook")
	w.Text = text

	return decode[webhookBody](t, preview(t, w, n)[0].Body).Text
}

func TestTemplates(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"{{.Counts}} in {{.Workspace}}":                                                          "1 firing, 1 resolved in default",
		"{{range .Alerts}}{{.Rule}} {{.State}};{{end}}":                                          "at_risk firing;urgent_ticket resolved;",
		"{{range $i, $a := .Alerts}}{{range $a.Drivers}}{{$i}}{{.Measure}} {{end}}{{end}}":       "0usage_trend 0nps",
		"{{with index .Alerts 0}}{{.Labels.team}} {{.Labels.none}}{{.RenewalDate}}{{end}}":       "success 2026-12-15",
		"{{(index .Alerts 0).Summary | truncate 9 | upper}}":                                     "THE SCOR…",
		`{{with index .Alerts 1}}{{.Assignee | default "nobody"}}{{end}}`:                        "nobody",
		`{{if eq (len .Alerts) 2}}two{{else}}{{.More}}{{end}}`:                                   "two",
		`{{range (index .Alerts 1).Drivers}}x{{else}}none{{end}}`:                                "",
		"{{/* a remark */}}{{- .Status | upper | lower | trim -}} ":                              "firing",
		`{{range .Alerts}}{{if ne .State "firing"}}{{continue}}{{end}}{{.Name}}{{break}}{{end}}`: "Acme Corp",
	} {
		if want == "" {
			continue
		}

		t.Run(text, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, rendered(t, text, sender.Sample()))
		})
	}

	t.Run("what fails on real alerts is replaced, and says so", func(t *testing.T) {
		t.Parallel()
		text := rendered(t, "{{(index .Alerts 1).Name}}", one(nil))
		require.Contains(t, text, "FIRING critical: Acme Corp")
		require.Contains(t, text, "A template of this receiver failed")
	})

	t.Run("what makes nothing is replaced", func(t *testing.T) {
		t.Parallel()
		require.Contains(t, rendered(t, `{{if eq .Status "none"}}x{{end}} `, one(nil)), "FIRING critical: Acme Corp")
	})

	t.Run("what makes much is cut off", func(t *testing.T) {
		t.Parallel()
		text := rendered(t, "{{range .Alerts}}"+strings.Repeat("x", 10_000)+"{{end}}", many(50, "Acme"))
		require.LessOrEqual(t, len(text), 32<<10)
		require.Greater(t, len(text), 30_000)
	})

	t.Run("a title is one line", func(t *testing.T) {
		t.Parallel()
		w := webhook("https://example.com/hook")
		w.Title = "a\n{{(index .Alerts 0).Name}}\tb"
		n := one(func(t *alertv1.Transition) { t.Alert.Subject.Name = "x\r\n\u202ey" })
		require.Equal(t, "a x y b", decode[webhookBody](t, preview(t, w, n)[0].Body).Title)
	})
}

func TestTemplatesAreChecked(t *testing.T) {
	t.Parallel()

	for text, code := range map[string]string{
		"{{":                                           sender.CodeTemplate,
		"{{.Counts | unknown}}":                        sender.CodeTemplate,
		"{{if}}{{end}}":                                sender.CodeTemplate,
		"{{.Nothing}}":                                 sender.CodeTemplateRun,
		"{{index .Alerts 99}}":                         sender.CodeTemplateRun,
		"{{range .Alerts}}{{.X}}{{end}}":               sender.CodeTemplateRun,
		`{{printf "%999999d" 1}}`:                      sender.CodeTemplateRefused,
		"{{print .}}":                                  sender.CodeTemplateRefused,
		"{{html .Counts}}":                             sender.CodeTemplateRefused,
		"{{if true}}{{printf .}}{{end}}":               sender.CodeTemplateRefused,
		"{{len (print 1)}}":                            sender.CodeTemplateRefused,
		"{{(print 1).X}}":                              sender.CodeTemplateRefused,
		"{{range 1000000000}}{{end}}":                  sender.CodeTemplateRefused,
		"{{$x := 1000000000}}{{range $x}}{{end}}":      sender.CodeTemplateRefused,
		"{{with 1000000000}}{{range .}}{{end}}{{end}}": sender.CodeTemplateRefused,
		"{{range (index .Alerts 0).Drivers}}{{end}}":   sender.CodeTemplateRefused,
		`{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`: sender.CodeTemplateRefused,
		`{{template "text"}}`:                                                 sender.CodeTemplateRefused,
		`{{block "x" .}}{{end}}`:                                              sender.CodeTemplateRefused,
		"{{if .More}}{{else}}{{range 5}}{{end}}{{end}}":                       sender.CodeTemplateRefused,
		strings.Repeat("{{range .Alerts}}", 4) + strings.Repeat("{{end}}", 4): sender.CodeTemplateRefused,
		strings.Repeat("x", 16<<10+1):                                         sender.CodeTooLarge,
	} {
		t.Run(text[:min(len(text), 60)], func(t *testing.T) {
			t.Parallel()
			w := webhook("https://example.com/hook")
			w.Text = text
			problems := w.Validate()
			require.Len(t, problems, 1)
			require.Equal(t, "text", problems[0].Field)
			require.Equal(t, code, problems[0].Code, problems[0].Message)

			_, err := sender.Preview(w, sender.Sample())
			require.Equal(t, problems, err)
		})
	}

	t.Run("titles are checked too", func(t *testing.T) {
		t.Parallel()
		w := webhook("https://example.com/hook")
		w.Title = "{{"
		require.Equal(t, "title", w.Validate()[0].Field)
	})
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"{{.Counts}}", "\x00", "\v\n", "{{range .Alerts}}{{.Name}}{{end}}", `{{template "x"}}`, "{{range 9}}{{end}}", "{{"} {
		f.Add(seed)
	}

	f.Fuzz(func(t *testing.T, text string) {
		w := webhook("https://example.com/hook")
		w.Title, w.Text = text, text

		if len(w.Validate()) > 0 {
			return
		}

		body := decode[webhookBody](t, preview(t, w, sender.Sample())[0].Body)
		require.NotEmpty(t, body.Text)
		require.NotContains(t, body.Text, "template of this receiver failed")
		require.NotContains(t, body.Title, "\n")
		require.LessOrEqual(t, len(body.Text), 32<<10)
	})
}

func FuzzSlackText(f *testing.F) {
	for _, seed := range []string{
		"Acme", "<!channel>", "&amp;&lt;", "\xff\x00\u202e", strings.Repeat("𝄞&", 3000), strings.Repeat("é&", 3000),
		strings.Repeat("x&", 3000), strings.Repeat("xx&", 3000), // one of them is cut within an &amp;
	} {
		f.Add(seed)
	}

	f.Fuzz(func(t *testing.T, text string) {
		n := one(func(t *alertv1.Transition) {
			t.Note, t.Author = text, text
			t.Alert.Summary, t.Alert.Subject.Name, t.Alert.Subject.Owner, t.Alert.RunbookUrl = text, text, text, "https://x.example/"+text
			t.Alert.Drivers[0].Measure = text
		})
		body := preview(t, &slack, n)[0].Body
		conforms(t, "slack.schema.json", body)

		message := decode[struct {
			Text   string
			Blocks []struct {
				Text   struct{ Type, Text string }
				Fields []struct{ Type, Text string }
			}
		}](t, body)
		markup := []string{message.Text}

		for _, b := range message.Blocks {
			if b.Text.Type == "mrkdwn" {
				markup = append(markup, b.Text.Text)
			}

			for _, field := range b.Fields {
				markup = append(markup, field.Text)
			}
		}

		for _, m := range markup {
			requireLinksOnly(t, m)
		}
	})
}

// requireLinksOnly checks that what stands in angle brackets are links of ours, and every & is escaped.
func requireLinksOnly(t *testing.T, text string) {
	t.Helper()

	for rest := text; ; {
		_, after, found := strings.Cut(rest, "<")
		if !found {
			break
		}

		link, behind, closed := strings.Cut(after, ">")
		require.True(t, closed, text)
		require.True(t, strings.HasPrefix(link, "https://"), text)
		require.Equal(t, 1, strings.Count(link, "|")-strings.Count(link[strings.Index(link, "|")+1:], "|"), text)
		rest = behind
	}

	for _, part := range strings.Split(text, "&")[1:] {
		require.Regexp(t, `^(amp|lt|gt);`, part, text)
	}
}
