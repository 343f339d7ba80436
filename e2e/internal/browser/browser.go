// Package browser drives Chromium, Firefox and WebKitGTK for tests, with the few commands that a person's journey needs.
//
// The commands are those of WebDriver (https://www.w3.org/TR/webdriver2/). Chromium and WebKitGTK come with a server for
// them, which speaks HTTP. Debian has none for Firefox; Firefox itself understands the same commands by Marionette.
package browser

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// patience is how long a command or a condition may take. Nothing takes that long unless it is broken.
const patience = 30 * time.Second

// Options say how a browser differs from the one that everybody has.
type Options struct {
	Dark bool // the user prefers dark colours
}

// Browser is a browser with an empty profile of its own. Its methods work in the tab that was opened or switched to last,
// and fail the test when a command fails. It is for one goroutine.
type Browser struct {
	Engine Engine

	tb     testing.TB
	driver transport
}

// transport sends a command and returns what it yields.
type transport interface {
	call(command string, parameters map[string]any) (json.RawMessage, error)
}

// Open starts a browser, which takes any certificate. It is killed when the test ends. A browser that is not installed
// skips the test, except in CI.
func Open(tb testing.TB, engine Engine, options Options) *Browser {
	tb.Helper()
	engine.require(tb)
	b := &Browser{Engine: engine, tb: tb}
	var capabilities map[string]any
	switch engine {
	case Firefox:
		b.driver = startFirefox(tb, options)
		capabilities = map[string]any{"acceptInsecureCerts": true}
	default:
		driver, vendor := startChromium, chromiumOptions
		if engine == WebKit {
			driver, vendor = startWebKit, webKitOptions
		}
		b.driver = driver(tb, options)
		always := vendor(tb, options)
		always["acceptInsecureCerts"] = true
		capabilities = map[string]any{"capabilities": map[string]any{"alwaysMatch": always}}
	}
	var session struct {
		SessionID string `json:"sessionId"`
	}
	b.ask(&session, "NewSession", capabilities)
	if server, ok := b.driver.(*classic); ok {
		server.session = session.SessionID
	}
	tb.Cleanup(func() { _, _ = b.driver.call("DeleteSession", nil) })
	b.do("SetTimeouts", map[string]any{"pageLoad": patience.Milliseconds(), "script": patience.Milliseconds()})
	b.Resize(800, 640)
	return b
}

// do sends a command that yields nothing.
func (b *Browser) do(command string, parameters map[string]any) {
	b.tb.Helper()
	b.ask(nil, command, parameters)
}

// ask sends a command and reads what it yields into the result.
func (b *Browser) ask(result any, command string, parameters map[string]any) {
	b.tb.Helper()
	if err := b.try(result, command, parameters); err != nil {
		b.tb.Fatalf("%s: %s: %v", b.Engine, command, err)
	}
}

func (b *Browser) try(result any, command string, parameters map[string]any) error {
	value, err := b.driver.call(command, parameters)
	if err != nil || result == nil {
		return err
	}
	return json.Unmarshal(value, result)
}

// Visit opens an address as somebody does who types it, and waits until the page is there.
func (b *Browser) Visit(address string) {
	b.tb.Helper()
	b.do("Navigate", map[string]any{"url": address})
}

// Back goes back, and waits until the page is there.
func (b *Browser) Back() { b.tb.Helper(); b.do("Back", nil) }

// Reload loads the page again, and waits until it is there.
func (b *Browser) Reload() { b.tb.Helper(); b.do("Refresh", nil) }

// URL returns the address of the page.
func (b *Browser) URL() (address string) {
	b.tb.Helper()
	b.ask(&address, "GetCurrentURL", nil)
	return address
}

// Title returns the title of the page.
func (b *Browser) Title() (title string) {
	b.tb.Helper()
	b.ask(&title, "GetTitle", nil)
	return title
}

// Source returns the page's HTML, as it is by now.
func (b *Browser) Source() (html string) {
	b.tb.Helper()
	b.ask(&html, "GetPageSource", nil)
	return html
}

const innerText = "return document.body ? document.body.innerText : ''"

// Text returns the text that can be read in the page, with a space for all that is between two words.
func (b *Browser) Text() (text string) {
	b.tb.Helper()
	b.Script(&text, innerText)
	return strings.Join(strings.Fields(text), " ")
}

