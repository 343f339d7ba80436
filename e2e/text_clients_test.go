package e2e_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

// textClients are programs that show the HTML of a mail in a terminal, for a mail program such as mutt.
var textClients = map[string][]string{
	"w3m":  {"-dump", "-T", "text/html", "-I", "UTF-8", "-O", "UTF-8", "-cols", "72"},
	"lynx": {"-dump", "-stdin", "-assume_charset=utf-8", "-display_charset=utf-8", "-width=72"},
}

// TestMailsInTextClients shows every kind of mail in every language by programs that know no styles: each paragraph of the text part can be read there, and so can
// the link and the code.
func TestMailsInTextClients(t *testing.T) {
	t.Parallel()
	templates, err := mail.LoadTemplates(nil)
	require.NoError(t, err)
	for client, arguments := range textClients {
		path, err := exec.LookPath(client)
		if err != nil && os.Getenv("CI") != "true" {
			t.Skipf("there is no %s: run ./install.sh", client)
		}
		require.NoError(t, err, "run ./install.sh")
		for _, tag := range language.All {
			for _, kind := range []signin.Kind{signin.KindSignIn, signin.KindNoAccount, signin.KindInvitation} {
				message := mail.Sample(kind, tag)
				rendered, err := templates.Render(message)
				require.NoError(t, err)
				shown := words(show(t, path, arguments, rendered.HTML))
				for _, paragraph := range append(strings.Split(rendered.Text, "\n\n"), rendered.Subject) {
					if message.Link == "" || !strings.Contains(rendered.Text, paragraph+"\n\n"+message.Link) { // the HTML has a button in that place
						require.Contains(t, shown, words(paragraph), "%s %s %s", client, tag, kind)
					}
				}
			}
		}
	}
}

// show returns what a program writes about a page.
func show(t *testing.T, path string, arguments []string, html string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), path, arguments...)
	command.Stdin, command.Env = strings.NewReader(html), append(os.Environ(), "LC_ALL=C.UTF-8", "HOME="+t.TempDir())
	shown, err := command.Output()
	require.NoError(t, err)
	return string(shown)
}

var (
	space   = regexp.MustCompile(`[\s\x{a0}\x{2068}\x{2069}]+`)
	letters = strings.NewReplacer("\u095b", "\u091c\u093c", "\u095c", "\u0921\u093c", "\u095e", "\u092b\u093c") // w3m writes some letters of Hindi as one character
)

// words leaves out what depends on the width of a terminal.
func words(text string) string { return letters.Replace(space.ReplaceAllString(text, "")) }
