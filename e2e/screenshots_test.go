package e2e_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// screenshots is where pictures of the pages go. Without it none are made.
var screenshots = os.Getenv("MAGICLINK_SCREENSHOTS")

// fonts is a configuration that prefers Inter (the Debian package fonts-inter), as good as what most desktops have.
var fonts, _ = filepath.Abs("testdata/fonts.conf")

// picture is a screenshot to make.
type picture struct {
	name          string
	width, height int64
	dark, phone   bool
}

func (b *tab) photograph(p picture) {
	b.t.Helper()
	scheme := map[bool]string{true: "dark", false: "light"}[p.dark]
	command(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(2)}
	if p.phone {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	b.do(chromedp.EmulateViewport(p.width, p.height, options...))
	require.NoError(b.t, os.WriteFile(filepath.Join(screenshots, p.name), smaller(b.t, ask(b, chromedp.CaptureScreenshot())), 0o644))
}

// smaller writes a picture with its 256 most frequent colours, in a third of the bytes.
func smaller(t *testing.T, content []byte) []byte {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(content))
	require.NoError(t, err)
	size, count := picture.Bounds(), map[color.RGBA]int{}
	for y := range size.Dy() {
		for x := range size.Dx() {
			count[color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)]++ //nolint:forcetypeassert // the model of RGBA
		}
	}
	colors := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int { return count[b] - count[a] })
	var palette color.Palette
	for _, c := range colors[:min(len(colors), 256)] {
		palette = append(palette, c)
	}
	reduced := image.NewPaletted(size, palette)
	draw.Draw(reduced, size, picture, image.Point{}, draw.Src)
	var written bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&written, reduced))
	return written.Bytes()
}

// TestScreenshots makes the pictures of the guide.
func TestScreenshots(t *testing.T) {
	if screenshots == "" {
		t.Skip("set MAGICLINK_SCREENSHOTS to a directory")
	}
	require.NoError(t, os.MkdirAll(screenshots, 0o755))
	s, b := startPublic(t)
	l := s.issue("/reports/2026")
	require.Equal(t, http.StatusOK, b.visit(l.url))
	b.photograph(picture{name: "confirm-light.png", width: 800, height: 640})
	b.photograph(picture{name: "confirm-dark.png", width: 800, height: 640, dark: true})
	b.photograph(picture{name: "confirm-phone.png", width: 390, height: 844, phone: true})
	b.photograph(picture{name: "confirm-phone-dark.png", width: 390, height: 844, phone: true, dark: true})

	require.Equal(t, http.StatusOK, b.signIn())
	b.photograph(picture{name: "landing.png", width: 800, height: 640})
	require.Equal(t, http.StatusOK, b.visit(s.issueTo("paul@example.org", "/invoices").url))
	b.photograph(picture{name: "confirm-warning.png", width: 800, height: 720})

	require.Equal(t, http.StatusGone, b.visit(s.BaseURL+"?token=x"))
	b.photograph(picture{name: "expired.png", width: 800, height: 640})
	b.photograph(picture{name: "expired-dark.png", width: 800, height: 640, dark: true})

	s.breakStore()
	require.Equal(t, http.StatusServiceUnavailable, b.visit(l.url))
	b.photograph(picture{name: "unavailable.png", width: 800, height: 640})
}

// TestSignInScreenshots makes the pictures of a sign-in by mail.
func TestSignInScreenshots(t *testing.T) {
	if screenshots == "" {
		t.Skip("set MAGICLINK_SCREENSHOTS to a directory")
	}
	require.NoError(t, os.MkdirAll(screenshots, 0o755))
	b, phone := openPublic(t), openPublic(t)
	a := serveAs(t, "https://"+publicHost, startMailServer(t))
	site := httptest.NewServer(a)
	t.Cleanup(site.Close)
	front.leadTo(t, site.URL)

	const address = "jane@example.com"
	b.visit(a.origin + "/sign-in?next=/reports")
	b.photograph(picture{name: "sign-in-request.png", width: 480, height: 420})
	b.do(chromedp.SendKeys(chromedp.CSS("#email"), address))
	require.Equal(t, http.StatusOK, b.signIn())
	b.photograph(picture{name: "sign-in-waiting.png", width: 480, height: 690})
	mail := a.server.newest(t, address, 1)
	require.Equal(t, http.StatusOK, phone.visit(mail.link))
	phone.photograph(picture{name: "sign-in-other-browser.png", width: 390, height: 560, phone: true})
	require.Equal(t, http.StatusOK, b.visit(mail.link))
	b.photograph(picture{name: "sign-in-confirm.png", width: 480, height: 480})
	require.Equal(t, http.StatusOK, b.signIn())
	a.signInElsewhere(address)
	require.Equal(t, http.StatusOK, b.visit(a.origin+httpadapter.SessionsPath))
	b.photograph(picture{name: "sessions.png", width: 480, height: 820})
	b.visit(serveMail(t, mail))
	b.photograph(picture{name: "mail.png", width: 560, height: 800})
}
