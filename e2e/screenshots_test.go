package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
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
	require.NoError(b.t, os.WriteFile(filepath.Join(screenshots, p.name), ask(b, chromedp.CaptureScreenshot()), 0o644))
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

	require.Equal(t, http.StatusGone, b.visit(l.url))
	b.photograph(picture{name: "expired.png", width: 800, height: 640})
	b.photograph(picture{name: "expired-dark.png", width: 800, height: 640, dark: true})

	s.breakStore()
	require.Equal(t, http.StatusServiceUnavailable, b.visit(l.url))
	b.photograph(picture{name: "unavailable.png", width: 800, height: 640})
}
