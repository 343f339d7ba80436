package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// The record of a redeemed link is the session: its id is the link's, and nothing else is stored.
func TestSessionIsTheRecord(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			redeemed := f.redeemed(t)
			before := f.record(t, redeemed.MagicLinkID)
			token, granted, err := f.sessions.Grant(t.Context(), redeemed)
			require.NoError(t, err)
			require.Equal(t, "ses_"+redeemed.MagicLinkID[4:], granted.ID)
			require.Equal(t, redeemed.MagicLinkID, granted.MagicLinkID)
			require.Equal(t, redeemed.Subject, granted.Subject)
			verified, err := f.sessions.Verify(t.Context(), token)
			require.NoError(t, err)
			require.Equal(t, granted, verified)
			require.True(t, before == f.record(t, redeemed.MagicLinkID), "granting and verifying write nothing")

			again, same, err := f.sessions.Grant(t.Context(), redeemed)
			require.NoError(t, err)
			require.Equal(t, token, again)
			require.Equal(t, granted, same)
		})
	}
}

// An ended session is ended for every copy of its token and everywhere, for every process that asks the Store.
func TestEndSession(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			elsewhere, err := magiclink.NewSessions(f.config)
			require.NoError(t, err)
			token, session := f.granted(t)
			other, _ := f.granted(t)
			for _, sessions := range []*magiclink.Sessions{f.sessions, elsewhere} {
				_, err := sessions.Verify(t.Context(), token)
				require.NoError(t, err, "the control")
			}
			for range 3 {
				require.NoError(t, f.sessions.End(t.Context(), session), "ending again succeeds")
				for _, sessions := range []*magiclink.Sessions{f.sessions, elsewhere} {
					verified, err := sessions.Verify(t.Context(), token)
					require.Equal(t, magiclink.ErrInvalidToken, err, "the bare error: it says no more")
					require.Zero(t, verified)
					_, err = sessions.Verify(t.Context(), other)
					require.NoError(t, err, "another session lasts")
				}
			}
			require.False(t, f.record(t, session.MagicLinkID).RevokedAt.IsZero())
		})
	}
}

// Revoking a link ends the session that came from it, and a session that was ended leaves a link that was revoked.
func TestRevokedLinkEndsItsSession(t *testing.T) {
	f := newFixture(t)
	token, session := f.granted(t)
	require.NoError(t, f.Revoke(t.Context(), "tenant-1", session.MagicLinkID))
	_, err := f.sessions.Verify(t.Context(), token)
	require.Equal(t, magiclink.ErrInvalidToken, err)

	link, _ := f.link(t, fullInput)
	redeemed, err := f.Redeem(t.Context(), link)
	require.NoError(t, err)
	_, session, err = f.sessions.Grant(t.Context(), redeemed)
	require.NoError(t, err)
	require.NoError(t, f.sessions.End(t.Context(), session))
	_, err = f.Inspect(t.Context(), link)
	require.Equal(t, magiclink.ErrRevoked, err)
}

// A session lasts only if its record is there, was used and was not revoked.
func TestVerifyAsksTheRecord(t *testing.T) {
	f := newFixture(t)
	token, session := f.granted(t)
	good := f.record(t, session.MagicLinkID)
	for name, test := range map[string]struct {
		change func(*magiclink.Record)
		ok     bool
	}{
		"as it is":       {func(*magiclink.Record) {}, true},
		"expired link":   {func(r *magiclink.Record) { r.ExpiresAt = noon.Add(-time.Hour) }, true},
		"unused":         {func(r *magiclink.Record) { r.ConsumedAt = time.Time{} }, false},
		"revoked":        {func(r *magiclink.Record) { r.RevokedAt = noon }, false},
		"revoked later":  {func(r *magiclink.Record) { r.RevokedAt = noon.AddDate(1, 0, 0) }, false},
		"another record": {func(r *magiclink.Record) { r.ID = "mlk_2kPn8QxYw2TzB4vR7sHd3e" }, false},
		"zero":           {func(r *magiclink.Record) { *r = magiclink.Record{} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			f.store.got = func(magiclink.Record, error) (magiclink.Record, error) {
				record := good
				test.change(&record)
				return record, nil
			}
			verified, err := f.sessions.Verify(t.Context(), token)
			if test.ok {
				require.NoError(t, err)
				require.Equal(t, session, verified)
				return
			}
			require.Equal(t, magiclink.ErrInvalidToken, err)
			require.Zero(t, verified)
		})
	}
}

