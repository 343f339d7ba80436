package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/e2e/internal/browser"
	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
)

// screens is where pictures of every page and mail in every language go. Without it none are taken.
var screens = os.Getenv("MAGICLINK_TEST_SCREENS")

// tallest is the height of a picture in pixels. The list of a hundred sessions is longer.
const tallest = 1600

// screenLooks are how people look at a page.
var screenLooks = []struct {
	name        string
	width       int
	phone, dark bool
}{
	{"desktop", 560, false, false},
	{"desktop-dark", 560, false, true},
	{"phone", 360, true, false},
	{"phone-dark", 360, true, true},
}

// eachLook shows the page that the browser has in each of the looks.
func (v *tour) eachLook(do func(name string, width int, phone bool)) {
	v.t.Helper()
	for _, look := range screenLooks {
		v.b.View(look.width, 720, look.phone)
		v.b.PreferDark(look.dark)
		do(look.name, look.width, look.phone)
	}
}

// overflow is what of the page reaches over the edge of the screen or is cut off, in each look.
func (v *tour) overflow() (found []string) {
	v.t.Helper()
	v.eachLook(func(look string, _ int, _ bool) {
		var elements []string
		v.b.Script(&elements, tooWide)
		for _, element := range elements {
			found = append(found, look+": too wide: "+element)
		}
	})
	return found
}

func (v *tour) photograph(name string) {
	v.t.Helper()
	v.eachLook(func(look string, width int, phone bool) {
		file := filepath.Join(screens, look, name+".png")
		require.NoError(v.t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(v.t, os.WriteFile(file, v.b.Picture(width, tallest, phone), 0o600))
	})
}

// tooWide returns the elements that reach over the edge of the screen or have more text than they show.
const tooWide = `return [...document.querySelectorAll("body *")].filter(e => {
	const box = e.getBoundingClientRect()
	return box.left < 0 || box.right > innerWidth + 0.5 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display != "inline"
}).map(e => e.outerHTML.slice(0, 200))`

// mails is every kind of mail in a language, as a mail program shows the HTML.
func (v *tour) mails(tag string) {
	v.t.Helper()
	templates, err := mail.LoadTemplates(nil)
	require.NoError(v.t, err)
	for _, kind := range []signin.Kind{signin.KindSignIn, signin.KindNoAccount, signin.KindInvitation} {
		rendered, err := templates.Render(mail.Sample(kind, tag))
		require.NoError(v.t, err)
		v.b.Visit(serveHTML(v.t, rendered.HTML))
		v.show("mail-" + string(kind))
	}
}

func serveHTML(t *testing.T, html string) (address string) {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(html))
	}))
	t.Cleanup(site.Close)
	return site.URL
}

// TestScreens looks at every page and every mail in every language, and leaves a picture of each in light and dark colours, as on a desktop and on a phone:
// DIRECTORY/phone-dark/confirm.ar.png. To look at one page in all languages at once:
//
//	montage DIRECTORY/phone/confirm.*.png -geometry +8+8 -tile 6x sheet.png
func TestScreens(t *testing.T) {
	if screens == "" {
		t.Skip("set MAGICLINK_TEST_SCREENS to a directory")
	}
	server := startMailServer(t)
	for _, tag := range language.All {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			v := &tour{t: t, b: browser.Open(t, browser.Chromium, browser.Options{}), server: server}
			v.show = func(name string) {
				t.Helper()
				for _, element := range v.overflow() {
					t.Error(name, element)
				}
				v.photograph(name + "." + tag)
			}
			v.byMail(tag)
			v.rare(tag)
			v.mails(tag)
		})
	}
}
