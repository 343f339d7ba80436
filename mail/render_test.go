package mail_test

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

func load(t testing.TB, overrides fs.FS) *mail.Templates {
	t.Helper()
	templates, err := mail.LoadTemplates(overrides)
	require.NoError(t, err)
	return templates
}

func render(t testing.TB, message signin.Message) mail.Rendered {
	t.Helper()
	rendered, err := load(t, nil).Render(message)
	require.NoError(t, err)
	return rendered
}

// eachMail calls f with every kind of mail in every language.
func eachMail(t *testing.T, f func(t *testing.T, message signin.Message, rendered mail.Rendered)) {
	t.Helper()
	templates := load(t, nil)
	require.ElementsMatch(t, language.All, templates.Languages())
	for _, lang := range language.All {
		for _, kind := range kinds {
			t.Run(lang+"/"+string(kind), func(t *testing.T) {
				message := mail.Sample(kind, lang)
				rendered, err := templates.Render(message)
				require.NoError(t, err)
				require.Equal(t, lang, rendered.Language)
				f(t, message, rendered)
			})
		}
	}
}

func TestText(t *testing.T) {
	require.Equal(t, `Somebody has asked to sign in to Acme with this address.

To sign in, open this link:

https://app.example.com/magic/eyJhbGciOiJFZERTQSIsImtpZCI6InNhbXBsZSIsInR5cCI6Im1sK2p3dCJ9.c2FtcGxl.c2FtcGxl

Or type this code into the browser in which you asked for it:

K7QM-3XWP

Never tell anybody this code. Nobody from Acme will ask you for it.

The link and the code work until 15 January 2030, 09:45 UTC.

The request came from:
Browser: Firefox
System: Windows
Time: 15 January 2030, 09:30 UTC

If you did not ask for this mail, ignore it. Nobody can sign in without it.

Acme
`, render(t, mail.Sample(signin.KindSignIn, "en")).Text)
}

// Link and code stand where a person finds them, once each, and not in the subject.
func TestLinkAndCode(t *testing.T) {
	eachMail(t, func(t *testing.T, m signin.Message, r mail.Rendered) {
		for _, credential := range []string{m.Link, m.Code} {
			if credential == "" {
				continue
			}
			require.NotContains(t, r.Subject, credential)
			require.Equal(t, 1, strings.Count(r.Text, credential))
			require.Contains(t, r.Text, "\n\n"+credential+"\n\n", "alone on a line")
			require.Contains(t, r.HTML, ">"+credential+"<", "as a text")
		}
		want := 0
		if m.Link != "" {
			want = 1
			require.Contains(t, r.HTML, `<a class="button" href="`+m.Link+`" `)
		}
		require.Equal(t, want, strings.Count(r.HTML, "href="))
		require.Equal(t, m.Kind == signin.KindSignIn, regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}`).MatchString(r.Text))
	})
}

// Nothing of a mail loads anything, and the reader's choice of colours and the direction of the language are heeded.
func TestHTML(t *testing.T) {
	eachMail(t, func(t *testing.T, m signin.Message, r mail.Rendered) {
		for _, loading := range []string{"<img", "<script", "<link", "<iframe", "src=", "url(", "@import", "background=", "onload"} {
			require.NotContains(t, r.HTML, loading)
		}
		links := regexp.MustCompile(`(?:https?:)?//[^\s"<]+`).FindAllString(r.HTML, -1)
		for _, link := range links {
			require.Equal(t, m.Link, link)
		}
		require.Contains(t, r.HTML, `<html lang="`+r.Language+`" dir="`+language.Direction(r.Language)+`">`)
		require.Contains(t, r.HTML, "prefers-color-scheme: dark")
		require.Contains(t, r.HTML, "<h1>"+r.Subject+"</h1>")
		require.NoError(t, wellFormed(r.HTML))
		require.NotContains(t, r.Text+body(r.HTML)+r.Subject, "{", "a placeholder")
	})
}

