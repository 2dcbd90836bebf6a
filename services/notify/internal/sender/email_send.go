package sender

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"hale.dev/services/internal/egress"
)

// mailTimeout bounds the talk with a mail server about one notification.
const mailTimeout = time.Minute

// errNoSTARTTLS is returned for a server that would take mail in the clear only.
var errNoSTARTTLS = errors.New("the mail server offers no STARTTLS")

func (e *Email) sender(deps Deps) Sender {
	return &emailSender{settings: *e, deps: deps, taken: newTaken()}
}

type emailSender struct {
	settings Email
	deps     Deps
	taken    *taken
}

// Send implements Sender. Each recipient gets a mail of their own, so that an address that is gone keeps it from nobody
// else.
func (e *emailSender) Send(ctx context.Context, n *Notification) error {
	payloads, err := e.settings.render(n, e.deps.Now())
	if err != nil {
		return err
	}

	from, err := parseAddress(e.settings.From)
	if err != nil {
		return permanent("from is not an address of email")
	}

	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()

	conn, err := e.dial(ctx)
	if err != nil {
		return smtpError(err)
	}
	defer func() { _ = conn.Close() }()
	// What the client waits for ends with the context.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()

	client, err := e.greet(conn)
	if err != nil {
		return smtpError(err)
	}

	err = e.taken.each(n.ID, payloads, func(p Payload) error { return smtpError(deliver(client, from.Address, p)) })
	_ = client.Quit() // what was taken is taken

	return err
}

func (e *emailSender) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, e.deps.Egress.Timeout())
	defer cancel()

	conn, err := e.deps.Egress.DialContext(ctx, "tcp", e.settings.Server)
	if err != nil || e.settings.TLS != tlsImplicit {
		return conn, err
	}

	secure := tls.Client(conn, e.tls())
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()

		return nil, fmt.Errorf("encrypting: %w", err)
	}

	return secure, nil
}

func (e *emailSender) host() string {
	host, _, _ := net.SplitHostPort(e.settings.Server)

	return host
}

func (e *emailSender) tls() *tls.Config { return e.deps.Egress.TLS(e.host()) }

// greet says hello, encrypts, and says who we are.
func (e *emailSender) greet(conn net.Conn) (*smtp.Client, error) {
	client, err := smtp.NewClient(conn, e.host())
	if err != nil {
		return nil, fmt.Errorf("greeting the mail server: %w", err)
	}

	if e.settings.TLS == "" || e.settings.TLS == tlsStart {
		if ok, _ := client.Extension("STARTTLS"); !ok {
			return nil, errNoSTARTTLS
		}

		if err := client.StartTLS(e.tls()); err != nil {
			return nil, fmt.Errorf("encrypting: %w", err)
		}
	}

	if e.settings.Username == "" {
		return client, nil
	}

	password, err := e.deps.Secrets.Resolve(e.settings.Password)
	if err != nil {
		return nil, err
	}

	// Without encryption the server is on this machine.
	plainly := e.settings.TLS == tlsNone
	_, offered := client.Extension("AUTH")

	auth := smtp.PlainAuth("", e.settings.Username, password, e.host(), plainly)
	if offered = strings.ToUpper(offered); !strings.Contains(offered, "PLAIN") && strings.Contains(offered, "LOGIN") {
		auth = smtp.LoginAuth(e.settings.Username, password, e.host(), plainly)
	}

	if err := client.Auth(auth); err != nil {
		return nil, fmt.Errorf("authenticating: %w", err)
	}

	return client, nil
}

// deliver hands one mail over.
func deliver(client *smtp.Client, from string, p Payload) error {
	err := client.Mail(from)
	if err == nil {
		err = client.Rcpt(p.To)
	}

	if err != nil {
		_ = client.Reset() // for the next one; should it fail, that one will too

		return fmt.Errorf("addressing a mail: %w", err)
	}

	writer, err := client.Data()
	if err != nil {
		return fmt.Errorf("beginning a mail: %w", err)
	}

	if _, err := writer.Write(p.Body); err != nil {
		return fmt.Errorf("writing a mail: %w", err)
	}

	if err := writer.Close(); err != nil {
		return fmt.Errorf("ending a mail: %w", err)
	}

	return nil
}

// smtpError says what an answer of a mail server means: from 500 on it is final.
func smtpError(err error) error {
	answer := new(textproto.Error)

	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer):
		return &Error{
			Permanent: answer.Code >= 500, Status: answer.Code, Reason: cutBytes(line(answer.Msg), maxReason),
		}
	case errors.Is(err, egress.ErrRefused):
		return permanent("%v", egress.ErrRefused)
	default:
		return err
	}
}
