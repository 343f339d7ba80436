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

// hold sends a form as a browser does while the Enter key is held down: each request takes the place of the one before, so the
// cookies of the last answer alone are kept.
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

// Somebody who holds the Enter key down gets one mail, and is signed in by the right code.
func TestEnterHeldDown(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	form := b.get("/sign-in?next=/reports").fields(t)
	form.Set("email", jane)
	require.Equal(t, http.StatusSeeOther, b.hold("/sign-in", form).status)
	s.settled()
	require.Len(t, s.inbox.all(), 1)

	s.clock.move(31 * time.Second)
	require.Equal(t, http.StatusSeeOther, b.hold("/sign-in/resend", b.get("/sign-in/check").fields(t)).status)
	s.settled()
	require.Len(t, s.inbox.all(), 2)

	form = b.get("/sign-in/check").fields(t)
	form.Set("code", s.last().Code)
	requireIn(t, b, b.hold("/sign-in/check", form), "/reports")
}

// A wrong code counts each time: five end the code.
func TestEnterHeldDownOnAWrongCode(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	mail := b.waiting(jane)
	form := b.get("/sign-in/check").fields(t)
	form.Set("code", "2222-2222")
	require.Equal(t, http.StatusTooManyRequests, b.hold("/sign-in/check", form).status)
	s.clock.move(11 * time.Second)
	require.Contains(t, b.typed(mail.Code).body, "too many wrong codes")
}

// A form that was refused by a limit is counted when it is sent again.
func TestLimitsCountForms(t *testing.T) {
	s := newSite(t, func(c *signin.Config) { c.Limits.CodesPerClient = magiclink.Rate{Burst: 2, Every: time.Minute} })
	b := s.browser()
	mail := b.waiting(jane)
	form := b.get("/sign-in/check").fields(t)
	form.Set("code", "2222-2222")
	for n, want := range []int{http.StatusForbidden, http.StatusForbidden, http.StatusTooManyRequests} {
		require.Equal(t, want, b.post("/sign-in/check", form).status, n)
	}
	form.Set("code", mail.Code)
	for range 3 {
		require.Equal(t, http.StatusTooManyRequests, b.post("/sign-in/check", form).status)
	}
	s.clock.move(time.Minute)
	require.Equal(t, http.StatusSeeOther, b.post("/sign-in/check", form).status)
}
