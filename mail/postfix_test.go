package mail_test

import (
	"crypto/tls"
	"crypto/x509"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/smtptest"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

func trusting(server *smtptest.Server) *tls.Config { return &tls.Config{RootCAs: server.Roots()} }

// connections returns how often somebody has connected, less the one time that the start was waited for.
func connections(server *smtptest.Server) int {
	return strings.Count(server.Log(), ": connect from") - 1
}

// A real server takes the mails of every kind and language and delivers what was written.
func TestPostfixDelivers(t *testing.T) {
	server := smtptest.Start(t)
	mailer := newMailer(t, mail.Config{URL: "smtp://" + server.Address(), TLS: trusting(server)})
	templates, err := mail.LoadTemplates(nil)
	require.NoError(t, err)

	want := map[string]mail.Rendered{} // by Message-ID, which is not known yet: by subject and kind
	sent := 0
	for _, lang := range templates.Languages() {
		for _, kind := range kinds {
			message := mail.Sample(kind, lang)
			require.NoError(t, mailer.Send(t.Context(), message))
			rendered, err := templates.Render(message)
			require.NoError(t, err)
			want[lang+rendered.Subject] = rendered
			sent++
		}
	}
	require.Len(t, want, sent)
	for _, content := range server.Mails(t, sent) {
		_, body, _ := strings.Cut(string(content), "\n\n")
		for line := range strings.SplitSeq(body, "\n") {
			require.LessOrEqual(t, len(line), 78)
		}
		got := mustParse(t, content)
		require.Contains(t, got.Get("Received"), "ESMTPS", "it came over an encrypted connection")
		require.Equal(t, "<login@acme.example>", got.Get("Return-Path"))
		require.Equal(t, "jane@example.com", got.Get("X-Original-To"))
		rendered, ok := want[got.Get("Content-Language")+got.subject(t)]
		require.True(t, ok, got.subject(t))
		delete(want, got.Get("Content-Language")+got.subject(t))
		require.Equal(t, []part{
			{"text/plain; charset=UTF-8", rendered.Text},
			{"text/html; charset=UTF-8", rendered.HTML},
		}, got.parts)
	}
	require.Empty(t, want)
	require.Equal(t, 1, connections(server), "one connection carries them all")
}

func TestPostfixImplicitTLS(t *testing.T) {
	server := smtptest.Start(t)
	mailer := newMailer(t, mail.Config{URL: "smtps://" + server.TLSAddress(), TLS: trusting(server)})
	require.NoError(t, mailer.Send(t.Context(), mail.Sample(signin.KindSignIn, "en")))
	require.Contains(t, mustParse(t, server.Mails(t, 1)[0]).Get("Received"), "ESMTPS")
}

func TestPostfixCertificateIsChecked(t *testing.T) {
	server := smtptest.Start(t)
	for name, config := range map[string]mail.Config{
		"unknown authority": {URL: "smtp://" + server.Address(), TLS: &tls.Config{RootCAs: x509.NewCertPool()}},
		"implicit TLS":      {URL: "smtps://" + server.TLSAddress()},
		"another name":      {URL: "smtp://" + server.Address(), TLS: &tls.Config{RootCAs: server.Roots(), ServerName: "mx.example.com"}},
	} {
		err := newMailer(t, config).Send(t.Context(), mail.Sample(signin.KindSignIn, "en"))
		require.Error(t, err, name)
		require.NotErrorIs(t, err, signin.ErrPermanent, name)
		require.Contains(t, err.Error(), "certificate", name)
	}
	// The control: on a loopback host without TLS the connection is not encrypted.
	require.NoError(t, newMailer(t, mail.Config{URL: "smtp://" + server.Address()}).Send(t.Context(), mail.Sample(signin.KindSignIn, "en")))
	require.NotContains(t, mustParse(t, server.Mails(t, 1)[0]).Get("Received"), "ESMTPS")
}

func TestPostfixAuthenticates(t *testing.T) {
	server := smtptest.Start(t, "smtpd_sasl_auth_enable = yes", "smtpd_client_restrictions = permit_sasl_authenticated, reject")
	server.AddUser(t, "app@example.com", "correct horse")
	config := mail.Config{URL: "smtp://app%40example.com@" + server.Address(), Password: "correct horse", TLS: trusting(server)}
	require.NoError(t, newMailer(t, config).Send(t.Context(), mail.Sample(signin.KindSignIn, "en")))
	require.Contains(t, mustParse(t, server.Mails(t, 1)[0]).Get("Received"), "ESMTPSA")

	config.Password = "battery staple"
	err := newMailer(t, config).Send(t.Context(), mail.Sample(signin.KindSignIn, "en"))
	require.ErrorIs(t, err, signin.ErrPermanent)
	require.EqualError(t, err, "magiclink/mail: the server answers 535 5.7.8 to AUTH")

	config.URL, config.Password = "smtp://"+server.Address(), ""
	err = newMailer(t, config).Send(t.Context(), mail.Sample(signin.KindSignIn, "en"))
	require.ErrorIs(t, err, signin.ErrPermanent, "without a user the server refuses")
}

// A connection that the server has closed is replaced, and nobody notices.
func TestPostfixConnectionIsReplaced(t *testing.T) {
	server := smtptest.Start(t, "smtpd_timeout = 1s")
	mailer := newMailer(t, mail.Config{URL: "smtp://" + server.Address(), TLS: trusting(server)})
	require.NoError(t, mailer.Send(t.Context(), numbered("1")))
	require.Eventually(t, func() bool { return strings.Contains(server.Log(), "timeout after") }, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, mailer.Send(t.Context(), numbered("2")))
	require.Len(t, server.Mails(t, 2), 2)
}

func TestPostfixTakesManyAtOnce(t *testing.T) {
	const mails = 40
	server := smtptest.Start(t)
	mailer := newMailer(t, mail.Config{URL: "smtp://" + server.Address(), TLS: trusting(server), Connections: 3})
	var group sync.WaitGroup
	for n := range mails {
		group.Go(func() {
			if err := mailer.Send(t.Context(), numbered(strconv.Itoa(n))); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	require.NoError(t, mailer.Close())
	ids := map[string]bool{}
	for _, content := range server.Mails(t, mails) {
		ids[mustParse(t, content).Get("Message-Id")] = true
	}
	require.Len(t, ids, mails)
	require.LessOrEqual(t, connections(server), 3)
}
