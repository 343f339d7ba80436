package mail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

const from = "Acme <login@acme.example>"

var kinds = []signin.Kind{signin.KindSignIn, signin.KindNoAccount, signin.KindInvitation}

// part is a part of a mail, decoded.
type part struct{ kind, text string }

// parsed is a mail as the standard library reads it.
type parsed struct {
	netmail.Header
	parts []part
}

func parse(content []byte) (parsed, error) {
	message, err := netmail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return parsed{}, err
	}
	p := parsed{Header: message.Header}
	_, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return parsed{}, err
	}
	reader := multipart.NewReader(message.Body, parameters["boundary"])
	for {
		next, err := reader.NextPart() // decodes quoted-printable
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return parsed{}, err
		}
		text, err := io.ReadAll(next)
		if err != nil {
			return parsed{}, err
		}
		p.parts = append(p.parts, part{next.Header.Get("Content-Type"), strings.ReplaceAll(string(text), "\r\n", "\n")})
	}
}

func mustParse(t *testing.T, content []byte) parsed {
	t.Helper()
	p, err := parse(content)
	require.NoError(t, err)
	return p
}

// subject returns the decoded subject.
func (p parsed) subject(t *testing.T) string {
	t.Helper()
	subject, err := new(mime.WordDecoder).DecodeHeader(p.Get("Subject"))
	require.NoError(t, err)
	return subject
}

func newMailer(t *testing.T, config mail.Config) *mail.Mailer {
	t.Helper()
	if config.From == "" {
		config.From = from
	}
	mailer, err := mail.New(config)
	require.NoError(t, err)
	t.Cleanup(func() { mailer.Close() })
	return mailer
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// numbered returns a sample whose link ends with a number.
func numbered(n string) signin.Message {
	m := mail.Sample(signin.KindSignIn, "en")
	m.Link += n
	return m
}