// A record is kept as long as its session lasts. Without it there is no session.
func TestVerifyAfterPurge(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			token, session := f.granted(t)
			f.clock.set(noon.Add(59 * time.Minute))
			_, err := f.store.Purge(t.Context(), f.clock.Now(), 1000)
			require.NoError(t, err)
			_, err = f.sessions.Verify(t.Context(), token)
			require.NoError(t, err, "the link expired long ago, and its session lasts")

			removed, err := f.store.Purge(t.Context(), noon.Add(2*time.Hour), 1000)
			require.NoError(t, err)
			require.Equal(t, 1, removed)
			verified, err := f.sessions.Verify(t.Context(), token)
			require.Equal(t, magiclink.ErrInvalidToken, err)
			require.Zero(t, verified)
			require.NoError(t, f.sessions.End(t.Context(), session), "what is gone has ended")
		})
	}
}

// While the store is out nobody knows whether the session lasts, so nobody is let in.
func TestSessionsWithBrokenStore(t *testing.T) {
	outage := errors.New("outage")
	for name, cause := range map[string]error{
		"outage": outage, "deadline": context.DeadlineExceeded, "wrapped": fmt.Errorf("x: %w", outage), "exists": magiclink.ErrExists,
		"unknown outcome": magiclink.ErrUnknownOutcome, "consumed": magiclink.ErrConsumed, "invalid": magiclink.ErrInvalidToken,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *magiclink.Config) { c.SessionRecheck = time.Minute })
			token, session := f.granted(t)
			f.store.before = failing(cause)
			for range 2 {
				verified, err := f.sessions.Verify(t.Context(), token)
				require.ErrorIs(t, err, magiclink.ErrUnavailable)
				require.ErrorIs(t, err, cause)
				require.Zero(t, verified)
				err = f.sessions.End(t.Context(), session)
				require.ErrorIs(t, err, magiclink.ErrUnavailable)
				require.ErrorIs(t, err, cause)
			}
			f.store.before = nil
			_, err := f.sessions.Verify(t.Context(), token)
			require.NoError(t, err, "the control: it lasts")
		})
	}
}

