package magiclink_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestSessionsListAndEndAll(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t), func(c *magiclink.Config) { c.SessionRecheck = time.Minute })
			var tokens []string
			var want []magiclink.Session
			for range 3 {
				token, session := f.granted(t)
				tokens, want = append(tokens, token), append([]magiclink.Session{session}, want...)
				_, err := f.sessions.Verify(t.Context(), token) // and remembers it
				require.NoError(t, err)
			}
			unused, _ := f.link(t, fullInput)
			john := fullInput
			john.Email = "john@example.com"
			johns, _ := f.link(t, john)

			subject := want[0].Subject
			list, err := f.sessions.List(t.Context(), subject)
			require.NoError(t, err)
			require.Equal(t, want, list)
			list, err = f.sessions.List(t.Context(), magiclink.Subject{TenantID: subject.TenantID, Email: "jane@EXAMPLE.com"})
			require.NoError(t, err)
			require.Equal(t, want, list, "in every business")
			require.NoError(t, f.sessions.End(t.Context(), want[1]))
			list, err = f.sessions.List(t.Context(), subject)
			require.NoError(t, err)
			require.Equal(t, []magiclink.Session{want[0], want[2]}, list)

			n, err := f.sessions.EndAll(t.Context(), subject)
			require.NoError(t, err)
			require.Equal(t, 3, n, "two sessions and a link")
			require.Equal(t, magiclink.Event{Op: magiclink.OpEndAll, At: noon, TenantID: "tenant-1", BusinessID: businessA, Count: 3}, f.told.last(t))
			for _, token := range tokens {
				_, err = f.sessions.Verify(t.Context(), token)
				require.ErrorIs(t, err, magiclink.ErrInvalidToken, "at once, in spite of SessionRecheck")
			}
			_, err = f.Redeem(t.Context(), unused)
			require.ErrorIs(t, err, magiclink.ErrRevoked)
			_, err = f.Redeem(t.Context(), johns)
			require.NoError(t, err)
		})
	}
}

// A session that Verify does not accept any more is not listed, to the second.
func TestSessionsListAtTheEnd(t *testing.T) {
	f := newFixture(t)
	_, session := f.granted(t)
	for after, want := range map[time.Duration]int{-time.Nanosecond: 1, 0: 0} {
		f.clock.set(session.ExpiresAt.Add(after))
		list, err := f.sessions.List(t.Context(), session.Subject)
		require.NoError(t, err)
		require.Len(t, list, want)
	}
}

func TestSessionsOfNobody(t *testing.T) {
	f := newFixture(t)
	_, session := f.granted(t)
	nobody := session.Subject
	nobody.Email = ""
	_, err := f.sessions.List(t.Context(), nobody)
	require.ErrorContains(t, err, "names no person")
	_, err = f.sessions.EndAll(t.Context(), nobody)
	require.ErrorContains(t, err, "names no person")
	list, err := f.sessions.List(t.Context(), session.Subject)
	require.NoError(t, err)
	require.Len(t, list, 1, "the control")

	storeless := newFixture(t).config
	storeless.Store = nil
	sessions, err := magiclink.NewSessions(storeless)
	require.NoError(t, err)
	_, err = sessions.List(t.Context(), session.Subject)
	require.Equal(t, magiclink.ErrNoStore, err)
	_, err = sessions.EndAll(t.Context(), session.Subject)
	require.Equal(t, magiclink.ErrNoStore, err)
}