// wellFormed reports an element that is not closed, or closed too often.
func wellFormed(html string) error {
	_, html, _ = strings.Cut(html, "\n") // the doctype
	html = regexp.MustCompile(`(?s)<style>.*</style>`).ReplaceAllString(html, "")
	html = regexp.MustCompile(`<(meta|br)([^>]*)>`).ReplaceAllString(html, "<$1$2/>") // these have no end
	decoder := xml.NewDecoder(strings.NewReader(html))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// Each mail says who asked and when, in words of its language: the texts of two languages have nothing in common.
func TestLanguages(t *testing.T) {
	lines := map[string]string{}
	label := regexp.MustCompile(`: \x{2068}?(Firefox|Windows|.*\x{a0}UTC)\x{2069}?$`) // "System" is a word of many languages
	eachMail(t, func(t *testing.T, m signin.Message, r mail.Rendered) {
		if m.Kind != signin.KindInvitation {
			require.Contains(t, r.Text, "Firefox")
			require.Contains(t, r.Text, "Windows")
			require.Contains(t, r.Text, "09:30\u00a0UTC")
		} else {
			require.Contains(t, r.Text, "John Doe")
		}
		if m.Link != "" {
			require.Contains(t, r.Text, "09:45\u00a0UTC")
		}
		require.Contains(t, r.Subject, "Acme")
		for line := range strings.Lines(r.Text) {
			if line = strings.TrimSpace(line); strings.Contains(line, " ") && !label.MatchString(line) {
				other, taken := lines[line]
				require.True(t, !taken || other == r.Language, "%s and %s: %s", other, r.Language, line)
				lines[line] = r.Language
			}
		}
	})
	require.Greater(t, len(lines), 100)
}

func TestLanguageIsChosen(t *testing.T) {
	for asked, want := range map[string]string{"": "en", "nl": "en", "DE": "de", "pt-BR": "pt", "zh-Hant-TW": "zh", "../de": "en"} {
		message := mail.Sample(signin.KindSignIn, asked)
		require.Equal(t, want, render(t, message).Language, asked)
	}
}

// What is not known is left out, with the line that it would be in.
func TestOptionalFields(t *testing.T) {
	full := mail.Sample(signin.KindSignIn, "en")
	for name, test := range map[string]struct {
		change func(*signin.Message)
		gone   []string
	}{
		"code":    {func(m *signin.Message) { m.Code = "" }, []string{"code", full.Code}},
		"browser": {func(m *signin.Message) { m.Browser = "" }, []string{"Browser"}},
		"system":  {func(m *signin.Message) { m.System = "" }, []string{"System"}},
		"time":    {func(m *signin.Message) { m.AskedAt = time.Time{} }, []string{"Time", "09:30", "0001"}},
		"all": {func(m *signin.Message) { m.Browser, m.System, m.AskedAt = "", "", time.Time{} }, []string{
			"The request came from",
		}},
	} {
		message := full
		test.change(&message)
		changed := render(t, message)
		for _, gone := range test.gone {
			require.NotContains(t, changed.Text, gone, name)
			require.NotContains(t, body(changed.HTML), gone, name)
		}
		require.NotContains(t, changed.Text, "\n\n\n", name)
	}
	require.Contains(t, render(t, full).Text, "Browser: ")
}

func body(html string) string {
	_, body, _ := strings.Cut(html, "<body>")
	return body
}

func TestTimesAreInUTC(t *testing.T) {
	message := mail.Sample(signin.KindSignIn, "de")
	message.AskedAt = message.AskedAt.In(time.FixedZone("", 5*3600))
	require.Contains(t, render(t, message).Text, "Zeit: 15.01.2030, 09:30\u00a0UTC")
}

func TestMessageIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		kind   signin.Kind
		change func(*signin.Message)
	}{
		"kind":                {"", func(*signin.Message) {}},
		"no address":          {signin.KindSignIn, func(m *signin.Message) { m.To = "" }},
		"two addresses":       {signin.KindSignIn, func(m *signin.Message) { m.To = "jane@example.com,eve@example.com" }},
		"named address":       {signin.KindSignIn, func(m *signin.Message) { m.To = "Jane <jane@example.com>" }},
		"no app":              {signin.KindSignIn, func(m *signin.Message) { m.App = " \r\n\u202e" }},
		"no link":             {signin.KindSignIn, func(m *signin.Message) { m.Link = "" }},
		"script":              {signin.KindSignIn, func(m *signin.Message) { m.Link = "javascript:alert(1)" }},
		"two lines":           {signin.KindInvitation, func(m *signin.Message) { m.Link += "\nhttps://evil.example" }},
		"relative":            {signin.KindInvitation, func(m *signin.Message) { m.Link = "/magic/x" }},
		"no host":             {signin.KindInvitation, func(m *signin.Message) { m.Link = "https:///magic/x" }},
		"long link":           {signin.KindInvitation, func(m *signin.Message) { m.Link += strings.Repeat("a", 4096) }},
		"short code":          {signin.KindSignIn, func(m *signin.Message) { m.Code = "ABC-DEFG" }},
		"small code":          {signin.KindSignIn, func(m *signin.Message) { m.Code = "abcd-efgh" }},
		"code of two lines":   {signin.KindSignIn, func(m *signin.Message) { m.Code = "ABCD-EFGH\n" }},
		"no expiry":           {signin.KindSignIn, func(m *signin.Message) { m.ExpiresAt = time.Time{} }},
		"invitation code":     {signin.KindInvitation, func(m *signin.Message) { m.Code = "ABCD-EFGH" }},
		"link for nobody":     {signin.KindNoAccount, func(m *signin.Message) { m.Link = "https://app.example.com/magic/x" }},
		"code for nobody":     {signin.KindNoAccount, func(m *signin.Message) { m.Code = "ABCD-EFGH" }},
		"address with a line": {signin.KindSignIn, func(m *signin.Message) { m.To = "jane@example.com\r\nBcc: eve@example.com" }},
	} {
		message := mail.Sample(test.kind, "en")
		test.change(&message)
		_, err := load(t, nil).Render(message)
		require.ErrorIs(t, err, signin.ErrPermanent, name)
		requireSafe(t, err)
	}
}

