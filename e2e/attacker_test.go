package e2e_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// attacker is a site that wants its visitors to be signed in to an account that it knows.
type attacker struct {
	*httptest.Server
	mu     sync.Mutex
	page   string // what it shows
	stolen string // the form cookie of the last visitor, where the browser sends it here
}

func newAttacker(t *testing.T) *attacker {
	a := new(attacker)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if cookie, err := r.Cookie(plainFormCookie); err == nil {
			a.stolen = cookie.Value
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!DOCTYPE html><title>prizes</title><body>", a.page)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *attacker) show(page string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.page = page
}

func (a *attacker) cookie() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stolen
}

// at is the attacker's address under a host name.
func (a *attacker) at(host string) string { return strings.Replace(a.URL, "127.0.0.1", host, 1) }

// forgedForm posts itself with any form token, into the frame that is named.
func forgedForm(action, token, formToken, frame string) string {
	return fmt.Sprintf(`<form method="post" action="%s" target="%s"><input name="token" value="%s"><input name="form" value="%s">
		</form><script>document.forms[0].submit()</script>`, action, frame, html.EscapeString(token), html.EscapeString(formToken))
}

// loaded tells when the frame has loaded something else than the empty page that it begins with.
const loaded = `<iframe name="f" onload="window.loads = (window.loads || 0) + 1"%s></iframe>`

// TestAttackerInBrowser lets another site do all that a site can do, with a link of its own that is valid. The cross-site
// one is at another host; the same-site one is at the same host and another port, where browsers also send the cookies.
func TestAttackerInBrowser(t *testing.T) {
	t.Parallel()
	s := start(t)
	theirs := s.issueTo("attacker@evil.example", "/stolen")
	ours := s.openForm(theirs, "") // the attacker has looked at the page with a browser of their own
	for _, host := range []string{"localhost", "127.0.0.1"} {
		for name, formToken := range map[string]string{
			"no form token": "", "a guess": strings.Repeat("A", 43), "that of the attacker's own browser": ours.formToken,
		} {
			t.Run(host+" with "+name, func(t *testing.T) {
				victim, a := visitor(t, s), newAttacker(t)

				refused := s.posts("403")
				a.show(forgedForm(s.BaseURL, theirs.token(), formToken, "_self"))
				victim.do(chromedp.Navigate(a.at(host)))
				waitFor(t, func() bool {
					return s.posts("403") > refused && victim.shows("Please open the link at its own address")
				})
				requireNotSignedIn(t, s, victim, theirs)

				refused = s.posts("403")
				a.show(fmt.Sprintf(loaded, "") + forgedForm(s.BaseURL, theirs.token(), formToken, "f"))
				victim.do(chromedp.Navigate(a.at(host)))
				waitFor(t, func() bool { return s.posts("403") > refused })
				requireNotSignedIn(t, s, victim, theirs)

				refused = s.posts("403")
				a.show("")
				victim.do(chromedp.Navigate(a.at(host)))
				ask(victim, chromedp.Evaluate[string](fmt.Sprintf(`fetch(%q, {method: "POST", mode: "no-cors", credentials: "include",
					headers: {"Content-Type": "application/x-www-form-urlencoded"},
					body: new URLSearchParams({token: %q, form: %q})}).then(r => r.type)`, s.BaseURL, theirs.token(), formToken),
					chromedp.EvalAwaitPromise))
				waitFor(t, func() bool { return s.posts("403") > refused })
				requireNotSignedIn(t, s, victim, theirs)
			})
		}
	}
	require.Equal(t, http.StatusSeeOther, s.post(ours).Status, "the control: the link was good all the time")
}

// TestAttackerKnowsTheCookie is the worst case: browsers send cookies to all ports of a host, so a server on another port
// can compute the right form token. That the POST comes from another origin still gives it away.
func TestAttackerKnowsTheCookie(t *testing.T) {
	t.Parallel()
	s := start(t)
	theirs := s.issueTo("attacker@evil.example", "/stolen")
	victim, a := visitor(t, s), newAttacker(t)
	victim.do(chromedp.Navigate(a.at("127.0.0.1")))
	require.NotEmpty(t, a.cookie(), "cookies know no ports")
	sum := sha256.Sum256([]byte("magiclink form\x00" + a.cookie() + "\x00" + theirs.token()))
	formToken := base64.RawURLEncoding.EncodeToString(sum[:])
	require.Equal(t, s.openForm(theirs, a.cookie()).formToken, formToken, "it is the right one")

	a.show(forgedForm(s.BaseURL, theirs.token(), formToken, "_self"))
	victim.do(chromedp.Navigate(a.at("127.0.0.1")))
	waitFor(t, func() bool { return s.posts("403") == 1 && victim.shows("Please open the link at its own address") })
	requireNotSignedIn(t, s, victim, theirs)
}

// TestPageIsNotFramed keeps the button out of other sites' frames, where a click could be stolen.
func TestPageIsNotFramed(t *testing.T) {
	t.Parallel()
	s := start(t)
	l := s.issue("/reports")
	for _, host := range []string{"localhost", "127.0.0.1"} {
		victim, a := visitor(t, s), newAttacker(t)
		a.show(fmt.Sprintf(loaded, ` src="`+html.EscapeString(l.url)+`"`))
		victim.do(chromedp.Navigate(a.at(host)))
		waitFor(t, func() bool { return strings.Contains(strings.Join(victim.heard(), "\n"), "frame-ancestors") })
		requireNotSignedIn(t, s, victim, l)
	}
}

// visitor is a browser that has the form cookie already, from a link of its user's.
func visitor(t *testing.T, s *service) *tab {
	t.Helper()
	b := open(t)
	require.Equal(t, http.StatusOK, b.visit(s.issueTo("victim@example.com", "/mine").url))
	require.NotNil(t, b.cookies(s.Origin)[plainFormCookie])
	return b
}

func requireNotSignedIn(t *testing.T, s *service, b *tab, l link) {
	t.Helper()
	require.Empty(t, b.session(s))
	require.Equal(t, http.StatusUnauthorized, b.another().visit(s.Origin+"/session"))
	s.requireLive(l)
}
