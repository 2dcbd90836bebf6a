package sender

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/mail"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// maxSubject is how long the subject of a mail is at most.
const maxSubject = 200

// htmlView is what the HTML part shows: alerts or a digest in Hale's layout, or the text of a template.
type htmlView struct {
	Title  string
	Text   string
	View   *view
	Digest *digestView
}

// message is a mail to one recipient, complete, and the same on every try.
func (e *Email) message(n *Notification, to *mail.Address) ([]byte, error) {
	from, err := parseAddress(e.From)
	if err != nil {
		return nil, permanent("from is not an address of email")
	}

	html := htmlView{}

	var text string

	if n.Digest != nil {
		html.Digest = viewDigest(n, plain)
		html.Title, text = html.Digest.Title, html.Digest.text()
	} else {
		html.View = newView(n, plain)
		html.Title, text = e.texts(html.View)

		if e.Text != "" {
			html.Text = text
		}
	}

	page, err := html.render()
	if err != nil {
		return nil, err
	}

	domain := from.Address[strings.LastIndexByte(from.Address, '@')+1:]
	id := digestOf(n.ID, to.Address)
	m := gomail.NewMsg(gomail.WithBoundary("hale-"+id), gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(from)
	m.ToMailAddress(to)
	m.Subject(cut(html.Title, maxSubject))
	m.SetDateWithValue(n.Sent)
	m.SetMessageIDWithValue(id + "@" + domain)
	setHeaders(m, n, domain)
	m.SetBodyString(gomail.TypeTextPlain, text)
	m.AddAlternativeString(gomail.TypeTextHTML, page)

	var out bytes.Buffer
	if _, err := m.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("writing a mail: %w", err)
	}

	return out.Bytes(), nil
}

// setHeaders sets what mail programs sort by: mails of a group form a thread, below a mail that was never sent; and no
// vacation is answered to a machine.
func setHeaders(m *gomail.Msg, n *Notification, domain string) {
	thread := "<" + digestOf("thread", n.Workspace, n.Group) + "@" + domain + ">"
	list := "alerts"

	if n.Digest != nil {
		list = "digests"
	} else {
		m.SetGenHeader(gomail.HeaderInReplyTo, thread)
		m.SetGenHeader(gomail.HeaderReferences, thread)
	}

	m.SetGenHeader("List-Id", "<"+list+"."+digestOf(n.Workspace)[:16]+"."+domain+">")
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("X-Auto-Response-Suppress", "All")
}

// digestOf makes a short id of texts that may hold anything.
func digestOf(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}

	return hex.EncodeToString(hash.Sum(nil))[:40]
}

func (v *htmlView) render() (string, error) {
	parsed, err := template.New("mail.html.tmpl").Funcs(functions()).ParseFS(files, "template/mail.html.tmpl")
	if err != nil {
		return "", fmt.Errorf("reading the template of mails: %w", err)
	}

	var out strings.Builder
	if err := parsed.Execute(&out, v); err != nil {
		return "", fmt.Errorf("writing a mail: %w", err)
	}

	return out.String(), nil
}
