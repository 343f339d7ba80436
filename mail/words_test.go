package mail_test

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/internal/wordtest"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

// Every language has every text with the placeholders of the English one, and its own punctuation.
func TestTranslations(t *testing.T) {
	texts := map[string]wordtest.Texts{}
	for _, tag := range language.All {
		file, err := fs.ReadFile(mail.BuiltIn(), "words/"+tag+".json")
		require.NoError(t, err)
		var words wordtest.Texts
		require.NoError(t, json.Unmarshal(file, &words), tag)
		require.Equal(t, language.Direction(tag), words["direction"])
		require.NotEmpty(t, words["time"])
		delete(words, "direction")
		delete(words, "time") // a format
		texts[tag] = words
	}
	require.Empty(t, wordtest.Faults(texts))
}

// Subjects are short enough for a list of mails, and buttons for a line. Where a mail has link and code, the code comes behind the link: what a locked
// phone shows of a mail ends before it.
func TestLengths(t *testing.T) {
	eachMail(t, func(t *testing.T, m signin.Message, r mail.Rendered) {
		require.LessOrEqual(t, utf8.RuneCountInString(r.Subject), 45)
		if m.Code != "" {
			require.Greater(t, strings.Index(r.Text, m.Code), strings.Index(r.Text, m.Link))
			require.Greater(t, strings.LastIndex(r.HTML, m.Code), strings.LastIndex(r.HTML, m.Link))
		}
		if m.Link != "" {
			_, button, _ := strings.Cut(r.HTML, `text-decoration: none">`)
			button, _, _ = strings.Cut(button, "<")
			require.NotEmpty(t, button)
			require.LessOrEqual(t, utf8.RuneCountInString(button), 24, button)
		}
	})
}

// A name of another direction keeps its own punctuation, and a text of one direction has no characters that nobody sees.
func TestDirections(t *testing.T) {
	for _, row := range []struct{ lang, app, by, want string }{
		{"en", "Acme", "John", "John invites you to Acme."},
		{"en", "Acme", "محمد (أ)", "\u2068محمد (أ)\u2069 invites you to Acme."},
		{"en", "דוחות!", "John", "John invites you to \u2068דוחות!\u2069."},
		{"ar", "Acme (Beta)", "John", "يدعوك \u2068John\u2069 إلى \u2068Acme (Beta)\u2069."},
		{"ar", "أكمي", "محمد", "يدعوك \u2068محمد\u2069 إلى \u2068أكمي\u2069."},
		{"en", "Acme", "John\u2069\u2068\u202e", "John invites you to Acme."},
	} {
		message := mail.Sample(signin.KindInvitation, row.lang)
		message.App, message.InvitedBy = row.app, row.by
		rendered := render(t, message)
		require.True(t, strings.HasPrefix(rendered.Text, row.want+"\n"), rendered.Text)
		require.Contains(t, rendered.HTML, "<p>"+row.want+"</p>")
		require.NotContains(t, rendered.Subject, "\u2068")
	}
	arabic := render(t, mail.Sample(signin.KindSignIn, "ar")).Text
	require.Contains(t, arabic, "\u206815/01/2030 09:45\u00a0UTC\u2069.")
	require.Contains(t, arabic, ": \u2068Firefox\u2069\n")
}
