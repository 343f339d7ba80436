package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Engine is one of the three that nearly everybody uses.
type Engine string

// The engines. WebKit stands for Safari: WebKitGTK is the same engine with another network library below it.
const (
	Chromium Engine = "chromium"
	Firefox  Engine = "firefox"
	WebKit   Engine = "webkit"
)

// Engines are all of them.
var Engines = []Engine{Chromium, Firefox, WebKit}

// part is a program that an engine needs. The first pattern that a file matches is taken.
type part struct {
	name     string
	patterns []string // a name without a slash is looked for in PATH
}

var (
	chromedriver    = part{"chromedriver", []string{"chromedriver"}}
	chromium        = part{"Chromium", []string{os.Getenv("MAGICLINK_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"}}
	firefox         = part{"Firefox", []string{"firefox-esr", "firefox"}}
	webKitWebDriver = part{"WebKitWebDriver", []string{"WebKitWebDriver"}}
	miniBrowser     = part{"MiniBrowser", []string{"/usr/lib/*/webkit2gtk-4.*/MiniBrowser", "/usr/libexec/webkit2gtk-4.*/MiniBrowser"}}
	xvfb            = part{"Xvfb", []string{"Xvfb"}}
)

var parts = map[Engine][]part{
	Chromium: {chromium, chromedriver},
	Firefox:  {firefox},
	WebKit:   {webKitWebDriver, miniBrowser, xvfb},
}

// path returns where the program is, or "".
func (p part) path() string {
	for _, pattern := range p.patterns {
		if !strings.Contains(pattern, "*") {
			if path, err := exec.LookPath(pattern); err == nil {
				return path
			}
			continue
		}
		if paths, err := filepath.Glob(pattern); err == nil && len(paths) > 0 {
			return paths[len(paths)-1]
		}
	}
	return ""
}

// require skips the test when something is missing, but not where a skipped test would go unnoticed.
func (e Engine) require(tb testing.TB) {
	tb.Helper()
	for _, part := range parts[e] {
		if part.path() != "" {
			continue
		}
		const cure = "%s needs %s: run e2e/install.sh as root on Debian"
		if os.Getenv("CI") == "true" {
			tb.Fatalf(cure, e, part.name)
		}
		tb.Skipf(cure, e, part.name)
	}
}
