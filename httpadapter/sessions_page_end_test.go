package httpadapter_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

func wordsOf(page, tag string) (string, error) {
	text, err := os.ReadFile("words/" + page + "/" + tag + ".html")
	return string(text), err
}

// A click ends the session of another browser for every copy of its token, and may come twice or too late.
func TestSessionsPageEndsThere(t *testing.T) {
	p := newPeople(t)
	mine, other, third := p.signIn(jane), p.signIn(jane), p.signIn(jane)
	mine.look()
	for range 2 { // a double click
		p.requireStays(mine.press(other.id()))
		require.False(t, other.lasts())
		require.True(t, mine.lasts() && third.lasts())
	}
	p.requireList(mine.look(), true, mine.id(), third.id())
	require.Equal(t, http.StatusUnauthorized, other.look().status)

	third.look()
	p.requireLeaves(third.press(third.id())) // while the other tab still shows it
	p.requireStays(mine.press(third.id()))
	require.True(t, mine.lasts())
	var actors []string
	for _, event := range p.events {
		actors = append(actors, event.Actor)
	}
	require.Equal(t, []string{"session:" + mine.id(), "session:" + third.id()}, actors)
}

// An id of somebody else is answered like an unknown one, and ends nothing.
func TestSessionsPageForeignIDs(t *testing.T) {
	p := newPeople(t)
	mine := p.signIn(jane)
	mine.look()
	unknown := mine.press("ses_" + strings.Repeat("z", 22))
	p.requireStays(unknown)
	for name, in := range others() {
		foreign := p.signIn(in)
		got := mine.press(foreign.id())
		p.requireStays(got)
		require.Equal(t, unknown.header, got.header, name)
		require.True(t, foreign.lasts(), name)
		foreign.look() // the control: the owner can
		p.requireLeaves(foreign.press(foreign.id()))
		require.False(t, foreign.lasts(), name)
	}
	other := p.signIn(jane)
	id := other.id()
	for _, hostile := range []string{
		"*", "ses_", "ses_%", "mlk_" + strings.TrimPrefix(id, "ses_"), strings.ToUpper(id), id + " ", " " + id, id + "\x00", id + ",x", "\xff",
		"all", "Everywhere", "everywhere ", "' OR 1=1 --", strings.Repeat("a", 3000), hostile, "../" + id,
	} {
		p.requireStays(mine.press(hostile))
	}
	require.True(t, mine.lasts() && other.lasts())
	p.requireStays(mine.press(id))
	require.False(t, other.lasts(), "the control")
}

// Signing out everywhere ends all sessions of the person, and the links that could start others; nobody else's.
func TestSessionsPageEndsEverywhere(t *testing.T) {
	p := newPeople(t)
	mine, other := p.signIn(jane), p.signIn(jane)
	link := p.link(t, jane)
	foreign := map[string]*visitor{}
	for name, in := range others() {
		foreign[name] = p.signIn(in)
	}
	mine.look()
	p.requireLeaves(mine.press("everywhere"))
	require.False(t, mine.lasts() || other.lasts())
	_, err := p.redeemer.Inspect(t.Context(), link)
	require.ErrorIs(t, err, magiclink.ErrRevoked)
	for name, v := range foreign {
		require.True(t, v.lasts(), name)
	}
	p.requireUntouched(http.StatusUnauthorized, mine.press("everywhere")) // the second click of two
	p.requireUntouched(http.StatusUnauthorized, other.look())
}

// A session that names its business by one id alone is not that of a session which names the business by both. All of them end
// with everything of the person at the business.
func TestSessionsPageOfABusinessByOneID(t *testing.T) {
	for _, name := range []string{"the business by its id alone", "the business by the other alone"} {
		p := newPeople(t)
		mine, whole, elsewhere := p.signIn(others()[name]), p.signIn(jane), p.signIn(others()["another person"])
		p.requireList(mine.look(), true, mine.id())
		p.requireStays(mine.press(whole.id()))
		require.True(t, whole.lasts())
		p.requireLeaves(mine.press("everywhere"))
		require.False(t, mine.lasts() || whole.lasts())
		require.True(t, elsewhere.lasts())
	}
}

// Of a double click the first one is forgotten by the browser. It is carried out all the same.
func TestSessionsPageClickOfABrowserThatGoes(t *testing.T) {
	p := newPeople(t)
	mine, other := p.signIn(jane), p.signIn(jane)
	mine.look()
	ctx, cancel := context.WithCancel(t.Context())
	body := url.Values{"form": {mine.form}, "end": {"everywhere"}}.Encode()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/sessions", io.MultiReader(strings.NewReader(body), cancelReader(cancel)))
	r.Header.Set("Content-Type", typeForm)
	r.Header.Set("Cookie", cookieOf(mine.token)+"; "+formCookie+"="+mine.secret)
	w := httptest.NewRecorder()
	p.page.ServeHTTP(w, r)
	require.Error(t, ctx.Err())
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.False(t, mine.lasts() || other.lasts())
}

