package replicas_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/magiclinktest"
	"github.com/magiclink-go/magiclink/signin"
)

// ends are the ways to end a session at one replica.
var ends = map[string]func(s *sites, browser *magiclinktest.Browser, session magiclink.Session){
	"sign out": func(s *sites, browser *magiclinktest.Browser, _ magiclink.Session) {
		r := httptest.NewRequest(http.MethodPost, "/logout", nil)
		r.Header.Set("Origin", appOrigin)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(&http.Cookie{Name: httpadapter.SessionCookie, Value: browser.Cookie(appOrigin, httpadapter.SessionCookie)})
		w := httptest.NewRecorder()
		s.services[0].ServeHTTP(w, r)
		require.Equal(s.t, http.StatusSeeOther, w.Code)
	},
	"sign out everywhere, on another device": func(s *sites, _ *magiclinktest.Browser, _ magiclink.Session) {
		other := magiclinktest.NewBrowser(s.t, magiclinktest.Handler(s.services[0]))
		s.enter(other)
		other.Open(appOrigin+httpadapter.SessionsPath).SubmitTo(httpadapter.SessionsPath, "end", "everywhere")
		require.False(s.t, signedIn(other))
	},
	"sign out there, on another device": func(s *sites, _ *magiclinktest.Browser, session magiclink.Session) {
		other := magiclinktest.NewBrowser(s.t, magiclinktest.Handler(s.services[0]))
		s.enter(other)
		other.Open(appOrigin+httpadapter.SessionsPath).SubmitTo(httpadapter.SessionsPath, "end", session.ID)
		require.True(s.t, signedIn(other))
	},
	"End": func(s *sites, _ *magiclinktest.Browser, session magiclink.Session) {
		require.NoError(s.t, s.services[0].Sessions().End(s.t.Context(), session))
	},
	"EndAll": func(s *sites, _ *magiclinktest.Browser, session magiclink.Session) {
		count, err := s.services[0].Sessions().EndAll(s.t.Context(), session.Subject)
		require.NoError(s.t, err)
		require.Positive(s.t, count)
	},
	"Revoke": func(s *sites, _ *magiclinktest.Browser, session magiclink.Session) {
		require.NoError(s.t, s.services[0].Issuer().Revoke(s.t.Context(), "", linkOf(session)))
	},
	"RevokeAll": func(s *sites, _ *magiclinktest.Browser, _ magiclink.Session) {
		count, err := s.services[0].Issuer().RevokeAll(s.t.Context(), magiclink.Caller{}, magiclink.Subject{Email: jane})
		require.NoError(s.t, err)
		require.Positive(s.t, count)
	},
	"the API, by the session": func(s *sites, _ *magiclinktest.Browser, session magiclink.Session) {
		s.operate("/v0/auth/sessions/"+session.ID+"/revoke", "")
	},
	"the API, by the link": func(s *sites, _ *magiclinktest.Browser, session magiclink.Session) {
		s.operate("/v0/auth/magic-links/"+linkOf(session)+"/revoke", "")
	},
	"the API, by the person": func(s *sites, _ *magiclinktest.Browser, _ magiclink.Session) {
		s.operate("/v0/auth/magic-links/revoke", `{"email":"`+jane+`"}`)
	},
}

func linkOf(session magiclink.Session) string { return strings.Replace(session.ID, "ses_", "mlk_", 1) }

// operate calls the API of the first replica.
func (s *sites) operate(path, body string) {
	s.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"crm"}, "client_secret": {operatorSecret}}
	send := func(path, kind, token, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		s.services[0].ServeHTTP(w, r)
		return w
	}
	_, token, found := strings.Cut(send("/v0/auth/token", "application/x-www-form-urlencoded", "", form.Encode()).Body.String(), `"access_token":"`)
	require.True(s.t, found)
	token, _, _ = strings.Cut(token, `"`)
	got := send(path, "application/json", token, body)
	require.Less(s.t, got.Code, 300, got.Body)
}

// enter signs a browser in.
func (s *sites) enter(browser *magiclinktest.Browser) {
	s.t.Helper()
	_, mail := s.asked(browser, jane)
	browser.Open(mail.Link).Submit()
	require.True(s.t, signedIn(browser))
}

// knows reports what each replica says to the cookies of a browser.
func (s *sites) knows(token string) (statuses [3]int) {
	for i, service := range s.services {
		r := httptest.NewRequest(http.MethodGet, "/session", nil)
		r.AddCookie(&http.Cookie{Name: httpadapter.SessionCookie, Value: token})
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		statuses[i] = w.Code
	}
	return statuses
}

// However a session is ended at one replica, the others refuse it: at once, or when SessionRecheck is over.
func TestEndAtOneReplicaEndsAtAll(t *testing.T) {
	const in, out = http.StatusOK, http.StatusUnauthorized
	for name, open := range sharedStores {
		for _, recheck := range []time.Duration{0, 10 * time.Second} {
			t.Run(name+"/"+recheck.String(), func(t *testing.T) {
				clock := magiclinktest.NewClock(time.Now())
				s := newSites(t, open(t), withoutClientLimits, func(c *signin.Config) {
					c.Config.Now, c.Config.SessionRecheck = clock.Now, recheck
					c.Limits.ResendPauses, c.Limits.PerAddress = []time.Duration{}, boundless
				})
				for how, end := range ends {
					browser := s.browser()
					s.enter(browser)
					token := browser.Cookie(appOrigin, httpadapter.SessionCookie)
					session, err := s.services[0].Sessions().Verify(t.Context(), token)
					require.NoError(t, err)
					require.Equal(t, [3]int{in, in, in}, s.knows(token), "the control: each knows the session")
					end(s, browser, session)
					if recheck > 0 {
						clock.Advance(recheck - time.Millisecond)
						known := s.knows(token)
						require.Equal(t, []int{in, in}, known[1:], "%s: the control: the others still rely on their look", how)
						clock.Advance(time.Millisecond)
					}
					require.Equal(t, [3]int{out, out, out}, s.knows(token), how)
					clock.Advance(time.Minute)
				}
			})
		}
	}
}
