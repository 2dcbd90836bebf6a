package sender_test

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// mail is what a mail server took.
type mail struct {
	from, to string
	body     []byte
	secure   bool
}

// mailServer is a real one, that keeps what it gets. It refuses recipients and bodies as told.
type mailServer struct {
	address string

	mutex   sync.Mutex
	mails   []mail
	refuse  map[string]*smtp.SMTPError // by recipient
	content *smtp.SMTPError            // whatever the recipient
	reset   bool                       // whether a connection is cut off at the first mail
}

// startMail starts a server on this machine; config nil: it offers no encryption. If implicit, there is nothing else.
func startMail(t *testing.T, config *tls.Config, implicit bool) *mailServer {
	t.Helper()
	s := &mailServer{refuse: map[string]*smtp.SMTPError{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.address = listener.Addr().String()

	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &mailSession{server: s, conn: c}, nil
	}))
	server.Domain, server.AllowInsecureAuth = "localhost", config == nil

	if implicit {
		listener = tls.NewListener(listener, config)
	} else {
		server.TLSConfig = config
	}

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

	return s
}

func (s *mailServer) got() []mail {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	return s.mails
}

func (s *mailServer) setRefuse(to string, err *smtp.SMTPError) {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	s.refuse[to] = err
}

type mailSession struct {
	server *mailServer
	conn   *smtp.Conn
	now    mail
}

func (s *mailSession) Reset()        { s.now = mail{} }
func (s *mailSession) Logout() error { return nil }

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "hale" || password != "right" {
			return smtp.ErrAuthFailed
		}

		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.now.from = from

	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mutex.Lock()
	defer s.server.mutex.Unlock()

	if err := s.server.refuse[to]; err != nil {
		return err
	}

	s.now.to = to

	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}

	s.server.mutex.Lock()
	defer s.server.mutex.Unlock()

	if s.server.reset {
		s.server.reset = false

		return s.conn.Conn().Close()
	}

	if s.server.content != nil {
		return s.server.content
	}

	s.now.body = body
	_, s.now.secure = s.conn.TLSConnectionState()
	s.server.mails = append(s.server.mails, s.now)

	return nil
}
