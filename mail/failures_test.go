package mail_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

const password = "correct horse battery staple"

var sample = mail.Sample(signin.KindSignIn, "en")

// requireSafe fails if an error says who gets the mail or what it says.
func requireSafe(t *testing.T, err error) {
	t.Helper()
	token := sample.Link[strings.LastIndexByte(sample.Link, '/')+1:]
	for _, secret := range []string{sample.To, "jane", "example.com", token, sample.Code, password, "quoted"} {
		for _, form := range []string{"%v", "%+v", "%#v"} {
			require.NotContains(t, fmt.Sprintf(form, err), secret)
		}
	}
}

// 4xx is temporary, 5xx is not, at every step. No answer is repeated: servers repeat the address.
func TestServerRefuses(t *testing.T) {
	const quoted = " 5.1.1 <jane@example.com>: quoted " // the server repeats what it has got
	for step, command := range map[string]string{
		"the greeting": "greeting", "AUTH": "AUTH", "MAIL FROM": "MAIL", "RCPT TO": "RCPT", "DATA": "DATA", "the mail": ".",
	} {
		for code, permanent := range map[string]bool{"421": false, "451": false, "550": true, "554": true} {
			server := startScripted(t, refusing(command, code+quoted+sample.Link+" "+sample.Code))
			config := mail.Config{URL: strings.Replace(server.url(), "://", "://app@", 1), Password: password}
			err := newMailer(t, config).Send(t.Context(), sample)
			require.EqualError(t, err, "magiclink/mail: the server answers "+code+" 5.1.1 to "+step)
			require.Equal(t, permanent, isPermanent(err), "%s %s", step, code)
			requireSafe(t, err)
		}
	}
}

func isPermanent(err error) bool {
	_, ok := err.(interface{ Is(error) bool })
	return ok && err.(interface{ Is(error) bool }).Is(signin.ErrPermanent)
}

// After a refusal the connection serves the next mail.
func TestConnectionOutlivesARefusal(t *testing.T) {
	server := startScripted(t, refusing("RCPT TO:<nobody@", "550 5.1.1 unknown"))
	mailer := newMailer(t, mail.Config{URL: server.url()})
	for range 3 {
		nobody := sample
		nobody.To = "nobody@example.com"
		require.ErrorIs(t, mailer.Send(t.Context(), nobody), signin.ErrPermanent)
		require.NoError(t, mailer.Send(t.Context(), sample))
	}
	mails, connections := server.received()
	require.Len(t, mails, 3)
	require.Equal(t, 1, connections)
	require.Len(t, server.saw("RSET"), 3, "nothing of the refused mail is left")
}

// A connection that does not come back to order after a refusal is given up.
func TestConnectionIsGivenUpAfterARefusal(t *testing.T) {
	server := startScripted(t, func(_ int, command string) string {
		return map[string]string{"RCPT TO:<nobody@example.com>": "550 5.1.1 unknown", "RSET": "500 what?"}[command]
	})
	mailer := newMailer(t, mail.Config{URL: server.url()})
	nobody := sample
	nobody.To = "nobody@example.com"
	require.ErrorIs(t, mailer.Send(t.Context(), nobody), signin.ErrPermanent)
	require.NoError(t, mailer.Send(t.Context(), sample))
	_, connections := server.received()
	require.Equal(t, 2, connections)
}

func TestServerIsDown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listener.Close()
	err = newMailer(t, mail.Config{URL: "smtp://" + listener.Addr().String()}).Send(t.Context(), sample)
	require.ErrorContains(t, err, "connection refused")
	require.False(t, isPermanent(err))
	requireSafe(t, err)
}