func TestSessionsWithCancelledContext(t *testing.T) {
	f := newFixture(t)
	token, session := f.granted(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	before := f.store.calls()
	verified, err := f.sessions.Verify(ended, token)
	require.ErrorIs(t, err, magiclink.ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, verified)
	require.ErrorIs(t, f.sessions.End(ended, session), magiclink.ErrUnavailable)
	require.Equal(t, before, f.store.calls())
	_, err = f.sessions.Verify(t.Context(), token)
	require.NoError(t, err)
}

// A token that is no session of ours is not looked up.
func TestVerifyOfInvalidTokensReachesNoStore(t *testing.T) {
	f := newFixture(t)
	token, _ := f.granted(t)
	before := f.store.calls()
	link, _ := f.link(t, fullInput)
	for _, bad := range []string{"", "x", token + "x", link} {
		_, err := f.sessions.Verify(t.Context(), bad)
		require.Equal(t, magiclink.ErrInvalidToken, err)
	}
	f.clock.set(noon.Add(time.Hour))
	_, err := f.sessions.Verify(t.Context(), token)
	require.Equal(t, magiclink.ErrInvalidToken, err, "expired")
	require.Equal(t, before, f.store.calls())
}

// SessionRecheck bounds how often the store is asked about one session, exact to the nanosecond of our clock.
func TestSessionRecheck(t *testing.T) {
	const recheck = time.Minute
	f := newFixture(t, func(c *magiclink.Config) { c.SessionRecheck = recheck })
	token, _ := f.granted(t)
	other, _ := f.granted(t)
	looks := func(token string, at time.Time) int64 {
		f.clock.set(at)
		before := f.store.gets.Load()
		_, err := f.sessions.Verify(t.Context(), token)
		require.NoError(t, err)
		return f.store.gets.Load() - before
	}
	require.EqualValues(t, 1, looks(token, noon))
	require.EqualValues(t, 0, looks(token, noon))
	require.EqualValues(t, 0, looks(token, noon.Add(recheck-1)))
	require.EqualValues(t, 1, looks(other, noon.Add(recheck-1)), "each session has its own look")
	require.EqualValues(t, 1, looks(token, noon.Add(recheck)))
	require.EqualValues(t, 0, looks(token, noon.Add(2*recheck-1)), "and counts from the newest look")
	require.EqualValues(t, 1, looks(token, noon.Add(2*recheck)))

	require.EqualValues(t, 1, looks(token, noon.Add(2*recheck-1)), "a clock that was set back makes the look worthless")
	require.EqualValues(t, 0, looks(token, noon.Add(2*recheck-1)))

	each := newFixture(t)
	token, _ = each.granted(t)
	for range 3 {
		before := each.store.gets.Load()
		_, err := each.sessions.Verify(t.Context(), token)
		require.NoError(t, err)
		require.EqualValues(t, 1, each.store.gets.Load()-before, "zero: it looks each time")
	}
}

// Where SessionRecheck is set, a session that was ended elsewhere may last for that much longer, and no longer. Where it was
// ended it is over at once.
func TestEndWithSessionRecheck(t *testing.T) {
	const recheck = time.Minute
	f := newFixture(t, func(c *magiclink.Config) { c.SessionRecheck = recheck })
	elsewhere, err := magiclink.NewSessions(f.config)
	require.NoError(t, err)
	token, session := f.granted(t)
	for _, sessions := range []*magiclink.Sessions{f.sessions, elsewhere} {
		_, err := sessions.Verify(t.Context(), token)
		require.NoError(t, err)
	}
	require.NoError(t, f.sessions.End(t.Context(), session))
	_, err = f.sessions.Verify(t.Context(), token)
	require.Equal(t, magiclink.ErrInvalidToken, err, "here at once")

	f.clock.set(noon.Add(recheck - 1))
	_, err = elsewhere.Verify(t.Context(), token)
	require.NoError(t, err)
	f.clock.set(noon.Add(recheck))
	for range 2 {
		_, err = elsewhere.Verify(t.Context(), token)
		require.Equal(t, magiclink.ErrInvalidToken, err, "an end is never forgotten")
	}
}

// A look that still counts does not extend a session.
func TestSessionRecheckLongerThanTheSession(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.SessionRecheck = 24 * time.Hour })
	token, session := f.granted(t)
	_, err := f.sessions.Verify(t.Context(), token)
	require.NoError(t, err)
	f.clock.set(session.ExpiresAt)
	_, err = f.sessions.Verify(t.Context(), token)
	require.Equal(t, magiclink.ErrInvalidToken, err)
}

// More sessions than are remembered cost looks, and nothing else.
func TestSessionRecheckOfManySessions(t *testing.T) {
	const many = 3 * 16384
	f := newFixtureOn(t, everyRecord{memory.New()}, func(c *magiclink.Config) {
		c.SessionRecheck, c.OnEvent, c.Keys = time.Hour, nil, generate(t, magiclink.HS256)
	})
	tokens := make([]string, many)
	for n := range tokens {
		redeemed := redemption()
		redeemed.MagicLinkID = "mlk_" + magiclink.NewBusinessID(noon)[4:]
		var err error
		tokens[n], _, err = f.sessions.Grant(t.Context(), redeemed)
		require.NoError(t, err)
		_, err = f.sessions.Verify(t.Context(), tokens[n])
		require.NoError(t, err)
	}
	require.EqualValues(t, many, f.store.gets.Load())
	_, err := f.sessions.Verify(t.Context(), tokens[many-1])
	require.NoError(t, err)
	require.EqualValues(t, many, f.store.gets.Load(), "the newest is remembered")
	_, err = f.sessions.Verify(t.Context(), tokens[0])
	require.NoError(t, err)
	require.EqualValues(t, many+1, f.store.gets.Load(), "the oldest is not")
}

// everyRecord is a store that has every record, used.
type everyRecord struct{ magiclink.Store }

func (everyRecord) Get(_ context.Context, id string) (magiclink.Record, error) {
	return magiclink.Record{ID: id, ConsumedAt: noon}, nil
}

