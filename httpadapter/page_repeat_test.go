package httpadapter_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// forgetful is a browser that has the form cookie of another and none of its later cookies: the answers were lost.
func (b *browser) forgetful(shown view) (*browser, []string) {
	return b.site.browser(), []string{"Cookie", formCookie + "=" + shown.cookie(formCookie).Value}
}

// The same click again within a minute gets the same session: after a double click, a reload, or an answer that was lost.
func TestRepeatedClick(t *testing.T) {
	s := newSite(t)
	link, id := s.link(create)
	b := s.browser()
	shown := b.get(link)
	f := shown.form(t)
	lost, cookie := b.forgetful(shown)
	var first magiclink.Session
	for n, at := range []time.Duration{0, 0, time.Second, time.Minute - time.Second} {
		s.offset.Store(int64(at))
		got := lost.post(f, cookie...)
		require.Equal(t, http.StatusSeeOther, got.status)
		require.Equal(t, s.server.URL+"/reports?y=1#top", got.header.Get("Location"))
		requireSecure(t, got)
		session, err := s.sessions.Verify(t.Context(), got.cookie(httpadapter.SessionCookie).Value)
		require.NoError(t, err)
		require.Equal(t, id, session.MagicLinkID)
		if n == 0 {
			first = session
		}
		require.Equal(t, first, session, "the one session of this link")
		lost = s.browser()
	}
	record, err := s.store.Store.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, noon.Truncate(time.Millisecond), record.ConsumedAt, "the link was used once")
	digest := sha256.Sum256([]byte("magiclink page by\x00" + shown.cookie(formCookie).Value + "\x00" + tokenOf(t, link)))
	require.Equal(t, base64.RawURLEncoding.EncodeToString(digest[:]), record.ConsumedBy, "a stored record tells no secret")

	s.offset.Store(int64(time.Minute + time.Second))
	got := s.browser().post(f, cookie...)
	require.Equal(t, http.StatusGone, got.status, "after the minute the link is used for this browser, too")
	require.Empty(t, got.cookies)
}

// Nobody else can repeat the click: the form's fields alone are worth nothing.
func TestRepeatedClickOfAnother(t *testing.T) {
	s := newSite(t)
	link, _ := s.link(create)
	b, stranger := s.browser(), s.browser()
	shown, seen := b.get(link), stranger.get(link)
	require.Equal(t, http.StatusSeeOther, b.post(shown.form(t)).status)
	require.Equal(t, http.StatusGone, stranger.post(seen.form(t)).status, "with a form of its own")
	require.Equal(t, http.StatusForbidden, stranger.post(shown.form(t)).status, "with the form of the other")
	require.Equal(t, http.StatusGone, stranger.get(link).status)
	got := s.browser().post(shown.form(t), "Cookie", formCookie+"="+shown.cookie(formCookie).Value)
	require.Equal(t, http.StatusSeeOther, got.status, "the control: the same browser can")
}

// A link that is revoked between two clicks signs nobody in any more.
func TestRepeatedClickAfterRevocation(t *testing.T) {
	s := newSite(t)
	link, id := s.link(create)
	b := s.browser()
	f := b.get(link).form(t)
	require.Equal(t, http.StatusSeeOther, b.post(f).status)
	require.NoError(t, s.issuer.Revoke(t.Context(), "t1", id))
	got := b.post(f)
	require.Equal(t, http.StatusGone, got.status)
	require.Nil(t, got.cookie(httpadapter.SessionCookie))
	require.Equal(t, http.StatusGone, b.get(link).status)
}

// Two tabs with two links: each is judged by its own link. The later sign-in ends the session of the earlier one.
func TestTwoTabs(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	first, firstID := s.link(create)
	second, secondID := s.link(create)
	forms := []form{b.get(first).form(t), b.get(second).form(t)}
	one, two := b.post(forms[0]), b.post(forms[1])
	require.Equal(t, http.StatusSeeOther, one.status)
	require.Equal(t, http.StatusSeeOther, two.status)
	_, err := s.sessions.Verify(t.Context(), one.cookie(httpadapter.SessionCookie).Value)
	require.ErrorIs(t, err, magiclink.ErrInvalidToken, "the replaced session has ended for every copy of its token")
	session, err := s.sessions.Verify(t.Context(), two.cookie(httpadapter.SessionCookie).Value)
	require.NoError(t, err)
	require.Equal(t, secondID, session.MagicLinkID)
	require.NotEqual(t, firstID, secondID)
	require.Equal(t, http.StatusGone, b.get(first).status)
	require.Empty(t, s.log.String())
}