// A server that says nothing holds nobody longer than the context or the timeout allows.
func TestServerFallsSilent(t *testing.T) {
	for _, command := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "."} {
		server := startScripted(t, refusing(command, silent))
		mailer := newMailer(t, mail.Config{URL: server.url()})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			server.await(t, 1, command)
			cancel()
		}()
		err := mailer.Send(ctx, sample)
		require.ErrorIs(t, err, context.Canceled, command)
		require.NotErrorIs(t, err, signin.ErrPermanent, command)
		requireSafe(t, err)
		require.Equal(t, command == ".", strings.Contains(err.Error(), "same Message-ID"), err)

		err = newMailer(t, mail.Config{URL: server.url(), Timeout: 20 * time.Millisecond}).Send(t.Context(), sample)
		require.ErrorContains(t, err, "takes longer than Config.Timeout")
		require.ErrorIs(t, newMailer(t, mail.Config{URL: server.url()}).Send(within(t, 20*time.Millisecond), sample), context.DeadlineExceeded)
		_, connections := server.received()
		require.LessOrEqual(t, connections, 3, "nothing is tried twice")
	}
}

// Who waits for a connection waits no longer either.
func TestWaitingForAConnection(t *testing.T) {
	server := startScripted(t, refusing("MAIL", silent))
	mailer := newMailer(t, mail.Config{URL: server.url(), Connections: 1})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { first <- mailer.Send(ctx, sample) }()
	server.await(t, 1, "MAIL")
	require.ErrorIs(t, mailer.Send(within(t, 10*time.Millisecond), sample), context.DeadlineExceeded)
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
	_, connections := server.received()
	require.Equal(t, 1, connections)
}

// A server that drops the connection once it has the mail may have taken it. The Mailer does not send it again, neither over a
// new connection nor over one that has been idle. A second Send has the same Message-ID.
func TestServerDropsAfterData(t *testing.T) {
	for _, before := range []int{0, 1} {
		var dropping atomic.Bool
		server := startScripted(t, func(_ int, command string) string {
			if command == "." && dropping.Swap(false) {
				return drop
			}
			return ""
		})
		mailer := newMailer(t, mail.Config{URL: server.url()})
		for range before {
			require.NoError(t, mailer.Send(t.Context(), numbered("before")))
		}
		dropping.Store(true)
		err := mailer.Send(t.Context(), sample)
		require.ErrorContains(t, err, "the server may have taken the mail")
		require.NotErrorIs(t, err, signin.ErrPermanent)
		requireSafe(t, err)
		require.NoError(t, mailer.Send(t.Context(), sample))
		require.NoError(t, mailer.Send(t.Context(), numbered("2")))

		mails, connections := server.received()
		require.Len(t, mails, before+3)
		require.Equal(t, 2, connections)
		var ids []string
		for _, content := range mails[before:] {
			ids = append(ids, mustParse(t, []byte(content)).Get("Message-Id"))
		}
		require.Regexp(t, `^<[0-9a-f]{32}@acme\.example>$`, ids[0])
		require.Equal(t, ids[0], ids[1])
		require.NotEqual(t, ids[0], ids[2], "another mail")
	}
}

// An idle connection that the server has closed, or says it closes, is replaced once.
func TestIdleConnectionIsReplaced(t *testing.T) {
	for _, command := range []string{"MAIL", "RCPT", "DATA"} {
		for _, answer := range []string{drop, "421 4.4.2 timeout"} {
			for _, first := range []string{"jane@example.com", "nobody@example.com"} { // whose mail is taken, or refused
				requireReplaced(t, first, refusing(command, answer))
			}
		}
	}
}

// requireReplaced sends a mail, and then another one while the server closes the connection as it says.
func requireReplaced(t *testing.T, first string, closing func(int, string) string) {
	t.Helper()
	var begun atomic.Bool
	server := startScripted(t, func(connection int, command string) string {
		switch {
		case begun.Load() && connection == 1:
			return closing(connection, command)
		case strings.Contains(command, "nobody@"):
			return "550 5.1.1 unknown"
		}
		return ""
	})
	mailer := newMailer(t, mail.Config{URL: server.url()})
	message := numbered("1")
	message.To = first
	require.Equal(t, first == "nobody@example.com", mailer.Send(t.Context(), message) != nil)
	begun.Store(true)
	require.NoError(t, mailer.Send(t.Context(), numbered("2")))
	_, connections := server.received()
	require.Equal(t, 2, connections)
}

