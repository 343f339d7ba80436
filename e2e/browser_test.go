package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// chromium returns the browser to drive, or "".
func chromium() string {
	for _, name := range []string{os.Getenv("MAGICLINK_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

var stopBrowser = func() {}

// startBrowser starts the one browser process that all tests share.
var startBrowser = sync.OnceValues(func() (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium()),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP "+publicHost+":443 "+front.listen()),
	)
	if screenshots != "" {
		options = append(options, chromedp.Env("FONTCONFIG_FILE="+fonts))
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	stopBrowser = func() { stop(); stopAllocator() }
	return ctx, chromedp.Do(ctx)
})

func closeBrowser() { stopBrowser() }

// tab is a page in a browser context of its own: it shares no cookie with another.
type tab struct {
	t   *testing.T
	ctx context.Context
	*traffic
}

// open starts a tab. Without a Chromium the test is skipped, but not where a skipped test would go unnoticed.
func open(t *testing.T) *tab {
	t.Helper()
	if chromium() == "" {
		if os.Getenv("CI") == "true" {
			require.FailNow(t, "there is no Chromium: run ./install.sh")
		}
		t.Skip("there is no Chromium: run ./install.sh")
	}
	browser, err := startBrowser()
	require.NoError(t, err)
	return openIn(t, browser, chromedp.WithNewBrowserContext())
}

// another opens a second tab beside one: they share their cookies.
func (b *tab) another() *tab { b.t.Helper(); return openIn(b.t, b.ctx) }

func openIn(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	seen := new(traffic)
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(seen.take))...)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	return &tab{t: t, ctx: ctx, traffic: seen}
}

// do runs steps in the tab.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, steps...))
}

// ask runs an action in the tab and returns what it yields.
func ask[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	require.NoError(b.t, err)
	return value
}

// command sends a command of the DevTools protocol.
func command[P, R any](b *tab, c cdp.Command[P, R], params P) R {
	b.t.Helper()
	return ask(b, func(ctx context.Context, target *chromedp.Target) (R, error) { return cdp.Call(ctx, target, c, params) })
}

// load runs steps that lead to another page, and returns that page's status.
func (b *tab) load(steps ...chromedp.Action[chromedp.Void]) (status int) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, steps...)
	require.NoError(b.t, err)
	if response == nil {
		return 0
	}
	return int(response.Status)
}

func (b *tab) visit(address string) (status int) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	response, err := chromedp.Run(ctx, chromedp.NavigateResponse(address))
	require.NoError(b.t, err)
	require.NotNil(b.t, response, address)
	return int(response.Status)
}

// signIn presses the button and returns the status of the page behind it.
func (b *tab) signIn() (status int) {
	b.t.Helper()
	return b.load(chromedp.Click(chromedp.CSS("button")))
}

func (b *tab) address() string { b.t.Helper(); return ask(b, chromedp.Location()) }

// text returns the text that can be read in the page, without line breaks.
func (b *tab) text() string {
	b.t.Helper()
	return strings.Join(strings.Fields(ask(b, chromedp.Evaluate[string](`document.body.innerText`))), " ")
}

// shows reports whether the text can be read, also while the tab is on its way to another page.
func (b *tab) shows(text string) bool {
	shown, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	return err == nil && strings.Contains(shown, text)
}

func (b *tab) withoutScripts() {
	b.t.Helper()
	command(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// cookies returns those that the browser would send to an address.
func (b *tab) cookies(address string) map[string]*network.Cookie {
	b.t.Helper()
	cookies := map[string]*network.Cookie{}
	got := command(b, network.GetCookies, network.GetCookiesParams{URLs: []string{address}})
	for _, cookie := range got.Cookies {
		cookies[cookie.Name] = cookie
	}
	return cookies
}

// session returns the session token that the browser has, or "".
func (b *tab) session(s *service) string {
	b.t.Helper()
	if cookie := b.cookies(s.Origin + "/session")[plainSessionCookie]; cookie != nil {
		return cookie.Value
	}
	return ""
}