// Script runs the body of a function in the page and reads what it returns into the result, unless that is nil.
func (b *Browser) Script(result any, body string, arguments ...any) {
	b.tb.Helper()
	b.ask(result, "ExecuteScript", scriptParameters(body, arguments))
}

func scriptParameters(body string, arguments []any) map[string]any {
	if arguments == nil {
		arguments = []any{}
	}
	return map[string]any{"script": body, "args": arguments}
}

// Wait waits until a condition comes true, and fails the test when that takes too long.
func (b *Browser) Wait(what string, condition func() bool) {
	b.tb.Helper()
	deadline, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			b.tb.Fatalf("%s: this never came true: %s; the browser is at %s: %s", b.Engine, what, b.URL(), b.Text())
		}
	}
}

// Arrive waits until the browser is at an address and the page is there.
func (b *Browser) Arrive(address string) {
	b.tb.Helper()
	b.Wait("the browser is at "+address, func() bool {
		var there bool // an error means that the page goes away just now
		err := b.try(&there, "ExecuteScript",
			scriptParameters("return document.readyState == 'complete' && location.href == arguments[0]", []any{address}))
		return err == nil && there
	})
}

// Shows waits until a text can be read in the page.
func (b *Browser) Shows(text string) {
	b.tb.Helper()
	b.Wait(fmt.Sprintf("the page shows %q", text), func() bool {
		var shown string
		err := b.try(&shown, "ExecuteScript", scriptParameters(innerText, nil))
		return err == nil && strings.Contains(strings.Join(strings.Fields(shown), " "), text)
	})
}

// Has waits until the page has an element that the selector matches.
func (b *Browser) Has(selector string) {
	b.tb.Helper()
	b.Wait(fmt.Sprintf("the page has %q", selector), func() bool {
		var there bool
		err := b.try(&there, "ExecuteScript", scriptParameters(
			"return document.readyState == 'complete' && document.querySelector(arguments[0]) != null", []any{selector}))
		return err == nil && there
	})
}

// Cookie is one that the browser has.
type Cookie struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Path     string `json:"path"`
	Domain   string `json:"domain"`
	Secure   bool   `json:"secure"`
	HTTPOnly bool   `json:"httpOnly"`
	SameSite string `json:"sameSite"`
	Expiry   int64  `json:"expiry"` // in seconds since 1970; 0: it goes when the browser is closed
}

// Cookies returns those of the page, by name.
func (b *Browser) Cookies() map[string]Cookie {
	b.tb.Helper()
	var all []Cookie
	b.ask(&all, "GetCookies", nil)
	byName := map[string]Cookie{}
	for _, cookie := range all {
		byName[cookie.Name] = cookie
	}
	return byName
}

// ForgetCookies removes the cookies of the page. WebKit answers before they are gone, and a page that is opened then may still send them.
func (b *Browser) ForgetCookies() {
	b.tb.Helper()
	b.do("DeleteAllCookies", nil)
	b.Wait("the cookies are gone", func() bool { return len(b.Cookies()) == 0 })
}

// Resize sets the size of the window in pixels.
func (b *Browser) Resize(width, height int) {
	b.tb.Helper()
	b.do("SetWindowRect", map[string]any{"x": 0, "y": 0, "width": width, "height": height})
}

// PreferDark lets the user of Chromium prefer dark or light colours from now on.
func (b *Browser) PreferDark(dark bool) {
	b.tb.Helper()
	value := map[bool]string{true: "dark", false: "light"}[dark]
	b.devTools(nil, "Emulation.setEmulatedMedia", map[string]any{
		"features": []any{map[string]any{"name": "prefers-color-scheme", "value": value}},
	})
}

// Screenshot returns a picture of the page, as PNG.
func (b *Browser) Screenshot() []byte {
	b.tb.Helper()
	b.Script(nil, "return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))") // it is painted
	return b.file("TakeScreenshot", map[string]any{"full": false})
}

// Print returns the page as it is printed, as PDF. WebKitGTK has no such command.
func (b *Browser) Print() []byte { b.tb.Helper(); return b.file("Print", nil) }

func (b *Browser) file(command string, parameters map[string]any) []byte {
	b.tb.Helper()
	var encoded string
	b.ask(&encoded, command, parameters)
	content, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		b.tb.Fatalf("%s: %s: %v", b.Engine, command, err)
	}
	return content
}