func TestConnectionIsReplacedOnlyOnce(t *testing.T) {
	var gone atomic.Bool
	server := startScripted(t, func(_ int, command string) string {
		if gone.Load() && strings.HasPrefix(command, "MAIL") {
			return drop
		}
		return ""
	})
	mailer := newMailer(t, mail.Config{URL: server.url()})
	require.NoError(t, mailer.Send(t.Context(), sample))
	gone.Store(true)
	require.ErrorContains(t, mailer.Send(t.Context(), sample), "MAIL FROM: EOF")
	_, connections := server.received()
	require.Equal(t, 2, connections)

	server = startScripted(t, refusing("MAIL", drop))
	require.ErrorContains(t, newMailer(t, mail.Config{URL: server.url()}).Send(t.Context(), sample), "MAIL FROM: EOF")
	_, connections = server.received()
	require.Equal(t, 1, connections, "a new connection is not replaced at all")
}

func TestServerDoesNotSpeakSMTP(t *testing.T) {
	for _, answer := range []string{"quoted jane@example.com", "HTTP/1.1 400 Bad Request", "99999 quoted", "220-quoted\r\n250 quoted"} {
		for _, command := range []string{"greeting", "MAIL", "."} {
			server := startScripted(t, refusing(command, answer))
			err := newMailer(t, mail.Config{URL: server.url(), Timeout: 300 * time.Millisecond}).Send(t.Context(), sample)
			require.Error(t, err, "%s %s", command, answer)
			require.NotErrorIs(t, err, signin.ErrPermanent)
			requireSafe(t, err)
		}
	}
}

// Nothing is said to a server without STARTTLS, not even the password.
func TestServerOffersNoSTARTTLS(t *testing.T) {
	server := startScripted(t, obedient)
	config := mail.Config{
		URL: strings.Replace(server.url(), "://", "://app@", 1), Password: password, TLS: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	require.ErrorContains(t, newMailer(t, config).Send(t.Context(), sample), "does not offer STARTTLS")
	require.Empty(t, server.saw("AUTH"))
	require.Empty(t, server.saw("MAIL"))

	config.TLS = nil // the control: on a loopback host
	require.NoError(t, newMailer(t, config).Send(t.Context(), sample))
	require.Len(t, server.saw("AUTH PLAIN"), 1)
}

func TestServerOffersOtherMechanisms(t *testing.T) {
	for offered, want := range map[string]string{
		"LOGIN": "AUTH LOGIN", "XOAUTH2 LOGIN PLAIN": "AUTH PLAIN", "CRAM-MD5": "", "PLAINER": "",
	} {
		server := startScripted(t, refusing("EHLO", "250-mx\r\n250 AUTH "+offered))
		config := mail.Config{URL: strings.Replace(server.url(), "://", "://app@", 1), Password: password}
		err := newMailer(t, config).Send(t.Context(), sample)
		if want == "" {
			require.ErrorContains(t, err, "neither AUTH PLAIN nor AUTH LOGIN")
			require.Empty(t, server.saw("AUTH"))
			continue
		}
		require.NoError(t, err)
		require.Len(t, server.saw(want), 1)
	}
}

func TestClose(t *testing.T) {
	server := startScripted(t, obedient)
	mailer := newMailer(t, mail.Config{URL: server.url(), HelloName: "app.acme.example"})
	require.NoError(t, mailer.Send(t.Context(), sample))
	require.Empty(t, server.saw("QUIT"))
	require.NoError(t, mailer.Close())
	server.await(t, 1, "QUIT")
	require.NoError(t, mailer.Close())
	require.ErrorContains(t, mailer.Send(t.Context(), sample), "closed")
	require.Equal(t, []string{"EHLO app.acme.example"}, server.saw("EHLO"))
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	server := startScripted(t, obedient)
	mailer := newMailer(t, mail.Config{URL: server.url(), IdleTimeout: time.Millisecond})
	require.NoError(t, mailer.Send(t.Context(), sample))
	server.await(t, 1, "QUIT")
	require.NoError(t, mailer.Send(t.Context(), sample))
}
