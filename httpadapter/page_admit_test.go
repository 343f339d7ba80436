package httpadapter_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// redemptionOf is what a click on a link made with create redeems at noon.
func redemptionOf(id string) magiclink.Redemption {
	return magiclink.Redemption{
		MagicLinkID: id, Subject: magiclink.Subject{
			TenantID: "t1", BusinessID: business, ExternalBusinessID: "shop-7", Email: "jane@example.com",
		},
		Path: "/reports?y=1#top", SessionTimeout: time.Hour, IssuedAt: noon, ExpiresAt: noon.Add(5 * time.Minute), RedeemedAt: noon,
	}
}

// An application with sessions of its own takes the redemption, with our session cookie beside or without it.
func TestOnRedeem(t *testing.T) {
	for name, beside := range map[string]bool{"alone": false, "beside Sessions": true} {
		t.Run(name, func(t *testing.T) {
			var took []magiclink.Redemption
			s := newSite(t, func(c *httpadapter.PageConfig) {
				if !beside {
					c.Sessions = nil
				}
				c.OnRedeem = func(w http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) error {
					took = append(took, redeemed)
					require.Equal(t, http.MethodPost, r.Method)
					deadline, ok := r.Context().Deadline()
					require.True(t, ok)
					require.WithinDuration(t, time.Now().Add(5*time.Second), deadline, time.Second)
					http.SetCookie(w, &http.Cookie{Name: "own", Value: "1"})
					return nil
				}
			})
			link, id := s.link(create)
			b := s.browser()
			f := b.get(link).form(t)
			got := b.post(f)
			require.Equal(t, http.StatusSeeOther, got.status)
			require.Equal(t, s.server.URL+"/reports?y=1#top", got.header.Get("Location"))
			require.NotNil(t, got.cookie("own"))
			require.Equal(t, beside, got.cookie(httpadapter.SessionCookie) != nil)
			require.Equal(t, []magiclink.Redemption{redemptionOf(id)}, took)

			require.Equal(t, http.StatusSeeOther, b.post(f).status)
			want := redemptionOf(id)
			want.Repeated = true
			require.Equal(t, []magiclink.Redemption{redemptionOf(id), want}, took, "it runs again for a repeated click")
			require.Equal(t, http.StatusGone, s.browser().get(link).status)
			require.Len(t, took, 2)
		})
	}
}

// When no session could be started there is no half a session either. After an outage the same click can be tried again.
func TestOnRedeemFails(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("the-cause") },
		"panic": func() error { panic(canaryText) },
	} {
		t.Run(name, func(t *testing.T) {
			failing := true
			s := newSite(t, func(c *httpadapter.PageConfig) {
				c.OnRedeem = func(w http.ResponseWriter, _ *http.Request, _ magiclink.Redemption) error {
					http.SetCookie(w, &http.Cookie{Name: "own", Value: "half a session"})
					if failing {
						return fail()
					}
					return nil
				}
			})
			link, id := s.link(create)
			b := s.browser()
			got := b.post(b.get(link).form(t))
			require.Equal(t, http.StatusServiceUnavailable, got.status)
			require.Equal(t, "2", got.header.Get("Retry-After"))
			requireSecure(t, got)
			require.Empty(t, got.cookies, "neither its cookie nor ours")
			require.Empty(t, got.header.Get("Location"))
			require.NotContains(t, got.body, "the-cause")
			s.requireUsed(link)
			require.Contains(t, s.log.String(), "is used up, and no session was started")
			require.Contains(t, s.log.String(), id)
			require.NotContains(t, s.log.String(), canaryText)

			failing = false
			got = b.post(got.form(t))
			require.Equal(t, http.StatusSeeOther, got.status)
			require.Len(t, got.cookies, 2)
		})
	}
}

