package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

const quitTimeout = 2 * time.Second

// The commands of a dialogue, for errors.
const (
	stepDial     = "connecting"
	stepGreeting = "the greeting"
	stepTLS      = "STARTTLS"
	stepAuth     = "AUTH"
	stepMail     = "MAIL FROM"
	stepRcpt     = "RCPT TO"
	stepData     = "DATA"
	stepContent  = "the mail"
)

// errors of a server that cannot be used as it is. They are no answers, so they are temporary: somebody may repair the server.
var (
	errNoTLS  = errors.New("the server does not offer STARTTLS: use smtps:// if it expects TLS from the first byte")
	errNoAuth = errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN")
)

// connection is an open dialogue with the server. It belongs to one goroutine at a time.
type connection struct {
	raw    net.Conn
	client *smtp.Client
	reused bool        // has been idle: the server may have closed it
	expiry *time.Timer // while it is idle
}

// dial opens a connection that is ready for mails. The context covers the whole of it.
func (s server) dial(ctx context.Context, helloName string) (*connection, error) {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(s.host, s.port))
	if err != nil {
		return nil, failed(ctx, stepDial, err)
	}
	c := &connection{raw: raw}
	stop := context.AfterFunc(ctx, c.abort)
	step, err := c.open(ctx, s, helloName)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		c.abort()
		return nil, failed(ctx, step, err)
	}
	return c, nil
}

// open greets the server, encrypts the connection and authenticates.
func (c *connection) open(ctx context.Context, s server, helloName string) (step string, err error) {
	conn := c.raw
	if s.security == implicitTLS {
		encrypted := tls.Client(c.raw, s.tls)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return stepDial, err
		}
		conn = encrypted
	}
	if c.client, err = smtp.NewClient(conn, s.host); err != nil {
		return stepGreeting, err
	}
	c.client.SkipSMTPUTF8(true) // addresses are ASCII, and the next server may not have the extension
	if err := c.client.Hello(helloName); err != nil {
		return stepGreeting, err
	}
	if s.security == startTLS {
		if offered, _ := c.client.Extension("STARTTLS"); !offered {
			return stepTLS, errNoTLS
		}
		if err := c.client.StartTLS(s.tls); err != nil {
			return stepTLS, err
		}
	}
	return stepAuth, c.authenticate(s)
}

func (c *connection) authenticate(s server) error {
	if s.user == "" {
		return nil
	}
	_, offered := c.client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	unencrypted := s.security == plaintext // such a server with a user is on this machine: see Config.server
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		return c.client.Auth(smtp.PlainAuth("", s.user, s.password, s.host, unencrypted))
	case slices.Contains(mechanisms, "LOGIN"):
		return c.client.Auth(smtp.LoginAuth(s.user, s.password, s.host, unencrypted))
	}
	return errNoAuth
}

// deliver hands over a letter. The result started is false while the server cannot have taken it: it has not agreed to DATA.
func (c *connection) deliver(ctx context.Context, l letter) (started bool, err error) {
	stop := context.AfterFunc(ctx, c.abort)
	defer stop()
	if err := c.client.Mail("<" + l.from + ">"); err != nil {
		return false, failed(ctx, stepMail, err)
	}
	if err := c.client.Rcpt("<" + l.to + ">"); err != nil {
		return false, failed(ctx, stepRcpt, err)
	}
	data, err := c.client.Data()
	if err != nil {
		return false, failed(ctx, stepData, err)
	}
	if _, err := data.Write(l.content); err != nil {
		return true, failed(ctx, stepContent, err)
	}
	if err := data.Close(); err != nil {
		return true, failed(ctx, stepContent, err)
	}
	return true, nil
}

// usable reports whether the connection can take another letter after an error of deliver.
func (c *connection) usable(ctx context.Context, err error) bool {
	answer, answered := errors.AsType[*answerError](err)
	if !answered || answer.code == codeClosing || ctx.Err() != nil {
		return err == nil && ctx.Err() == nil
	}
	stop := context.AfterFunc(ctx, c.abort)
	return c.client.Reset() == nil && stop()
}

// abort closes the connection at once. A part of a letter that the server has is void: QUIT would end it as if it were whole.
func (c *connection) abort() { _ = c.raw.Close() }

// quit takes leave of the server.
func (c *connection) quit() {
	_ = c.raw.SetDeadline(time.Now().Add(quitTimeout))
	_ = c.client.Quit()
	c.abort()
}

// codeClosing is what a server answers that closes the connection (RFC 5321 section 4.2.3).
const codeClosing = 421

// stale reports whether err is what a connection brings that the server has closed while it was idle.
func stale(err error) bool {
	if answer, ok := errors.AsType[*answerError](err); ok {
		return answer.code == codeClosing
	}
	return true
}
