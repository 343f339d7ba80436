package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/e2e/internal/browser"
)

// gallery takes pictures with one browser, into a folder of its engine.
type gallery struct {
	tour
	folder string
	suffix string
}

func (g *gallery) take(name string) {
	g.t.Helper()
	path := filepath.Join(g.folder, name+g.suffix+".png")
	require.NoError(g.t, os.WriteFile(path, g.b.Screenshot(), 0o600))
	if name == "confirm" && g.b.Engine != browser.WebKit { // as it is printed
		require.NoError(g.t, os.WriteFile(filepath.Join(g.folder, name+g.suffix+".pdf"), g.b.Print(), 0o600))
	}
}

// byMailIn takes the pages and the mail of a sign-in in a language.
func (g *gallery) byMailIn(language string) {
	g.show = func(name string) { g.t.Helper(); g.take("sign-in-" + language + "-" + name) }
	g.byMail(language)
	g.show = g.take
	g.b.Visit(serveMail(g.t, g.mail(language)))
	g.take("mail-" + language)
}

// TestGallery takes a picture of each page in each engine, for people to look at. Nothing is compared: fonts differ.
func TestGallery(t *testing.T) {
	if screenshots == "" {
		t.Skip("set MAGICLINK_SCREENSHOTS to a directory")
	}
	looks := []struct {
		suffix        string
		options       browser.Options
		width, height int
		languages     []string
	}{
		{suffix: "", width: 800, height: 720, languages: []string{"en", "ja"}},
		{suffix: "-dark", options: browser.Options{Dark: true}, width: 800, height: 720, languages: []string{"en", "ar"}},
		{suffix: "-phone", width: 390, height: 844, languages: []string{"en", "de", "ar", "hi", "ja"}},
	}
	server := startMailServer(t)
	for _, engine := range browser.Engines {
		for _, look := range looks {
			t.Run(string(engine)+look.suffix, func(t *testing.T) {
				t.Parallel()
				g := &gallery{
					tour:   tour{t: t, b: browser.Open(t, engine, look.options), server: server},
					folder: filepath.Join(screenshots, string(engine)), suffix: look.suffix,
				}
				g.show = g.take
				require.NoError(t, os.MkdirAll(g.folder, 0o750))
				g.b.Resize(look.width, look.height)
				for _, language := range look.languages {
					g.byMailIn(language)
				}
				g.signIn()
				g.unusable()
				g.strangeNames()
			})
		}
	}
}
