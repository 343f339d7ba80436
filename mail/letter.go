package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/magiclink-go/magiclink/signin"
)

// letter is a mail as it goes over the wire.
type letter struct {
	from, to string // bare addresses
	id       string // the local part of the Message-ID
	content  []byte // with lines that end in CRLF
}

// writer writes letters.
type writer struct {
	templates *Templates
	from      netmail.Address
	now       func() time.Time
	readable  bool // the text is not encoded: for a file, which no server passes on
}

func (w writer) write(m signin.Message) (letter, error) {
	rendered, err := w.templates.Render(m)
	if err != nil {
		return letter{}, err
	}
	id, boundary := identify(m)
	domain := w.from.Address[strings.LastIndexByte(w.from.Address, '@')+1:]

	encoding := gomail.EncodingQP
	if w.readable {
		encoding = gomail.NoEncoding
		rendered.Text, rendered.HTML = withCRLF(rendered.Text), withCRLF(rendered.HTML)
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(encoding), gomail.WithBoundary(boundary))
	msg.FromMailAddress(&w.from)
	msg.ToMailAddress(&netmail.Address{Address: m.To})
	msg.Subject(rendered.Subject)
	msg.SetDateWithValue(w.now())
	msg.SetMessageIDWithValue(id + "@" + domain)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's holiday notice answers it
	msg.SetGenHeader("Content-Language", rendered.Language)
	msg.SetBodyString(gomail.TypeTextPlain, rendered.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, rendered.HTML)

	var content bytes.Buffer
	if _, err := msg.WriteTo(&content); err != nil {
		return letter{}, fmt.Errorf("magiclink/mail: the mail cannot be encoded: %w", signin.ErrPermanent)
	}
	return letter{from: w.from.Address, to: m.To, id: id, content: content.Bytes()}, nil
}

// withCRLF ends the lines as mails do. The encoding for servers does so itself.
func withCRLF(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
}

// identify returns two names that are the same whenever the same message is sent again, so that a second copy can be recognized. They tell
// nothing about the link, which nobody can guess.
func identify(m signin.Message) (id, boundary string) {
	digest := sha256.New()
	for _, part := range []string{"magiclink/mail", string(m.Kind), m.To, m.Link, m.Code, strconv.FormatInt(m.AskedAt.UnixMilli(), 10)} {
		fmt.Fprintf(digest, "%d:%s", len(part), part)
	}
	sum := hex.EncodeToString(digest.Sum(nil))
	return sum[:32], sum[32:]
}
