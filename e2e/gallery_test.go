package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/e2e/internal/browser"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// gallery takes pictures with one browser, into a folder of its engine.
type gallery struct {
	t      *testing.T
	b      *browser.Browser
	folder string
	suffix string
}

func (g *gallery) take(name string) {
	g.t.Helper()
	path := filepath.Join(g.folder, name+g.suffix+".png")
	require.NoError(g.t, os.WriteFile(path, g.b.Screenshot(), 0o600))
}

// print keeps the page as it is printed.
func (g *gallery) print(name string) {
	g.t.Helper()
	if g.b.Engine != browser.WebKit {
		require.NoError(g.t, os.WriteFile(filepath.Join(g.folder, name+g.suffix+".pdf"), g.b.Print(), 0o600))
	}
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
	}{
		{suffix: "", width: 800, height: 720},
		{suffix: "-dark", options: browser.Options{Dark: true}, width: 800, height: 720},
		{suffix: "-phone", width: 390, height: 844},
	}
	for _, engine := range browser.Engines {
		for _, look := range looks {
			t.Run(string(engine)+look.suffix, func(t *testing.T) {
				t.Parallel()
				g := &gallery{t: t, folder: filepath.Join(screenshots, string(engine)), suffix: look.suffix}
				require.NoError(t, os.MkdirAll(g.folder, 0o750))
				g.b = browser.Open(t, engine, look.options)
				g.b.Resize(look.width, look.height)
				g.signIn()
				g.unusable()
				g.strangeNames()
			})
		}
	}
}

// signIn takes the pages that a person meets whose link works.
func (g *gallery) signIn() {
	s := start(g.t, "-app-name", "Example Reports", "-new-link-url", "/sign-in")
	b := g.b
	b.Visit(s.Origin)
	g.take("landing-signed-out")
	b.Visit(s.issue("/reports/2026").url)
	g.take("confirm")
	g.print("confirm")
	b.Click("button")
	b.Arrive(s.Origin + "/reports/2026")
	g.take("landing")
	b.Visit(s.issueTo("paul@example.org", "/invoices").url)
	g.take("confirm-warning")
}

// unusable takes the pages of clicks and links that sign nobody in.
func (g *gallery) unusable() {
	s, b := start(g.t, "-app-name", "Example Reports"), g.b
	l := s.issue("/reports")
	b.Visit(s.BaseURL + "?token=x")
	g.take("dead")
	b.Visit(l.url)
	b.ForgetCookies()
	b.Click("button")
	b.Shows("Please open the link again")
	g.take("refused")
	b.Visit(strings.Replace(l.url, "127.0.0.1", "localhost", 1))
	b.Click("button")
	b.Shows("Please open the link at its own address")
	g.take("wrong-address")
	b.Visit(notAdmitting(g.t))
	b.Click("button")
	b.Shows("You cannot sign in now")
	g.take("not-admitted")
	s.breakStore()
	b.Visit(l.url)
	g.take("unavailable")
}

// strangeNames takes the pages of long names, and of a name that is read from right to left.
func (g *gallery) strangeNames() {
	label := strings.Repeat("a", 61)
	s := start(g.t, "-app-name", "تطبيق التقارير")
	g.b.Visit(s.issue("/reports").url)
	g.take("right-to-left")
	s = start(g.t, "-app-name", strings.Repeat("The application with the long name ", 3))
	domain := strings.Join([]string{label, label, label, "example.com"}, ".")
	g.b.Visit(s.issueTo("jane.doe@"+domain, "/"+strings.Repeat("long", 100)).url)
	g.take("long")
}

// notAdmitting serves an application that lets nobody sign in, and returns a link to it.
func notAdmitting(t *testing.T) (address string) {
	t.Helper()
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	service, err := httpadapter.NewService(httpadapter.ServiceConfig{
		Config: magiclink.Config{BaseURL: server.URL + "/magic", Keys: keys, Store: memory.New()},
		App:    "Example Reports",
		Page: httpadapter.PageConfig{Admit: func(*http.Request, magiclink.Redemption) error {
			return httpadapter.ErrRefused
		}},
	})
	require.NoError(t, err)
	mux.Handle("/", service)
	issued, err := service.Issuer().Issue(t.Context(), magiclink.MagicLinkCreate{
		ExternalBusinessID: "app", Email: "jane@example.com",
	})
	require.NoError(t, err)
	return issued.MagicLink
}
