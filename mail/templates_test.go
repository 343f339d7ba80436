package mail_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

func files(pairs ...string) fstest.MapFS {
	found := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		found[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return found
}

// One file is replaced, and everything else stays.
func TestReplaceOneTemplate(t *testing.T) {
	text := "{{.App}}: {{.Words.intro}}\n{{.Link}}\n{{.Code}}\n"
	rendered, err := load(t, files("mail.txt", text, "README.md", "of no interest")).Render(mail.Sample(signin.KindSignIn, "de"))
	require.NoError(t, err)
	builtIn := render(t, mail.Sample(signin.KindSignIn, "de"))
	require.Regexp(t, `^Acme: Jemand .*\nhttps://.*\nK7QM-3XWP\n$`, rendered.Text)
	require.Equal(t, builtIn.HTML, rendered.HTML)
	require.Equal(t, builtIn.Subject, rendered.Subject)

	rendered, err = load(t, files("mail.html", "<p>{{.InvitedBy}} {{.Link}} {{.Code}}")).Render(mail.Sample(signin.KindInvitation, "de"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(rendered.HTML, "<p>John Doe https://"))
}

func TestReplaceOneText(t *testing.T) {
	templates := load(t, files("words/de.json", `{"sign-in.subject": "Hereinspaziert bei {app}"}`))
	rendered, err := templates.Render(mail.Sample(signin.KindSignIn, "de"))
	require.NoError(t, err)
	require.Equal(t, "Hereinspaziert bei Acme", rendered.Subject)
	require.Equal(t, render(t, mail.Sample(signin.KindSignIn, "de")).Text, rendered.Text)
}

func TestAddALanguage(t *testing.T) {
	templates := load(t, files("words/he.json", `{"direction": "rtl", "sign-in.subject": "כניסה אל {app}"}`))
	require.Len(t, templates.Languages(), 12)
	rendered, err := templates.Render(mail.Sample(signin.KindSignIn, "he-IL"))
	require.NoError(t, err)
	require.Equal(t, "כניסה אל Acme", rendered.Subject)
	require.Contains(t, rendered.HTML, `<html lang="he" dir="rtl">`)
	require.Contains(t, rendered.Text, "To sign in, open this link:")
}

// The texts that are built in pass what those of a user have to pass.
func TestBuiltInFilesAreAStartingPoint(t *testing.T) {
	require.Equal(t, render(t, sample), func() mail.Rendered {
		rendered, err := load(t, mail.BuiltIn()).Render(sample)
		require.NoError(t, err)
		return rendered
	}())
	require.NoError(t, fstest.TestFS(mail.BuiltIn(), "mail.txt", "mail.html", "words/en.json", "words/zh.json"))
}

// A mistake is found when the templates are loaded, not when somebody wants to sign in.
func TestTemplateFaults(t *testing.T) {
	for name, test := range map[string]struct {
		overrides fs.FS
		want      string
	}{
		"syntax":           {files("mail.txt", "{{.App"), "mail.txt"},
		"unknown field":    {files("mail.html", "{{.Link}} {{.Code}} {{.Appp}}"), "Appp"},
		"unknown word":     {files("mail.txt", "{{.Link}}\n{{.Code}}\n{{.Words.greeting}}"), "greeting"},
		"rare field":       {files("mail.txt", "{{.Link}}\n{{.Code}}\n{{if .InvitedBy}}{{.InviteBy}}{{end}}"), "InviteBy"},
		"bare message":     {files("mail.txt", "{{.Link}}\n{{.Code}}\n{{if and (eq .Kind `sign-in`) (not .Code)}}{{.Codee}}{{end}}"), "Codee"},
		"no link":          {files("mail.txt", "{{.Code}}"), "mail.txt must have .Link"},
		"code in a line":   {files("mail.txt", "{{.Link}}\nCode: {{.Code}}"), "alone on a line"},
		"no code in HTML":  {files("mail.html", "{{.Link}}"), "mail.html must have"},
		"not UTF-8":        {files("mail.txt", "{{.Link}}\n{{.Code}}\n\xff"), "UTF-8"},
		"not JSON":         {files("words/de.json", "subject: x"), "words/de.json"},
		"not texts":        {files("words/de.json", `{"copy": 1}`), "words/de.json"},
		"unknown key":      {files("words/de.json", `{"sing-in.subject": "x"}`), `words/de.json: the key "sing-in.subject" is unknown`},
		"placeholder":      {files("words/de.json", `{"copy": "{link}"}`), "the placeholder {link} is unknown"},
		"subject":          {files("words/de.json", `{"invitation.subject": "{by}"}`), "the subject can have {app} alone"},
		"direction":        {files("words/de.json", `{"direction": "down"}`), `"direction"`},
		"name":             {files("words/de-AT.json", `{}`), "words/de-AT.json"},
		"empty subject":    {files("words/de.json", `{"sign-in.subject": ""}`), "the subject must be one line"},
		"subject of lines": {files("words/de.json", `{"sign-in.subject": "a\nb"}`), "the subject must be one line"},
		"unreadable":       {os.DirFS("/dev/null"), ""},
	} {
		_, err := mail.LoadTemplates(test.overrides)
		require.ErrorContains(t, err, test.want, name)
		_, err = mail.New(mail.Config{URL: "smtp://localhost", From: from, Templates: test.overrides})
		var faults magiclink.ConfigErrors
		require.ErrorAs(t, err, &faults, name)
		require.Len(t, faults, 1)
		require.Equal(t, "Templates", faults[0].Field)
	}
	var nothing fstest.MapFS
	require.NotNil(t, load(t, nothing), "a nil map is no files")
}
