package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestFormActionAllowsTheRedirection signs in under the page's policy: Chromium applies form-action also to where a POST
// is redirected.
func TestFormActionAllowsTheRedirection(t *testing.T) {
	t.Parallel()
	s := start(t)
	l := s.issue("/reports")
	page := send(t, http.MethodGet, l.url, "", nil)
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "form-action 'self'")
	got := s.post(s.openForm(l, ""))
	require.Equal(t, http.StatusSeeOther, got.Status)
	require.Contains(t, got.Header.Get("Content-Security-Policy"), "form-action 'self'")
	require.Equal(t, s.Origin+"/reports", got.Header.Get("Location"))

	b := open(t)
	require.Equal(t, http.StatusOK, b.visit(s.issue("/reports").url))
	require.Equal(t, http.StatusOK, b.signIn())
	require.Equal(t, s.Origin+"/reports", b.address())
	require.Empty(t, b.heard())
}

// TestFormActionStopsAForeignRedirection is the control: under this policy a redirection off the origin would fail.
func TestFormActionStopsAForeignRedirection(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the browser has followed the redirection")
	}))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "form-action 'self'")
		if r.Method == http.MethodPost {
			http.Redirect(w, r, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1), http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<form method="post"><button>Go on</button></form>`)
	}))
	t.Cleanup(server.Close)
	b := open(t)
	require.Equal(t, http.StatusOK, b.visit(server.URL))
	b.do(chromedp.Click(chromedp.CSS("button")))
	waitFor(t, func() bool { return strings.Contains(strings.Join(b.heard(), "\n"), "form-action") })
	require.Equal(t, server.URL+"/", b.address())
}
