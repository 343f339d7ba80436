package httpadapter_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// What an application does for a signed-in person is done by the session of this person.
func TestRequireSessionNamesTheActor(t *testing.T) {
	var actors []string
	c := newCore(t, func(c *magiclink.Config) {
		c.Store = memory.New()
		c.OnEvent = func(_ context.Context, event magiclink.Event) { actors = append(actors, event.Actor) }
	})
	token := c.session(t, "jane@example.com")
	session, err := c.sessions.Verify(t.Context(), token)
	require.NoError(t, err)
	handler := httpadapter.RequireSession(c.sessions, httpadapter.RequireOptions{Optional: true})(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, err := c.sessions.List(r.Context(), magiclink.Subject{Email: "jane@example.com"})
			require.NoError(t, err)
		}))
	actors = nil
	call(handler, "GET", "/", "Authorization", "Bearer "+token)
	call(handler, "GET", "/")
	require.Equal(t, []string{"session:" + session.ID, ""}, actors)
}

// The session that a sign-in replaces has ended itself.
func TestSignInThatReplacesASessionNamesTheActor(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	first, firstID := s.link(create)
	second, _ := s.link(create)
	b.post(b.get(first).form(t))
	s.mu.Lock()
	s.ended = nil
	s.mu.Unlock()
	require.Equal(t, http.StatusSeeOther, b.post(b.get(second).form(t)).status)
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Len(t, s.ended, 1)
	require.Equal(t, firstID, s.ended[0].LinkID)
	require.Equal(t, "session:ses_"+firstID[len("mlk_"):], s.ended[0].Actor)
}