// A refusal after the redemption is 403, and the page says that the link is used up. The session that the browser had lasts.
func TestOnRedeemRefuses(t *testing.T) {
	refusing := false
	s := newSite(t, func(c *httpadapter.PageConfig) {
		c.OnRedeem = func(w http.ResponseWriter, _ *http.Request, _ magiclink.Redemption) error {
			if refusing {
				http.SetCookie(w, &http.Cookie{Name: "own", Value: "half a session"})
				return fmt.Errorf("%s: %w", canaryText, httpadapter.ErrRefused)
			}
			return nil
		}
	})
	b := s.browser()
	first, _ := s.link(create)
	before := b.click(first).cookie(httpadapter.SessionCookie)
	refusing = true
	link, _ := s.link(create)
	got := b.click(link)
	require.Equal(t, http.StatusForbidden, got.status)
	require.Empty(t, got.cookies)
	requireSecure(t, got)
	require.Contains(t, got.body, "Your link is used up")
	require.Equal(t, s.server.URL+"/", got.button(t))
	require.NotContains(t, got.body+s.log.String(), canaryText)
	s.requireUsed(link)
	_, err := s.sessions.Verify(t.Context(), before.Value)
	require.NoError(t, err)
}

// Admit decides before the link is used.
func TestAdmit(t *testing.T) {
	var answer error
	var asked []magiclink.Redemption
	s := newSite(t, func(c *httpadapter.PageConfig) {
		c.Admit = func(r *http.Request, redemption magiclink.Redemption) error {
			_, ok := r.Context().Deadline()
			require.True(t, ok)
			asked = append(asked, redemption)
			if answer != nil && answer.Error() == "panic" {
				panic(canaryText)
			}
			return answer
		}
	})
	link, id := s.link(create)
	b := s.browser()
	f := b.get(link).form(t)
	require.Empty(t, asked, "a GET asks nobody")

	answer = fmt.Errorf("%s: %w", canaryText, httpadapter.ErrRefused)
	got := b.post(f)
	require.Equal(t, http.StatusForbidden, got.status)
	requireSecure(t, got)
	require.Contains(t, got.body, "This click did not use up your link")
	require.Equal(t, s.server.URL+"/magic?token="+tokenOf(t, link), got.button(t))
	require.Empty(t, s.log.String(), "a refusal is nobody's fault")
	want := redemptionOf(id)
	want.RedeemedAt = time.Time{}
	require.Equal(t, []magiclink.Redemption{want}, asked)

	for _, answer = range []error{errors.New("the-cause"), errors.New("panic")} {
		got = b.post(f)
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		require.NotContains(t, got.body+s.log.String(), canaryText)
		require.NotContains(t, got.body, "the-cause")
	}
	require.Contains(t, s.log.String(), "the-cause")
	s.requireUsable(link)

	answer, asked = nil, nil
	require.Equal(t, http.StatusSeeOther, b.post(f).status)
	require.Equal(t, http.StatusSeeOther, b.post(f).status)
	require.Len(t, asked, 2)
	require.True(t, asked[1].Repeated, "a repeated click asks again")
	answer = httpadapter.ErrRefused
	got = b.post(f)
	require.Equal(t, http.StatusForbidden, got.status)
	require.Empty(t, got.cookies)

	asked, answer = nil, nil
	stranger := s.browser()
	live, _ := s.link(create)
	f = formFor(t, stranger.get(live), tokenOf(t, link))
	require.Equal(t, http.StatusGone, stranger.post(f).status)
	require.Empty(t, asked, "nobody is asked about a link that is used")
}

// An application with sessions of its own says which link they came from.
func TestActiveLink(t *testing.T) {
	active := ""
	s := newSite(t, func(c *httpadapter.PageConfig) {
		c.Sessions = nil
		c.OnRedeem = func(http.ResponseWriter, *http.Request, magiclink.Redemption) error { return nil }
		c.ActiveLink = func(*http.Request) string { return active }
	})
	link, id := s.link(create)
	require.Equal(t, http.StatusSeeOther, s.browser().click(link).status)
	for _, other := range []string{"", "mlk_GA6EG2qFxA97NZHtxeLPUy", id[:5]} {
		active = other
		require.Equal(t, http.StatusGone, s.browser().get(link).status)
	}
	active = id
	require.Equal(t, http.StatusSeeOther, s.browser().get(link).status)
	live, _ := s.link(create)
	require.Equal(t, http.StatusOK, s.browser().get(live).status)
}
