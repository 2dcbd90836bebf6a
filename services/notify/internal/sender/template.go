package sender

import (
	"embed"
	"errors"
	"fmt"
	"strings"
	"text/template"
)

const (
	maxTemplate = 16 << 10 // bytes of a template
	maxOutput   = 32 << 10 // bytes of what a template makes
	maxTitle    = 1024     // bytes of a headline
)

//go:embed template
var files embed.FS

// errOutput ends a template that makes too much.
var errOutput = errors.New("the text is too long")

// texts makes headline and text of a notification. Where a template makes nothing, or fails, which Validate makes
// unlikely, Hale's own takes its place: a bad template must not keep an alert from being told.
func (t Templates) texts(v *view) (title, text string) {
	title, err := execute("title", t.Title, v)
	if title = line(title); title == "" {
		title = line(defaultTitle(v))
	}

	failed := err

	text, err = execute("text", t.Text, v)
	if text = strings.TrimSpace(plain(text)); text == "" {
		text = strings.TrimSpace(plain(defaultText(v)))
	}

	if failed = errors.Join(failed, err); failed != nil {
		text += "\n(A template of this receiver failed; this is Hale's own text.)"
	}

	return cutBytes(title, maxTitle), cutBytes(text, maxOutput)
}

// checkTemplates notes what is wrong with the templates, and where they fail on the sample.
func (t Templates) checkTemplates(problems *Problems) {
	v := newView(Sample(), plain)

	for _, one := range []struct{ field, text string }{{"title", t.Title}, {"text", t.Text}} {
		if len(one.text) > maxTemplate {
			problems.addf(one.field, CodeTooLarge, "is longer than %d bytes", maxTemplate)

			continue
		}

		parsed, err := compile(one.field, one.text)
		if err != nil {
			code := CodeTemplate
			if errors.As(err, new(refusedError)) {
				code = CodeTemplateRefused
			}

			problems.addf(one.field, code, "%v", err)
		} else if _, err = run(parsed, v); err != nil {
			problems.addf(one.field, CodeTemplateRun, "%v", err)
		}
	}
}

func compile(name, text string) (*template.Template, error) {
	parsed, err := template.New(name).Option("missingkey=zero").Funcs(functions()).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("compiling: %w", err)
	}

	return parsed, allowedTemplate(parsed)
}

func execute(name, text string, v *view) (string, error) {
	parsed, err := compile(name, text)
	if err != nil {
		return "", err
	}

	return run(parsed, v)
}

func run(parsed *template.Template, data any) (string, error) {
	var out limited
	if err := parsed.Execute(&out, data); err != nil && !errors.Is(err, errOutput) {
		return "", fmt.Errorf("executing: %w", err)
	}

	return out.text.String(), nil
}

// limited takes so much and no more; what came before stays.
type limited struct{ text strings.Builder }

// Write implements io.Writer.
func (l *limited) Write(text []byte) (int, error) {
	if l.text.Len()+len(text) > maxOutput {
		room := max(maxOutput-l.text.Len(), 0)
		l.text.Write(text[:room])

		return room, errOutput
	}

	l.text.Write(text)

	return len(text), nil
}

// defaultText is Hale's own text.
func defaultText(v *view) string { return fromFile("alerts.txt.tmpl", v) }

// fromFile executes a template of ours; tests execute them all.
func fromFile(name string, data any) string {
	parsed, err := template.New(name).Funcs(functions()).ParseFS(files, "template/"+name)
	if err != nil {
		return err.Error()
	}

	text, err := run(parsed, data)
	if err != nil {
		return err.Error()
	}

	return text
}