// A used link leads to its destination in the browser that is signed in by it: Back, a reload, the mail's link again.
func TestUsedLinkWhileSignedInByIt(t *testing.T) {
	s := newSite(t)
	link, _ := s.link(create)
	b := s.browser()
	f := b.get(link).form(t)
	require.Equal(t, http.StatusGone, func() int { // the control: a used link and no session
		other, _ := s.link(create)
		require.Equal(t, http.StatusSeeOther, s.browser().click(other).status)
		return b.get(other).status
	}())
	require.Equal(t, http.StatusSeeOther, b.post(f).status)
	s.wait(2 * time.Minute)
	answers := []view{b.get(link), b.send(http.MethodHead, link, ""), b.get(s.server.URL + "/magic?token=" + tokenOf(t, link)), b.post(f)}
	for _, got := range answers {
		require.Equal(t, http.StatusSeeOther, got.status)
		require.Equal(t, s.server.URL+"/reports?y=1#top", got.header.Get("Location"))
		require.Empty(t, got.cookies)
		require.Empty(t, got.body)
		requireSecure(t, got)
	}
	require.Equal(t, http.StatusGone, s.browser().get(link).status, "another browser")
	stranger := s.browser()
	foreign, _ := s.link(create)
	require.Equal(t, http.StatusSeeOther, stranger.click(foreign).status)
	require.Equal(t, http.StatusGone, stranger.get(link).status, "another browser that is signed in by a link of its own")

	other, _ := s.link(create)
	require.Equal(t, http.StatusSeeOther, b.click(other).status)
	require.Equal(t, http.StatusGone, b.get(link).status, "signed in by another link")
	require.Equal(t, http.StatusSeeOther, b.get(other).status)
	s.wait(2 * time.Hour)
	require.Equal(t, http.StatusGone, b.get(other).status, "the session is over")
	require.Empty(t, s.log.String())
}

// The session outlasts the link by far: the mail's link leads to its destination as long as the session lasts.
func TestUsedLinkAfterItsExpiry(t *testing.T) {
	s := newSite(t)
	link, _ := s.link(create)
	unused, _ := s.link(create)
	b := s.browser()
	f := b.get(link).form(t)
	require.Equal(t, http.StatusSeeOther, b.post(f).status)
	s.wait(59 * time.Minute)
	require.Equal(t, http.StatusSeeOther, b.get(link).status)
	require.Equal(t, http.StatusSeeOther, b.post(f).status)
	require.Equal(t, http.StatusGone, b.get(unused).status)
	require.Equal(t, http.StatusGone, s.browser().get(link).status)
}

// When nobody can say whether the session lasts, the answer is 503 and neither page nor redirection.
func TestUsedLinkWithBrokenStore(t *testing.T) {
	s := newSite(t)
	link, _ := s.link(create)
	b := s.browser()
	require.Equal(t, http.StatusSeeOther, b.click(link).status)
	s.store.failAfter(1)
	got := b.get(link)
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, s.server.URL+"/magic?token="+tokenOf(t, link), got.button(t))
	s.store.set(nil, nil)
	require.Equal(t, http.StatusSeeOther, b.get(link).status)
}

// When the session that a sign-in replaces cannot be ended, the person is signed in all the same, and the log says so.
func TestReplacedSessionThatCannotBeEnded(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	first, _ := s.link(create)
	one := b.click(first)
	second, _ := s.link(create)
	f := b.get(second).form(t)
	s.store.failRevoke(true)
	require.Equal(t, http.StatusSeeOther, b.post(f).status)
	require.Contains(t, s.log.String(), "was not ended")
	session, err := s.sessions.Verify(t.Context(), one.cookie(httpadapter.SessionCookie).Value)
	require.NoError(t, err, "the control: it was there")
	require.Contains(t, s.log.String(), session.ID)
	require.NotContains(t, s.log.String(), "eyJ")
	require.NotContains(t, s.log.String(), "example.com")
}

// Sessions without a store cannot be ended; that is no fault worth a log entry at each sign-in.
func TestReplacedSessionWithoutStore(t *testing.T) {
	s := newSite(t)
	sessions, err := magiclink.NewSessions(magiclink.Config{BaseURL: s.redeemer.BaseURL(), Keys: seededKeyring(t), Now: s.now})
	require.NoError(t, err)
	s.mux.Handle("/own/", http.StripPrefix("/own", s.page(func(c *httpadapter.PageConfig) { c.Sessions = sessions })))
	b := s.browser()
	for range 2 {
		link, _ := s.link(create)
		f := b.get(s.server.URL + "/own/?token=" + tokenOf(t, link)).form(t)
		f.action = s.server.URL + "/own/"
		require.Equal(t, http.StatusSeeOther, b.post(f).status)
	}
	require.Empty(t, s.log.String())
}
