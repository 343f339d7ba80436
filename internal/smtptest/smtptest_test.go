package smtptest_test

import (
	"crypto/tls"
	"net/smtp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/smtptest"
)

func TestServer(t *testing.T) {
	server := smtptest.Start(t)
	server.AddUser(t, "app@example.com", "secret")
	client, err := smtp.Dial(server.Address())
	require.NoError(t, err)
	require.NoError(t, client.StartTLS(&tls.Config{RootCAs: server.Roots(), ServerName: "localhost"}))
	require.NoError(t, client.Mail("login@acme.example"))
	require.NoError(t, client.Rcpt("jane@example.com"))
	data, err := client.Data()
	require.NoError(t, err)
	_, err = data.Write([]byte("Subject: hello\r\n\r\nhello\r\n"))
	require.NoError(t, err)
	require.NoError(t, data.Close())
	require.NoError(t, client.Quit())

	mails := server.Mails(t, 1)
	require.Len(t, mails, 1)
	require.Contains(t, string(mails[0]), "\nSubject: hello\n")
	require.Contains(t, string(mails[0]), "\nX-Original-To: jane@example.com\n")
	require.DirExists(t, server.Maildir())

	server.Stop()
	_, err = smtp.Dial(server.Address())
	require.Error(t, err)
	server.Stop()
}