func FuzzRender(f *testing.F) {
	for _, kind := range kinds {
		f.Add(string(kind), "jane@example.com", "Acme", "https://app.example.com/magic/x", "ABCD-EFGH", "de", "Firefox", "Windows", "John", int64(1))
	}
	f.Add("sign-in", "jane@example.com", "\u202eAcme\r\n", "http://localhost/\u2028", "", "ar", "{app}", "{{.Link}}", "</p>", int64(-1))
	templates := load(f, nil)
	f.Fuzz(func(t *testing.T, kind, to, app, link, code, lang, browser, system, by string, at int64) {
		message := signin.Message{
			Kind: signin.Kind(kind), To: to, App: app, Link: link, Code: code, Language: lang, Browser: browser, System: system, InvitedBy: by,
			AskedAt: time.Unix(at%1e10, 0), ExpiresAt: time.Unix(at%1e10, 0).Add(time.Minute),
		}
		rendered, err := templates.Render(message)
		if err != nil {
			require.ErrorIs(t, err, signin.ErrPermanent)
			return
		}
		require.NotContains(t, rendered.Subject, "\n")
		require.NotContains(t, rendered.Subject, "\r")
		require.NotContains(t, rendered.Text, "\r")
		require.Equal(t, 1, strings.Count(rendered.HTML, "<html"))
		require.Equal(t, link != "", strings.Contains(rendered.HTML, "href="))
		require.NoError(t, wellFormed(rendered.HTML))
		for _, part := range []string{rendered.Subject, rendered.Text, rendered.HTML} {
			require.False(t, strings.ContainsAny(part, "\x00\u2028\u202e\u2066"))
		}
	})
}
