package e2e_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/smtptest"
	"github.com/magiclink-go/magiclink/mail"
)

// mailServer is a real mail server. What it has delivered is read by another library than the one that has written it.
type mailServer struct{ *smtptest.Server }

func startMailServer(t *testing.T) *mailServer {
	t.Helper()
	return &mailServer{smtptest.Start(t)}
}

// mailer sends over encrypted connections alone.
func (s *mailServer) mailer(t *testing.T) *mail.Mailer {
	t.Helper()
	mailer, err := mail.New(mail.Config{
		URL: "smtp://" + s.Address(), From: "Example Reports <login@example.com>", TLS: &tls.Config{RootCAs: s.Roots()},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mailer.Close()) })
	return mailer
}

// letter is a mail as its reader has it.
type letter struct {
	netmail.Header
	text, html string
	link, code string // what stands alone on a line of the text
}

// newest waits until an address has got n mails, and returns the last one.
func (s *mailServer) newest(t *testing.T, address string, n int) letter {
	t.Helper()
	var letters []letter
	waitFor(t, func() bool {
		letters = letters[:0]
		for _, content := range s.Mails(t, n) {
			if l := readLetter(t, content); l.Get("X-Original-To") == address {
				letters = append(letters, l)
			}
		}
		return len(letters) >= n
	})
	require.Len(t, letters, n)
	last := letters[n-1]
	require.Contains(t, last.Get("Received"), "ESMTPS", "the mail came over an encrypted connection")
	return last
}

var (
	linkLine = regexp.MustCompile(`(?m)^https?://\S+$`)
	codeLine = regexp.MustCompile(`(?m)^[2-9A-Z]{4}-[2-9A-Z]{4}$`)
	anyLink  = regexp.MustCompile(`href="([^"]*)"`)
)

func readLetter(t *testing.T, content []byte) letter {
	t.Helper()
	message, err := netmail.ReadMessage(bytes.NewReader(content))
	require.NoError(t, err)
	_, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	require.NoError(t, err)
	l := letter{Header: message.Header}
	parts := multipart.NewReader(message.Body, parameters["boundary"])
	for {
		part, err := parts.NextPart() // decodes quoted-printable
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		text, err := io.ReadAll(part)
		require.NoError(t, err)
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.html = string(text)
		} else {
			l.text = strings.ReplaceAll(string(text), "\r\n", "\n")
		}
	}
	links, codes := linkLine.FindAllString(l.text, -1), codeLine.FindAllString(l.text, -1)
	require.Len(t, links, 1)
	require.LessOrEqual(t, len(codes), 1)
	l.link = links[0]
	if len(codes) == 1 { // an invitation has none
		l.code = codes[0]
	}
	require.Equal(t, []string{l.link}, l.links(), "both parts have the same link")
	return l
}

// links are the addresses that the HTML part leads to.
func (l letter) links() (links []string) {
	for _, found := range anyLink.FindAllStringSubmatch(l.html, -1) {
		links = append(links, strings.ReplaceAll(found[1], "&amp;", "&"))
	}
	return links
}

// wrongCode returns another code than that of the mail, which looks like one. Each n gives another one.
func (l letter) wrongCode(n int) string {
	const digits = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	at := strings.IndexByte(digits, l.code[0])
	return string(digits[(at+n)%len(digits)]) + l.code[1:]
}

// serveMail shows the HTML part, as a mail program in the web does, and returns where.
func serveMail(t *testing.T, l letter) (address string) { t.Helper(); return serveHTML(t, l.html) }