// cancelReader cancels when it is read.
type cancelReader context.CancelFunc

func (c cancelReader) Read([]byte) (int, error) { c(); return 0, io.EOF }

// Clicks that race end what they say, and each gets an answer.
func TestSessionsPageRace(t *testing.T) {
	p := newPeople(t)
	mine, other := p.signIn(jane), p.signIn(jane)
	mine.look()
	var group sync.WaitGroup
	statuses := make([]int, 16)
	id := other.id()
	for n := range statuses {
		group.Go(func() {
			v := *mine
			end := id
			if n%4 == 3 {
				end = "everywhere"
			}
			body := url.Values{"form": {v.form}, "end": {end}}.Encode()
			statuses[n] = send(p.page, http.MethodPost, "/sessions", typeForm, body, append(v.cookies(), "Origin", appOrigin)...).Code
		})
	}
	group.Wait()
	for _, status := range statuses {
		require.Contains(t, []int{http.StatusSeeOther, http.StatusUnauthorized}, status)
	}
	require.Contains(t, statuses, http.StatusSeeOther)
	require.False(t, mine.lasts() || other.lasts())
}

// When the store fails nothing is said to be ended, the cookie stays, and the same click works later.
func TestSessionsPageOutage(t *testing.T) {
	for name, row := range map[string]struct {
		fail func(*people)
		ends []string // the clicks that fail
		list bool     // whether the list is shown
	}{
		"look-up":        {func(p *people) { p.store.set(func(context.Context) error { return errGone }, nil) }, []string{"here", "there", "everywhere"}, false},
		"panic":          {func(p *people) { p.store.set(func(context.Context) error { panic("the-value") }, nil) }, []string{"here", "there", "everywhere"}, false},
		"list":           {func(p *people) { p.store.failList.Store(true) }, []string{"there"}, false},
		"revoke":         {func(p *people) { p.store.failRevoke(true) }, []string{"here", "there"}, true},
		"revoke subject": {func(p *people) { p.store.failRevokeSubject.Store(true) }, []string{"everywhere"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeople(t)
			mine, other := p.signIn(jane), p.signIn(jane)
			mine.look()
			row.fail(p)
			if got := mine.look(); row.list {
				require.Equal(t, http.StatusOK, got.status)
			} else {
				p.requireUntouched(http.StatusServiceUnavailable, got)
			}
			for _, end := range row.ends {
				got := mine.press(map[string]string{"here": mine.id(), "there": other.id(), "everywhere": "everywhere"}[end])
				p.requireUntouched(http.StatusServiceUnavailable, got)
				require.Equal(t, "2", got.header.Get("Retry-After"))
				require.Equal(t, appOrigin+"/sessions", got.button(t))
				require.NotContains(t, got.body, "the-")
			}
			require.NotContains(t, p.log.String(), "the-value")
			require.Contains(t, p.log.String(), `"level":"ERROR"`)
			p.store.set(nil, nil)
			p.store.failRevoke(false)
			p.store.failList.Store(false)
			p.store.failRevokeSubject.Store(false)
			require.True(t, mine.lasts() && other.lasts())
			p.requireLeaves(mine.press("everywhere"))
		})
	}
}

// A store that cannot list is an outage for everybody, and the log says what is missing.
func TestSessionsPageOfAStoreThatCannotList(t *testing.T) {
	c := newCore(t) // whose store hides what the memory store can do
	logger, log := logTo()
	page, err := httpadapter.NewSessionsPage(httpadapter.SessionsPageConfig{Sessions: c.sessions, Logger: logger})
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, call(page, http.MethodGet, "/sessions", "Cookie", cookieOf(c.session(t, "jane@example.com"))).Code)
	require.Contains(t, log.String(), "magiclink.Lister")
}

// A panic of the application's function is an outage.
func TestSessionsPageDescribePanics(t *testing.T) {
	p := newPeople(t, func(c *httpadapter.SessionsPageConfig) {
		c.Describe = func(*http.Request, magiclink.Session) string { panic(canaryText) }
	})
	got := p.signIn(jane).look()
	p.requireUntouched(http.StatusServiceUnavailable, got)
	require.NotContains(t, got.body+p.log.String(), canaryText)
}