// Without a Store a session lasts until it expires, and says so when it has to be ended.
func TestSessionsWithoutStore(t *testing.T) {
	sessions, at := newSessions(t)
	token, granted, err := sessions.Grant(t.Context(), redemption())
	require.NoError(t, err)
	require.Equal(t, magiclink.ErrNoStore, sessions.End(t.Context(), granted))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = sessions.Verify(ended, token)
	require.NoError(t, err, "it lasts, and there is nothing to wait for")
	at.set(granted.ExpiresAt)
	_, err = sessions.Verify(t.Context(), token)
	require.Equal(t, magiclink.ErrInvalidToken, err)
}

// A Session that is put together from parts ends nothing.
func TestEndOfAnotherSession(t *testing.T) {
	f := newFixture(t)
	token, session := f.granted(t)
	for name, change := range map[string]func(*magiclink.Session){
		"zero":               func(s *magiclink.Session) { *s = magiclink.Session{} },
		"no id":              func(s *magiclink.Session) { s.ID = "" },
		"no link":            func(s *magiclink.Session) { s.MagicLinkID = "" },
		"id of another":      func(s *magiclink.Session) { s.ID = "ses_2kPn8QxYw2TzB4vR7sHd3e" },
		"link of another":    func(s *magiclink.Session) { s.MagicLinkID = "mlk_2kPn8QxYw2TzB4vR7sHd3e" },
		"id of the link":     func(s *magiclink.Session) { s.ID = s.MagicLinkID },
		"link of an id only": func(s *magiclink.Session) { s.MagicLinkID = s.ID },
	} {
		t.Run(name, func(t *testing.T) {
			bad := session
			change(&bad)
			require.ErrorContains(t, f.sessions.End(t.Context(), bad), "pass what Grant or Verify has returned")
			_, err := f.sessions.Verify(t.Context(), token)
			require.NoError(t, err)
		})
	}
	require.NoError(t, f.sessions.End(t.Context(), session), "the control")
}

// What Inspect returns signs nobody in: the link was not used.
func TestGrantOfWhatInspectReturned(t *testing.T) {
	f := newFixture(t)
	link, _ := f.link(t, fullInput)
	seen, err := f.Inspect(t.Context(), link)
	require.NoError(t, err)
	token, session, err := f.sessions.Grant(t.Context(), seen)
	require.ErrorContains(t, err, "pass what Redeem has returned")
	require.Empty(t, token)
	require.Zero(t, session)
	redeemed, err := f.Redeem(t.Context(), link)
	require.NoError(t, err)
	_, _, err = f.sessions.Grant(t.Context(), redeemed)
	require.NoError(t, err, "the control")
}

// A Verify that overlaps End does not make the session last for a SessionRecheck.
func TestVerifyThatOverlapsEnd(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.SessionRecheck = time.Hour })
	token, session := f.granted(t)
	f.store.got = func(record magiclink.Record, err error) (magiclink.Record, error) {
		f.store.got = nil
		require.NoError(t, f.sessions.End(context.Background(), session)) // after the look, before Verify has remembered it
		return record, err
	}
	_, err := f.sessions.Verify(t.Context(), token) // may still succeed: it began before
	require.NoError(t, err)
	_, err = f.sessions.Verify(t.Context(), token)
	require.Equal(t, magiclink.ErrInvalidToken, err, "ended here, so refused here at once")
}

// What Inspect returns with ErrConsumed cannot be granted by a caller that ignores the error.
func TestGrantOfAConsumedInspection(t *testing.T) {
	f := newFixture(t)
	token, _ := f.link(t, fullInput)
	_, err := f.Redeem(t.Context(), token)
	require.NoError(t, err)
	seen, err := f.Inspect(t.Context(), token)
	require.Equal(t, magiclink.ErrConsumed, err)
	cookie, _, err := f.sessions.Grant(t.Context(), seen)
	require.Error(t, err)
	require.Empty(t, cookie)
}

// A use in the Leeway is stored as the last moment of the link. A session shorter than the Leeway can be granted all the same.
func TestSessionOfALinkRedeemedInTheLeeway(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.Leeway = time.Minute })
	in := fullInput
	in.SessionTimeout = 10
	token, _ := f.link(t, in)
	f.clock.set(noon.Truncate(time.Second).Add(11*time.Minute - time.Millisecond))
	redeemed, err := f.Redeem(t.Context(), token)
	require.NoError(t, err)
	_, _, err = f.sessions.Grant(t.Context(), redeemed)
	require.NoError(t, err)
}
