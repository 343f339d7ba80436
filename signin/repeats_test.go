package signin_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/signin"
)

// heldDown is how often a browser sends a form while the Enter key is held down for two seconds.
const heldDown = 60

// hold sends a form as a browser does while the Enter key is held down: each request takes the place of the one before, so the cookies of the last answer alone are kept.
func (b *browser) hold(path string, form url.Values) (last answer) {
	b.t.Helper()
	before := b.cookies
	for range heldDown {
		b.cookies = map[string]string{}
		for name, value := range before {
			b.cookies[name] = value
		}
		last = b.post(path, form)
	}
	return last
}

// Somebody who holds the Enter key down gets one mail, has one try for each code, and is signed in.
func TestEnterHeldDown(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	form := b.get("/sign-in?next=/reports").fields(t)
	form.Set("email", jane)
	require.Equal(t, http.StatusSeeOther, b.hold("/sign-in", form).status)
	s.settled()
	require.Len(t, s.inbox.all(), 1)

	form = b.get("/sign-in/check").fields(t)
	form.Set("code", "2222-2222")
	wrong := b.hold("/sign-in/check", form)
	require.Equal(t, http.StatusForbidden, wrong.status)
	require.Contains(t, wrong.body, "This code is not right")

	s.clock.move(31 * time.Second)
	require.Equal(t, http.StatusSeeOther, b.hold("/sign-in/resend", b.get("/sign-in/check").fields(t)).status)
	s.settled()
	require.Len(t, s.inbox.all(), 2)

	form = b.get("/sign-in/check").fields(t)
	form.Set("code", s.last().Code)
	requireIn(t, b, b.hold("/sign-in/check", form), "/reports")
}

// The same holds for the page of the link in another browser, which asks for the code.
func TestEnterHeldDownBesideTheLink(t *testing.T) {
	s := newSite(t)
	mail := s.browser().waiting(jane)
	b := s.browser()
	form := b.get(mail.Link).fields(t)
	form.Set("code", "2222-2222")
	wrong := b.hold("/magic", form)
	require.Equal(t, http.StatusForbidden, wrong.status)
	require.Contains(t, wrong.body, "This code is not right")
	for n := range 3 { // one slip and three other wrong codes leave the last of five tries
		form.Set("code", "2222-222"+string(signin.CodeDigits[n+1]))
		require.Equal(t, http.StatusForbidden, b.post("/magic", form).status)
	}
	form.Set("code", mail.Code)
	requireIn(t, b, b.hold("/magic", form), "/")
}

// The limits count the forms, and a form that was refused before it was counted is counted when it is sent again.
func TestLimitsCountForms(t *testing.T) {
	s := newSite(t, func(c *signin.Config) { c.Limits.CodesPerClient = magiclink.Rate{Burst: 2, Every: time.Minute} })
	b := s.browser()
	mail := b.waiting(jane)
	form := b.get("/sign-in/check").fields(t)
	for n, want := range []int{http.StatusForbidden, http.StatusForbidden, http.StatusTooManyRequests} {
		form.Set("code", "2222-222"+string(signin.CodeDigits[n]))
		for range 3 {
			require.Equal(t, want, b.post("/sign-in/check", form).status, n)
		}
	}
	form.Set("code", mail.Code)
	for range 3 {
		require.Equal(t, http.StatusTooManyRequests, b.post("/sign-in/check", form).status)
	}
	s.clock.move(time.Minute)
	require.Equal(t, http.StatusSeeOther, b.post("/sign-in/check", form).status)
}
