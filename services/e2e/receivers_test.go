package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// startAlertmanager starts a real one that tells nobody, and returns its address. It ends with the test.
func startAlertmanager(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	require.NoError(t, os.WriteFile(config, []byte("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"), 0o600))
	cmd := exec.Command("prometheus-alertmanager", "--config.file="+config, "--storage.path="+dir,
		"--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")
	output, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start(), "`make setup` installs it")
	listening := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
	address, done := make(chan string, 1), make(chan struct{})
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
		_ = cmd.Wait()
	})
	select {
	case found := <-address:
		return "http://" + found
	case <-done:
		require.Fail(t, "Alertmanager ended before it listened")
		return ""
	}
}

// mailbox is a mail server on this machine that keeps what it gets.
type mailbox struct {
	address string

	mu    sync.Mutex
	mails []letter
}

type letter struct {
	to   string
	body []byte
}

func startMail(t *testing.T) *mailbox {
	t.Helper()
	m := &mailbox{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m.address = listener.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailing{box: m}, nil }))
	server.Domain = "localhost"
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = listener.Close() // a test may end before the server has begun
		_ = server.Close()
		<-done
	})
	return m
}

// has says whether somebody has a mail whose subject or text holds that.
func (m *mailbox) has(to, text string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, one := range m.mails {
		if one.to == to && bytes.Contains(readMail(one.body), []byte(text)) {
			return nil
		}
	}
	return fmt.Errorf("none of %d mails is to %s and says %q", len(m.mails), to, text)
}

// readMail is a mail's subject and its parts, decoded.
func readMail(body []byte) []byte {
	message, err := mail.ReadMessage(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	subject, _ := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	text := []byte(subject + "\n")
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return text
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return text
		}
		var from io.Reader = part
		if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			from = quotedprintable.NewReader(part)
		}
		decoded, _ := io.ReadAll(from)
		text = append(text, decoded...)
	}
}

type mailing struct {
	box *mailbox
	to  string
}

func (*mailing) Reset()                               {}
func (*mailing) Logout() error                        { return nil }
func (*mailing) Mail(string, *smtp.MailOptions) error { return nil }

func (s *mailing) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return nil
}

func (s *mailing) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.mails = append(s.box.mails, letter{to: s.to, body: body})
	return nil
}
