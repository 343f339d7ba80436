package httpadapter_test

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// Of sixteen that post the form of one link and call the JSON route with it at once, one gets a session.
func TestRaceOverHTTP(t *testing.T) {
	const racers = 16
	rounds := 500
	if testing.Short() {
		rounds = 50
	}
	s := newSite(t)
	sessions := map[string]bool{}
	for range rounds {
		link, id := s.link(create)
		b := s.browser()
		shown := b.get(link)
		f := shown.form(t)
		jar, err := cookiejar.New(nil) // which forgets nothing
		require.NoError(t, err)
		b.client.Jar = jar
		cookie := formCookie + "=" + shown.cookie(formCookie).Value
		body := `{"token":"` + tokenOf(t, link) + `"}`

		var won, lost atomic.Int32
		answers := make(chan view, racers)
		start := make(chan struct{})
		var done sync.WaitGroup
		for n := range racers {
			done.Go(func() {
				<-start
				var got view
				if n%2 == 0 {
					got = b.post(f, "Cookie", cookie)
				} else {
					got = b.redeemJSON(body)
				}
				switch got.status {
				case http.StatusSeeOther, http.StatusOK:
					won.Add(1)
					answers <- got
				case http.StatusGone:
					lost.Add(1)
				}
			})
		}
		close(start)
		done.Wait()
		require.EqualValues(t, 1, won.Load())
		require.EqualValues(t, racers-1, lost.Load())
		got := <-answers
		token := ""
		if got.status == http.StatusOK {
			token, _ = got.data(t)["session_token"].(string)
		} else {
			token = got.cookie(httpadapter.SessionCookie).Value
		}
		session, err := s.sessions.Verify(token)
		require.NoError(t, err)
		require.Equal(t, id, session.MagicLinkID)
		sessions[session.ID] = true
	}
	require.Len(t, sessions, rounds)
	require.Len(t, s.events, rounds*racers)
	require.Empty(t, s.log.String())
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
