package mail_test

import (
	"mime"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/mail"
)

// largest is the size of a mail in bytes, with all headers. Gmail cuts off what has more than 102 KB.
const largest = 20 << 10

// longLink is longer than the links are that magiclink issues with a path of 512 characters.
var longLink = "https://app.example.com/magic?token=" + strings.Repeat("eyJ0-_.=", 200)

// What a server gets is read by the mail parser of the standard library, for every kind of mail in every language: it is small, it is ASCII in short lines,
// and says what mail programs and servers ask about a mail that nobody may answer. Link and code arrive whole, each alone on a line.
func TestMailsOnTheWire(t *testing.T) {
	server := startScripted(t, obedient)
	mailer := newMailer(t, mail.Config{URL: server.url(), From: "Zoë’s Berichte 報告 <login@acme.example>"})
	sent, sizes := 0, map[string]int{}
	for _, lang := range language.All {
		for _, kind := range kinds {
			message := mail.Sample(kind, lang)
			if message.App = "Zoë’s Berichte 報告"; message.Link != "" {
				message.Link = longLink
			}
			require.NoError(t, mailer.Send(t.Context(), message))
			sent++
			mails, _ := server.received()
			require.Len(t, mails, sent)
			content := mails[sent-1]
			name := lang + " " + string(kind)
			sizes[name] = len(content)
			require.Less(t, len(content), largest, name)
			require.NoError(t, intact([]byte(content), message.To), name) // the headers are these and no others: no List-Unsubscribe
			for line := range strings.Lines(content) {
				require.LessOrEqual(t, len(line), 78, "%s: %s", name, line)
			}
			require.NotRegexp(t, `[^\x00-\x7f]`, content, "a server need not pass on more than ASCII")
			got := mustParse(t, []byte(content))
			requireHeader(t, got, lang)
			rendered := render(t, message)
			require.Equal(t, rendered.Subject, got.subject(t))
			require.Equal(t, []string{rendered.Text, rendered.HTML}, []string{got.parts[0].text, got.parts[1].text}, name)
			for _, alone := range []string{message.Link, message.Code} {
				require.True(t, alone == "" || strings.Contains(got.parts[0].text, "\n"+alone+"\n"), name)
			}
		}
	}
	require.Equal(t, len(language.All)*len(kinds), len(sizes))
	t.Log("bytes: ", sizes)
}

var messageID = regexp.MustCompile(`^<[0-9a-f]{32}@acme\.example>$`)

func requireHeader(t *testing.T, got parsed, lang string) {
	t.Helper()
	require.Equal(t, "auto-generated", got.Get("Auto-Submitted"))
	require.Equal(t, lang, got.Get("Content-Language"))
	require.Regexp(t, messageID, got.Get("Message-ID"))
	date, err := got.Date()
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), date, time.Minute)
	require.Regexp(t, `(?i)=\?utf-8\?`, got.Get("From"))
	from, err := (&netmail.AddressParser{WordDecoder: new(mime.WordDecoder)}).Parse(got.Get("From"))
	require.NoError(t, err)
	require.Equal(t, netmail.Address{Name: "Zoë’s Berichte 報告", Address: "login@acme.example"}, *from)
	for n, kind := range []string{"text/plain", "text/html"} {
		media, parameters, err := mime.ParseMediaType(got.parts[n].kind)
		require.NoError(t, err)
		require.Equal(t, kind, media)
		require.Equal(t, "utf-8", strings.ToLower(parameters["charset"]))
	}
}
