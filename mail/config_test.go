package mail_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/mail"
)

func faultsOf(t *testing.T, err error) (fields []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	var faults magiclink.ConfigErrors
	require.ErrorAs(t, err, &faults)
	for _, fault := range faults {
		fields = append(fields, fault.Field)
	}
	require.NotContains(t, err.Error(), "hunter2")
	return fields
}

func TestConfigURL(t *testing.T) {
	for url, want := range map[string][]string{
		"smtp://smtp.example.com":                 nil,
		"smtp://smtp.example.com:25":              nil,
		"smtps://smtp.example.com/":               nil,
		"smtp://[::1]:2525":                       nil,
		"":                                        {"URL"},
		"smtp.example.com":                        {"URL"},
		"smtp.example.com:587":                    {"URL"},
		"smtp://":                                 {"URL"},
		"smtp://:587":                             {"URL"},
		"http://smtp.example.com":                 {"URL"},
		"smtp://smtp.example.com:0":               {"URL"},
		"smtp://smtp.example.com:70000":           {"URL"},
		"smtp://smtp.example.com/path":            {"URL"},
		"smtp://smtp.example.com?starttls=no":     {"URL"},
		"smtp://smtp.example.com#x":               {"URL"},
		"smtp://app:hunter2@smtp.example.com":     {"URL"},
		"smtp://app:hunter2@smtp.example.com:x":   {"URL"},
		"smtp://app@smtp.example.com":             {"Password"},
		"smtp://app%40example.com@localhost":      {"Password"},
		"smtp://smtp.example.com\r\nRCPT TO:<a@b": {"URL"},
	} {
		_, err := mail.New(mail.Config{URL: url, From: from})
		require.Equal(t, want, faultsOf(t, err), url)
	}
}

func TestConfig(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*mail.Config)
		want   []string
	}{
		"good":                   {func(*mail.Config) {}, nil},
		"user":                   {func(c *mail.Config) { c.URL, c.Password = "smtp://app@smtp.example.com", "hunter2" }, nil},
		"password without user":  {func(c *mail.Config) { c.Password = "hunter2" }, []string{"URL"}},
		"plaintext":              {func(c *mail.Config) { c.Plaintext = true }, nil},
		"plaintext with a user":  {func(c *mail.Config) { c.URL, c.Password, c.Plaintext = "smtp://app@smtp.example.com", "hunter2", true }, []string{"Plaintext"}},
		"plaintext user at home": {func(c *mail.Config) { c.URL, c.Password = "smtp://app@localhost", "hunter2" }, nil},
		"plaintext smtps":        {func(c *mail.Config) { c.URL, c.Plaintext = "smtps://smtp.example.com", true }, []string{"Plaintext"}},
		"negative":               {func(c *mail.Config) { c.Timeout, c.Connections, c.IdleTimeout = -1, -1, -1 }, []string{"Timeout", "Connections", "IdleTimeout"}},
		"hello":                  {func(c *mail.Config) { c.HelloName = "a b" }, []string{"HelloName"}},
		"hello of two lines":     {func(c *mail.Config) { c.HelloName = "a\r\nMAIL FROM:<x>" }, []string{"HelloName"}},
		"long hello":             {func(c *mail.Config) { c.HelloName = strings.Repeat("a", 256) }, []string{"HelloName"}},
		"address as hello":       {func(c *mail.Config) { c.HelloName = "[192.0.2.1]" }, nil},
		"everything": {func(c *mail.Config) { *c = mail.Config{Templates: files("mail.txt", "{{")} }, []string{
			"URL", "From", "Templates",
		}},
	} {
		config := mail.Config{URL: "smtp://smtp.example.com", From: from}
		test.change(&config)
		mailer, err := mail.New(config)
		require.Equal(t, test.want, faultsOf(t, err), name)
		require.Equal(t, err == nil, mailer != nil)
	}
}

func TestConfigFrom(t *testing.T) {
	for sender, good := range map[string]bool{
		"login@acme.example":                         true,
		"Acme <login@acme.example>":                  true,
		`"Acme, Inc." <login@acme.example>`:          true,
		"Café Zoë <login@acme.example>":              true,
		"=?utf-8?q?Caf=C3=A9?= <login@acme.example>": true,
		"":                               false,
		"Acme":                           false,
		"login@localhost":                false,
		"a@acme.example, b@acme.example": false,
		"=?utf-8?q?A=0D=0ABcc:x?= <login@acme.example>": false,
		"A\u202eB <login@acme.example>":                 false,
		"A\u2028B <login@acme.example>":                 false,
		"A\r\nBcc: x@y.example <login@acme.example>":    false,
		strings.Repeat("a", 200) + " <a@acme.example>":  false,
		`"=?utf-8?q?x?=" <login@acme.example>`:          false,
	} {
		_, err := mail.New(mail.Config{URL: "smtp://localhost", From: sender})
		require.Equal(t, good, err == nil, "%q %v", sender, err)
	}
}

// The given TLS configuration stays as it is.
func TestConfigTLSIsNotChanged(t *testing.T) {
	config := &tls.Config{MinVersion: tls.VersionTLS13}
	newMailer(t, mail.Config{URL: "smtp://smtp.example.com", TLS: config})
	require.Empty(t, config.ServerName)
}
