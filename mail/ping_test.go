package mail_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/smtptest"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

// Ping logs in, and sends nothing.
func TestPing(t *testing.T) {
	server := smtptest.Start(t, "smtpd_sasl_auth_enable = yes", "smtpd_client_restrictions = permit_sasl_authenticated, reject")
	server.AddUser(t, "app@example.com", "correct horse")
	config := mail.Config{URL: "smtp://app%40example.com@" + server.Address(), Password: "correct horse", TLS: trusting(server)}
	mailer := newMailer(t, config)
	require.NoError(t, mailer.Ping(t.Context()))
	require.NoError(t, mailer.Send(t.Context(), mail.Sample(signin.KindSignIn, "en")))
	require.Len(t, server.Mails(t, 1), 1)
	require.NoError(t, mailer.Close())
	require.ErrorContains(t, mailer.Ping(t.Context()), "the Mailer is closed")

	config.Password = "battery staple"
	require.EqualError(t, newMailer(t, config).Ping(t.Context()), "magiclink/mail: the server answers 535 5.7.8 to AUTH")
}

func TestPingKeepsItsConnection(t *testing.T) {
	server := startScripted(t, obedient)
	mailer := newMailer(t, mail.Config{URL: server.url()})
	require.NoError(t, mailer.Ping(t.Context()))
	require.NoError(t, mailer.Send(t.Context(), mail.Sample(signin.KindSignIn, "en")))
	server.mu.Lock()
	defer server.mu.Unlock()
	require.Equal(t, 1, server.connections)
	require.Len(t, server.mails, 1)
}

func TestPingDoesNotWaitForEver(t *testing.T) {
	server := startScripted(t, refusing("greeting", silent))
	require.ErrorContains(t, newMailer(t, mail.Config{URL: server.url(), Timeout: 50 * time.Millisecond}).Ping(t.Context()), "longer than Config.Timeout")
}
