package httpadapter_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// When the process fails between the use of a link and the session, nobody is signed in. The page has the form again, and
// the same browser completes the redemption with it; nobody else does.
func TestFailureBetweenUseAndSession(t *testing.T) {
	for name, after := range map[string]func() error{
		"error":           func() error { return errors.New("the connection is gone") },
		"unknown outcome": func() error { return magiclink.ErrUnknownOutcome },
		"deadline":        func() error { return context.DeadlineExceeded },
		"panic":           func() error { panic("out of memory") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser()
			link, _ := s.link(create)
			f := b.get(link).form(t)
			s.store.set(nil, after)
			got := b.post(f)
			require.Equal(t, http.StatusServiceUnavailable, got.status)
			require.Equal(t, "2", got.header.Get("Retry-After"))
			require.Empty(t, got.cookies)
			require.Empty(t, got.header.Get("Location"))
			s.requireUsed(link)
			s.store.set(nil, nil)
			require.Equal(t, http.StatusGone, s.browser().get(link).status)
			require.Contains(t, got.body, ">Try again</button>")
			got = b.post(got.form(t))
			require.Equal(t, http.StatusSeeOther, got.status)
			require.NotNil(t, got.cookie(httpadapter.SessionCookie))

			link, _ = s.link(create)
			body := `{"token":"` + tokenOf(t, link) + `"}`
			s.store.set(nil, after)
			answer := b.send(http.MethodPost, s.server.URL+httpadapter.RedeemPath, body, "Content-Type", typeJSON)
			require.Equal(t, http.StatusServiceUnavailable, answer.status)
			require.NotContains(t, answer.body, "session_token")
			s.requireUsed(link)
			s.store.set(nil, nil)
			answer = b.send(http.MethodPost, s.server.URL+httpadapter.RedeemPath, body, "Content-Type", typeJSON)
			require.Equal(t, http.StatusGone, answer.status)
			require.NotContains(t, answer.body, "session_token")
		})
	}
}

// Sessions that cannot be granted would burn every link: that shows at the start.
func TestSessionsThatCannotSign(t *testing.T) {
	s := newSite(t)
	public, err := seededKeyring(t).Public()
	require.NoError(t, err)
	sessions, err := magiclink.NewSessions(magiclink.Config{BaseURL: s.redeemer.BaseURL(), Keys: public, Now: s.now})
	require.NoError(t, err, "which can recognise sessions")
	_, err = httpadapter.NewPage(httpadapter.PageConfig{Redeemer: s.redeemer, Sessions: sessions})
	require.Error(t, err)
	_, err = httpadapter.NewRedeemHandler(httpadapter.RedeemConfig{Redeemer: s.redeemer, Sessions: sessions})
	require.Error(t, err)
}

// Browsers keep 4096 bytes of a cookie's name and value and drop a greater one without a word (RFC 6265bis section 5.6). The
// link would be used up, and nobody signed in.
func TestSessionCookieThatBrowsersDrop(t *testing.T) {
	s := newSite(t)
	kept, refused := 0, 0
	for size := 2400; size < 2700; size += 4 {
		s.store.tamper = func(record *magiclink.Record) { record.ExternalBusinessID = strings.Repeat("x", size) }
		link, _ := s.link(create)
		got := s.browser().click(link)
		cookie := got.cookie(httpadapter.SessionCookie)
		if cookie == nil {
			require.Equal(t, http.StatusServiceUnavailable, got.status)
			refused++
			continue
		}
		kept++
		require.Equal(t, http.StatusSeeOther, got.status)
		require.LessOrEqual(t, len(cookie.Name)+len(cookie.Value), 4096, "a session token of %d bytes", len(cookie.Value))
	}
	require.Positive(t, kept*refused, "the control: it was tried on both sides of the limit")
}

// A store that hangs is waited for until the page's own time is up.
func TestPageDeadline(t *testing.T) {
	for _, timeout := range []time.Duration{0, time.Second} {
		t.Run(fmt.Sprint(timeout), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &tapStore{Store: memory.New()}
				const base = "https://app.example.com/magic"
				issuer := newIssuer(t, func(c *magiclink.Config) { c.Store, c.Businesses = store, magiclink.AnyBusiness })
				config := magiclink.Config{BaseURL: base, Keys: seededKeyring(t), Store: store, Now: now}
				redeemer, err := magiclink.NewRedeemer(config)
				require.NoError(t, err)
				sessions, err := magiclink.NewSessions(config)
				require.NoError(t, err)
				logger, _ := logTo()
				page, err := httpadapter.NewPage(httpadapter.PageConfig{Redeemer: redeemer, Sessions: sessions, Timeout: timeout, Logger: logger})
				require.NoError(t, err)
				redeem, err := httpadapter.NewRedeemHandler(httpadapter.RedeemConfig{
					Redeemer: redeemer, Sessions: sessions, Timeout: timeout, Logger: logger,
				})
				require.NoError(t, err)
				response, err := issuer.Issue(t.Context(), create)
				require.NoError(t, err)
				token := tokenOf(t, response.MagicLink)
				store.set(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, nil)
				secret := strings.Repeat("s", 43)
				want := timeout
				if want == 0 {
					want = 5 * time.Second
				}
				for _, send := range []func() *httptest.ResponseRecorder{
					func() *httptest.ResponseRecorder {
						w := httptest.NewRecorder()
						page.ServeHTTP(w, httptest.NewRequest(http.MethodGet, strings.TrimSuffix(response.MagicLink, "#top"), nil))
						return w
					},
					func() *httptest.ResponseRecorder {
						return post(page, typeForm, "token="+token+"&form="+formTokenFor(secret, token), "Cookie", formCookie+"="+secret, "Origin", "https://app.example.com")
					},
					func() *httptest.ResponseRecorder { return post(redeem, typeJSON, `{"token":"`+token+`"}`) },
				} {
					start := time.Now()
					w := send()
					require.Equal(t, http.StatusServiceUnavailable, w.Code)
					require.Equal(t, want, time.Since(start))
				}
				store.set(nil, nil)
				_, err = redeemer.Redeem(t.Context(), token)
				require.NoError(t, err, "the link still works")
			})
		})
	}
}

// net/http has this one panic stand for "drop the connection".
func TestAbortHandlerIsPassedOnByThePage(t *testing.T) {
	s := newSite(t, func(c *httpadapter.PageConfig) {
		c.ActiveAccount = func(*http.Request) string { panic(http.ErrAbortHandler) }
	})
	link, _ := s.link(create)
	page := s.page(func(c *httpadapter.PageConfig) {
		c.ActiveAccount = func(*http.Request) string { panic(http.ErrAbortHandler) }
	})
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		page.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, strings.TrimSuffix(link, "#top"), nil))
	})
	s.requireUsable(link)
}
