package mail_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"mime"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

// headers are the names that the header of a mail has.
var headers = []string{
	"Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "Message-ID", "MIME-Version", "Subject", "To",
}

var fieldName = regexp.MustCompile(`^([!-9;-~]+):`)

// intact reports what of a mail is not as it was meant to be: it has one field of each name and no others, one recipient, one sender and two parts.
func intact(content []byte, to string) error {
	head, _, ok := bytes.Cut(content, []byte("\r\n\r\n"))
	if !ok {
		return errors.New("no body")
	}
	bare := bytes.ReplaceAll(content, []byte("\r\n"), nil)
	if bytes.ContainsAny(bare, "\r\n\x00") {
		return errors.New("a bare CR, a bare LF or a NUL")
	}
	var names []string
	for line := range strings.SplitSeq(string(head), "\r\n") {
		name := fieldName.FindStringSubmatch(line)
		switch {
		case len(line) > 998:
			return errors.New("a long line")
		case strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"):
		case name == nil:
			return errors.New("a line that is no field")
		default:
			names = append(names, name[1])
		}
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	if !slices.Equal(headers, names) {
		return fmt.Errorf("the fields %q", names)
	}
	return understood(content, to)
}

// understood parses the mail.
func understood(content []byte, to string) error {
	p, err := parse(content)
	if err != nil {
		return err
	}
	recipients, err := p.AddressList("To")
	if err != nil || len(recipients) != 1 || recipients[0].Address != to {
		return fmt.Errorf("recipients %v %w", recipients, err)
	}
	senders, err := p.AddressList("From")
	if err != nil || len(senders) != 1 {
		return fmt.Errorf("senders %v %w", senders, err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(p.Get("Subject"))
	if err != nil {
		return err
	}
	for _, text := range []string{subject, senders[0].Name} {
		if strings.ContainsFunc(text, func(r rune) bool {
			return unicode.IsControl(r) || !unicode.IsGraphic(r) && r != '\u200d' && r != '\u200c'
		}) {
			return fmt.Errorf("the text %q", text)
		}
	}
	if len(p.parts) != 2 || !strings.HasPrefix(p.parts[0].kind, "text/plain") || !strings.HasPrefix(p.parts[1].kind, "text/html") {
		return fmt.Errorf("the parts %d", len(p.parts))
	}
	return nil
}

var pieces = []string{
	"\r\n", "\n", "\r", "\x00", "\t", "\v", "\x1b[2J", "\x7f", "\u0085", "\u2028", "\u2029", "\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041",
	"\xff\xfe", "\xc0\x8d\xc0\x8a", "%0d%0a", "\r\nBcc: eve@evil.example", "\nTo: eve@evil.example", "\r\n\r\n<script>alert(1)</script>", "\r\n.\r\nQUIT\r\n",
	"=?utf-8?q?=0d=0aBcc:_eve@evil.example?=", "=?UTF-8?B?DQpCY2M6IGV2ZUBldmlsLmV4YW1wbGU=?=", "=?", "?=", "<eve@evil.example>", "eve@evil.example", ", ", "; ", ":", "\"", "\\",
	"(", ")", "[", "]", "--", "\r\n--boundary\r\nContent-Type: text/html\r\n\r\n", "{{.Code}}", "{by}", "</style>", "javascript:alert(1)", "https://evil.example/", "www.evil.example",
	"Jane", "Doe", "Acme", "jane@example.com", "Zoë", "日本", "مرحبا", "🙂", strings.Repeat("a", 2000), strings.Repeat("é ", 1500), " ", "  ", ".", "@", "-", "ABCD-1234",
}

// hostile returns a text that is made to break a mail.
func hostile(random *rand.Rand) string {
	var b strings.Builder
	for range 1 + random.IntN(5) {
		b.WriteString(pieces[random.IntN(len(pieces))])
	}
	return b.String()
}

// hostileMessage returns a message with one hostile field, and a sender that may be hostile.
func hostileMessage(random *rand.Rand) (m signin.Message, sender string) {
	m, sender = mail.Sample(kinds[random.IntN(len(kinds))], "en"), from
	text := hostile(random)
	switch random.IntN(10) {
	case 0:
		m.To = text
	case 1:
		m.To = "jane" + text + "@example.com"
	case 2, 3:
		m.App = text
	case 4, 5:
		m.InvitedBy = text
	case 6:
		m.Browser, m.System = text, hostile(random)
	case 7:
		m.Code, m.Language = text, hostile(random)
	case 8:
		m.Link += text
	case 9:
		sender = text + " <login@acme.example>"
	}
	return m, sender
}

// Of 5,000 messages with hostile fields each one is refused, or leads to a mail that is in order. The control: a writer that pastes
// the fields into the mail is caught.
func TestHeaderInjection(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	server := startScripted(t, obedient)
	mailers := map[string]*mail.Mailer{}
	sent, refused, caught := 0, 0, 0
	for range 5000 {
		message, sender := hostileMessage(random)
		if intact(naive(message, sender), message.To) != nil {
			caught++
		}
		if mailers[sender] == nil {
			mailer, err := mail.New(mail.Config{URL: server.url(), From: sender})
			if err != nil {
				require.ErrorAs(t, err, new(magiclink.ConfigErrors))
				refused++
				continue
			}
			defer mailer.Close()
			mailers[sender] = mailer
		}
		if err := mailers[sender].Send(t.Context(), message); err != nil {
			require.ErrorIs(t, err, signin.ErrPermanent)
			requireSafe(t, err)
			refused++
			continue
		}
		mails, _ := server.received()
		sent++
		require.Len(t, mails, sent)
		require.NoError(t, intact([]byte(mails[sent-1]), message.To), "%q %q\n%s", message.To, sender, mails[sent-1])
		require.Equal(t, "RCPT TO:<"+message.To+">", server.saw("RCPT")[sent-1])
	}
	require.Len(t, server.saw("RCPT"), sent)
	require.Len(t, server.saw("MAIL FROM:<login@acme.example>"), sent)
	t.Logf("%d sent, %d refused, %d of the naive writer caught", sent, refused, caught)
	require.Greater(t, sent, 1000)
	require.Greater(t, refused, 1000)
	require.Greater(t, caught, 1000)
}

// naive writes a mail without any care.
func naive(m signin.Message, sender string) []byte {
	var b bytes.Buffer
	address, err := netmail.ParseAddress(sender)
	if err == nil {
		sender = address.Name + " <" + address.Address + ">"
	}
	fmt.Fprintf(&b, "Auto-Submitted: auto-generated\r\nContent-Language: en\r\nDate: Tue, 15 Jan 2030 09:30:00 +0000\r\nMessage-ID: <1@acme.example>\r\n"+
		"MIME-Version: 1.0\r\nFrom: %s\r\nTo: <%s>\r\nSubject: Sign in to %s\r\nContent-Type: multipart/alternative; boundary=boundary\r\n\r\n", sender, m.To, m.App)
	for _, kind := range []string{"text/plain", "text/html"} {
		fmt.Fprintf(&b, "--boundary\r\nContent-Type: %s\r\n\r\n%s %s %s\r\n", kind, m.Link, m.Code, m.InvitedBy)
	}
	b.WriteString("--boundary--\r\n")
	return b.Bytes()
}

// The control of the control: a naive writer does no harm with texts that are not hostile.
func TestHeaderInjectionControl(t *testing.T) {
	require.NoError(t, intact(naive(sample, from), sample.To))
}

// What a stranger chooses leads nowhere.
func TestNamesAreNoLinks(t *testing.T) {
	templates, err := mail.LoadTemplates(nil)
	require.NoError(t, err)
	for given, want := range map[string]string{
		"John Doe":                       "John Doe",
		"john@example.com":               "john@example.com",
		"J.R. Doe":                       "J. R. Doe",
		"WIN https://evil.example/x now": "WIN https evil. example x now",
		"www.evil.example":               "www. evil. example",
		"evil。example":                   "evil。 example",
		"a\r\nb\u2028c\u202ed\x00e":      "a b cd e",
		"=?utf-8?q?x?=":                  "= ?utf-8?q?x?=",
		strings.Repeat("é", 200):         strings.Repeat("é", 99) + "…",
		"<b>John</b>":                    "b John b",
		"क्\u200dष":                      "क्\u200dष",
		"\xffJohn":                       "John",
	} {
		message := mail.Sample(signin.KindInvitation, "en")
		message.InvitedBy = given
		rendered, err := templates.Render(message)
		require.NoError(t, err)
		require.Contains(t, rendered.Text, want+" invites you to Acme.", "%q", given)
	}
}
