package httpadapter_test

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// racers are how many act at once.
const racers = 16

func rounds() int {
	if testing.Short() {
		return 20
	}
	return 200
}

// atOnce lets the racers begin together and returns when all are done.
func atOnce(race func(n int)) {
	start := make(chan struct{})
	var done sync.WaitGroup
	for n := range racers {
		done.Go(func() {
			<-start
			race(n)
		})
	}
	close(start)
	done.Wait()
}

// Of browsers that post forms of one link and call the JSON route with it at once, one gets a session. The winner is one
// browser: it has posted its form twice, and both answers have the same session.
func TestRaceOverHTTP(t *testing.T) {
	s := newSite(t)
	sessions := map[string]bool{}
	for range rounds() {
		link, id := s.link(create)
		body := `{"token":"` + tokenOf(t, link) + `"}`
		type racer struct {
			browser *browser
			form    form
			cookie  string
		}
		all := make([]racer, racers/4) // each posts its form twice; the other half calls the JSON route
		for n := range all {
			b := s.browser()
			shown := b.get(link)
			all[n] = racer{b, shown.form(t), formCookie + "=" + shown.cookie(formCookie).Value}
		}
		answers := make([]view, racers)
		atOnce(func(n int) {
			if n%2 == 0 {
				of := all[n/4]
				answers[n] = s.browser().post(of.form, "Cookie", of.cookie)
			} else {
				answers[n] = s.browser().redeemJSON(body)
			}
		})
		won := map[int]int{} // by browser, or -1 for the JSON route
		for n, got := range answers {
			token := sessionTokenIn(t, got)
			switch token {
			case "":
				require.Equal(t, http.StatusGone, got.status)
			default:
				session, err := s.sessions.Verify(t.Context(), token)
				require.NoError(t, err)
				require.Equal(t, id, session.MagicLinkID)
				sessions[session.ID] = true
				if n%2 == 0 {
					won[n/4]++
				} else {
					won[-1]++
				}
			}
		}
		require.Len(t, won, 1, "one winner")
		for winner, times := range won {
			require.Equal(t, map[bool]int{true: 1, false: 2}[winner < 0], times, "both answers of the winner's form")
		}
	}
	require.Len(t, sessions, rounds())
	require.Empty(t, s.log.String())
}

// sessionTokenIn returns the session token of an answer, or "".
func sessionTokenIn(tb testing.TB, got view) string {
	tb.Helper()
	switch got.status {
	case http.StatusSeeOther:
		return got.cookie(httpadapter.SessionCookie).Value
	case http.StatusOK:
		token, _ := got.data(tb)["session_token"].(string)
		return token
	}
	return ""
}

// However often one browser sends one form at once, each answer signs it in, and the link is used once.
func TestRacingClicks(t *testing.T) {
	for name, admit := range map[string]func(*http.Request, magiclink.Redemption) error{
		"": nil, "with Admit": func(*http.Request, magiclink.Redemption) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *httpadapter.PageConfig) { c.Admit = admit })
			for range rounds() {
				link, id := s.link(create)
				b := s.browser()
				shown := b.get(link)
				f, cookie := shown.form(t), formCookie+"="+shown.cookie(formCookie).Value
				stranger := s.browser()
				strange := stranger.get(link).form(t)
				answers := make([]view, racers)
				atOnce(func(n int) { answers[n] = s.browser().post(f, "Cookie", cookie) })
				for _, got := range answers {
					require.Equal(t, http.StatusSeeOther, got.status)
					session, err := s.sessions.Verify(t.Context(), got.cookie(httpadapter.SessionCookie).Value)
					require.NoError(t, err)
					require.Equal(t, id, session.MagicLinkID)
				}
				require.Equal(t, http.StatusGone, stranger.post(strange).status)
			}
			require.Empty(t, s.log.String())
		})
	}
}

// An error after the commit never gives two sessions: of all that race, and of all that try again, at most one has won.
func TestRaceWithErrorsAfterTheCommit(t *testing.T) {
	s := newSite(t)
	var failures atomic.Int32
	s.store.set(nil, func() error {
		if failures.Add(1)%2 == 0 {
			return nil
		}
		return errors.Join(magiclink.ErrUnknownOutcome, errors.New("the connection is gone"))
	})
	granted := 0
	for range 50 {
		link, _ := s.link(create)
		body := `{"token":"` + tokenOf(t, link) + `"}`
		var won atomic.Int32
		var done sync.WaitGroup
		b := s.browser()
		for range 8 {
			done.Go(func() {
				for range 2 {
					if b.redeemJSON(body).status == http.StatusOK {
						won.Add(1)
					}
				}
			})
		}
		done.Wait()
		require.LessOrEqual(t, won.Load(), int32(1))
		granted += int(won.Load())
	}
	require.Equal(t, 25, granted, "the control: every other commit was told")
}
