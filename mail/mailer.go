package mail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink/signin"
)

var (
	errClosed   = errors.New("magiclink/mail: the Mailer is closed")
	errNoMailer = errors.New("magiclink/mail: Mailer is not initialized: use New")
	errTimeout  = errors.New("the server takes longer than Config.Timeout")
)

// Mailer sends mails over SMTP. It is safe for concurrent use. The zero value sends nothing: its methods
// return an error. Make one with [New], and close it when no more mails are sent.
type Mailer struct {
	writer    writer
	server    server
	helloName string
	timeout   time.Duration
	keep      time.Duration // an idle connection
	slots     chan struct{} // one for each connection that may be open

	mu     sync.Mutex
	idle   []*connection // the last one was used last
	closed bool
}

var _ signin.Mailer = (*Mailer)(nil)

// New returns a Mailer. It does not connect. It reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func New(config Config) (*Mailer, error) {
	config, server, writer, faults := config.check()
	if err := faults.err(); err != nil {
		return nil, err
	}
	return &Mailer{
		writer: writer, server: server, helloName: config.HelloName,
		timeout: config.Timeout, keep: config.IdleTimeout, slots: make(chan struct{}, config.Connections),
	}, nil
}

// Send writes a message and hands it over to the mail server. It returns nil when the server has taken the mail, which is then in the
// server's hands.
//
// An error that matches [signin.ErrPermanent] says that the message has a fault, or that the server refuses it for good (5xx). After every
// other error the message can be sent again. When the server falls silent after it has got the whole mail, nobody knows whether it has taken
// the mail: a second attempt may lead to two mails, which have the same Message-ID. No error holds an address, a link, a code, the password
// or the text of a server's answer.
func (m *Mailer) Send(ctx context.Context, message signin.Message) error {
	if !m.ready() {
		return errNoMailer
	}
	letter, err := m.writer.write(message)
	if err != nil {
		return err
	}
	ctx, leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return m.deliver(ctx, letter)
}

// ready reports whether New has made the Mailer.
func (m *Mailer) ready() bool { return m != nil && m.slots != nil }

// enter waits until one more connection may be in use. It returns a context that ends after Config.Timeout, and what gives the place back.
func (m *Mailer) enter(ctx context.Context) (bounded context.Context, leave func(), err error) {
	bounded, cancel := context.WithTimeoutCause(ctx, m.timeout, errTimeout)
	select {
	case m.slots <- struct{}{}:
		return bounded, func() { <-m.slots; cancel() }, nil
	case <-bounded.Done():
		defer cancel()
		return nil, nil, fmt.Errorf("magiclink/mail: waiting for a connection: %w", context.Cause(bounded))
	}
}

// deliver sends a letter over an idle connection or a new one. The server may have closed an idle connection: then a new one replaces it,
// once, if the server cannot have taken the letter.
func (m *Mailer) deliver(ctx context.Context, letter letter) error {
	conn, err := m.take(ctx)
	if err != nil {
		return err
	}
	started, err := conn.deliver(ctx, letter)
	if err != nil && conn.reused && !started && stale(err) && ctx.Err() == nil {
		conn.abort()
		if conn, err = m.server.dial(ctx, m.helloName); err != nil {
			return err
		}
		_, err = conn.deliver(ctx, letter)
	}
	if conn.usable(ctx, err) {
		m.put(conn)
	} else {
		conn.abort()
	}
	return err
}

// take returns the idle connection that was used last, or a new one.
func (m *Mailer) take(ctx context.Context) (*connection, error) {
	m.mu.Lock()
	closed := m.closed
	var conn *connection
	if n := len(m.idle); n > 0 {
		conn, m.idle = m.idle[n-1], m.idle[:n-1]
		conn.expiry.Stop()
	}
	m.mu.Unlock()
	switch {
	case closed:
		return nil, errClosed
	case conn != nil:
		return conn, nil
	}
	return m.server.dial(ctx, m.helloName)
}

// put keeps a connection for the next letter.
func (m *Mailer) put(conn *connection) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		conn.quit()
		return
	}
	conn.reused = true
	conn.expiry = time.AfterFunc(m.keep, func() { m.expire(conn) })
	m.idle = append(m.idle, conn)
	m.mu.Unlock()
}

// expire closes a connection that is still idle.
func (m *Mailer) expire(conn *connection) {
	m.mu.Lock()
	at := slices.Index(m.idle, conn)
	if at >= 0 {
		m.idle = slices.Delete(m.idle, at, at+1)
	}
	m.mu.Unlock()
	if at >= 0 {
		conn.quit()
	}
}

// Close closes the idle connections. A Send that is under way ends as it would have; later ones fail. Close may be called again. It
// always returns nil.
func (m *Mailer) Close() error {
	if !m.ready() {
		return nil
	}
	m.mu.Lock()
	idle := m.idle
	m.idle, m.closed = nil, true
	m.mu.Unlock()
	for _, conn := range idle {
		conn.expiry.Stop()
		conn.quit()
	}
	return nil
}
