package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

func TestPageByKeyboard(t *testing.T) {
	t.Parallel()
	s := start(t)
	l := s.issue("/reports")
	b := open(t)
	require.Equal(t, http.StatusOK, b.visit(l.url))
	b.do(chromedp.KeyEvent(kb.Tab))
	require.Equal(t, "BUTTON", ask(b, chromedp.Evaluate[string](`document.activeElement.tagName`)), "the first stop is the button")
	outline := ask(b, chromedp.Evaluate[string](`getComputedStyle(document.activeElement).outlineStyle`))
	require.Equal(t, "solid", outline, "the focus can be seen")
	require.Equal(t, http.StatusOK, b.load(chromedp.KeyEvent(kb.Enter)))
	require.Equal(t, s.Origin+"/reports", b.address())
	s.requireUsed(l)
}

// roles returns the accessible names in the page by their role, as a screen reader has them.
func (b *tab) roles() map[string][]string {
	b.t.Helper()
	roles := map[string][]string{}
	for _, node := range command(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if node.Ignored || node.Role == nil || node.Name == nil {
			continue
		}
		var role, name string
		require.NoError(b.t, json.Unmarshal(node.Role.Value, &role))
		require.NoError(b.t, json.Unmarshal(node.Name.Value, &name))
		roles[role] = append(roles[role], name)
	}
	return roles
}

func TestPageSays(t *testing.T) {
	t.Parallel()
	s := start(t)
	l := s.issue("/reports/2026?secret=1")
	b := open(t)
	require.Equal(t, http.StatusOK, b.visit(l.url))
	b.waitIdle()

	roles := b.roles()
	require.Equal(t, []string{"Sign in"}, roles["button"])
	require.Equal(t, []string{"Sign in as j•••@example.com?"}, roles["heading"])
	require.Len(t, roles["main"], 1)
	require.NotEmpty(t, roles["RootWebArea"][0], "the page has a title")
	require.Equal(t, "en", ask(b, chromedp.Evaluate[string](`document.documentElement.lang`)))

	host := strings.TrimPrefix(s.Origin, "http://")
	require.Contains(t, b.text(), "You go to "+host+"/reports/2026")
	require.NotContains(t, b.text(), "secret")
	require.NotContains(t, b.text(), "already signed in")
	source := ask(b, chromedp.Evaluate[string](`document.documentElement.outerHTML`))
	require.NotContains(t, source, "jane", "the whole address is not in the page")
}

// TestPageIsQuiet loads every page: nothing is asked of another origin, and the browser has nothing to complain about.
func TestPageIsQuiet(t *testing.T) {
	t.Parallel()
	s := start(t)
	l := s.issue("/reports")
	b := open(t)
	require.Equal(t, http.StatusOK, b.visit(l.url))
	b.waitIdle()
	background := ask(b, chromedp.Evaluate[string](`getComputedStyle(document.querySelector("main")).backgroundColor`))
	require.Equal(t, "rgb(255, 255, 255)", background, "the style is applied under the policy")
	require.Equal(t, http.StatusOK, b.signIn())
	b.waitIdle()
	for _, r := range b.sent() {
		require.True(t, strings.HasPrefix(r.url, s.Origin+"/"), r.url)
	}
	require.Empty(t, b.heard())

	b.forget()
	require.Equal(t, http.StatusGone, b.visit(s.BaseURL+"?token=x"))
	b.waitIdle()
	for _, r := range b.sent() {
		require.True(t, strings.HasPrefix(r.url, s.Origin+"/"), r.url)
	}
	for _, complaint := range b.heard() {
		require.Contains(t, complaint, "410 (Gone)", "the browser reports the status, and nothing else")
	}
}

// TestPageWarns shows that going on would end the session of another account.
func TestPageWarns(t *testing.T) {
	t.Parallel()
	s := start(t)
	first, second := s.issue("/first"), s.issueTo("paul@example.org", "/second")
	b := open(t)
	require.Equal(t, http.StatusOK, b.visit(first.url))
	require.Equal(t, http.StatusOK, b.signIn())

	require.Equal(t, http.StatusOK, b.visit(second.url))
	require.Contains(t, b.text(), "You are already signed in here as j•••@example.com.")
	require.Contains(t, b.roles(), "status")
	require.Equal(t, []string{"Sign in as p•••@example.org?"}, b.roles()["heading"])
	require.Equal(t, http.StatusOK, b.signIn())
	require.Contains(t, b.text(), "You are signed in as paul@example.org")
}

// TestSeveralPagesOpen signs in from the page that was opened first: the second has not made its form invalid.
func TestSeveralPagesOpen(t *testing.T) {
	t.Parallel()
	s := start(t)
	first, second := s.issue("/first"), s.issue("/second")
	b := open(t)
	require.Equal(t, http.StatusOK, b.visit(first.url))
	require.Equal(t, http.StatusOK, b.another().visit(second.url))
	require.Equal(t, http.StatusOK, b.signIn())
	require.Equal(t, s.Origin+"/first", b.address())
	s.requireLive(second)
}
