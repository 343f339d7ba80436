package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// Each state of a record has its verdict, and where several hold the first of revoked, used, expired is told.
func TestVerdicts(t *testing.T) {
	end := noon.Truncate(time.Second).Add(time.Minute)
	for name, open := range stores {
		for _, test := range []struct {
			name                   string
			revoked, used, expired bool
			want                   error
		}{
			{"live", false, false, false, nil},
			{"expired", false, false, true, magiclink.ErrExpired},
			{"used", false, true, false, magiclink.ErrConsumed},
			{"used and expired", false, true, true, magiclink.ErrConsumed},
			{"revoked", true, false, false, magiclink.ErrRevoked},
			{"revoked and expired", true, false, true, magiclink.ErrRevoked},
			{"revoked and used", true, true, false, magiclink.ErrRevoked},
			{"all", true, true, true, magiclink.ErrRevoked},
		} {
			t.Run(name+" "+test.name, func(t *testing.T) {
				f := newRedeeming(t, open(t))
				f.store.create = func(record *magiclink.Record) {
					record.ExpiresAt = end // before the token's, so that it is the record that is judged
					if test.revoked {
						record.RevokedAt = noon
					}
					if test.used {
						record.ConsumedAt = noon
					}
				}
				token, _ := f.link(t, fullInput)
				if test.expired {
					f.at(end)
				}
				seen, err := f.Inspect(t.Context(), token)
				require.Equal(t, test.want, err, "the bare error")
				require.Equal(t, test.want != nil, seen == magiclink.Redemption{})
				redeemed, err := f.Redeem(t.Context(), token)
				require.Equal(t, test.want, err)
				require.Equal(t, test.want != nil, redeemed == magiclink.Redemption{})
			})
		}
	}
}

func TestVerdictsAreDistinct(t *testing.T) {
	verdicts := []error{
		magiclink.ErrConsumed, magiclink.ErrRevoked, magiclink.ErrExpired, magiclink.ErrInvalid, magiclink.ErrUnavailable,
		magiclink.ErrNotFound, magiclink.ErrUnknownOutcome,
	}
	for i, one := range verdicts {
		for k, other := range verdicts {
			require.Equal(t, i == k, errors.Is(one, other))
		}
	}
}

func TestRedeemRevoked(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newRedeeming(t, open(t))
			token, id := f.link(t, fullInput)
			require.NoError(t, f.Revoke(t.Context(), "tenant-1", id))
			_, err := f.Redeem(t.Context(), token)
			require.Equal(t, magiclink.ErrRevoked, err)
			used, id := f.link(t, fullInput)
			_, err = f.Redeem(t.Context(), used)
			require.NoError(t, err)
			require.NoError(t, f.Revoke(t.Context(), "tenant-1", id))
			_, err = f.Redeem(t.Context(), used)
			require.Equal(t, magiclink.ErrRevoked, err)
		})
	}
}

// A store may forget what has expired, and a link that it does not have is as good as forged.
func TestRedeemWhatTheStoreHasForgotten(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newRedeeming(t, open(t), func(c *magiclink.RedeemerConfig) { c.Leeway = time.Minute })
			token, _ := f.link(t, fullInput)
			f.at(noon.Add(10*time.Minute + 30*time.Second))
			_, err := f.Inspect(t.Context(), token)
			require.NoError(t, err, "the control: within the leeway it lives")
			removed, err := f.store.Purge(t.Context(), f.clock.Now(), 10)
			require.NoError(t, err)
			require.Equal(t, 1, removed)
			_, err = f.Inspect(t.Context(), token)
			require.Equal(t, magiclink.ErrInvalid, err)
			_, err = f.Redeem(t.Context(), token)
			require.Equal(t, magiclink.ErrInvalid, err)
		})
	}
}

// Whatever ails the store, nobody is let in, the cause can be found, and the link works afterwards.
func TestRedeemWithBrokenStore(t *testing.T) {
	outage := errors.New("outage")
	for name, cause := range map[string]error{
		"outage": outage, "deadline": context.DeadlineExceeded, "taken id": magiclink.ErrExists,
		"wrapped": fmt.Errorf("x: %w", outage), "unknown outcome": magiclink.ErrUnknownOutcome,
		"unavailable": magiclink.ErrUnavailable,
	} {
		t.Run(name, func(t *testing.T) {
			f := newRedeeming(t, memory.New())
			token, _ := f.link(t, fullInput)
			f.store.before = func(context.Context) error { return cause }
			for range 2 {
				redeemed, err := f.Redeem(t.Context(), token)
				require.ErrorIs(t, err, magiclink.ErrUnavailable)
				require.ErrorIs(t, err, cause)
				require.Zero(t, redeemed)
				seen, err := f.Inspect(t.Context(), token)
				require.ErrorIs(t, err, magiclink.ErrUnavailable)
				require.ErrorIs(t, err, cause)
				require.Zero(t, seen)
			}
			f.store.before = nil
			_, err := f.Redeem(t.Context(), token)
			require.NoError(t, err, "the link is still usable")
		})
	}
}

// After an unknown outcome the link may be used up, but nobody was let in: not then and not later.
func TestRedeemWithUnknownOutcome(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newRedeeming(t, open(t))
			token, _ := f.link(t, fullInput)
			f.store.used = func(record magiclink.Record, err error) (magiclink.Record, error) {
				require.NoError(t, err)
				return record, fmt.Errorf("%w: the connection is gone", magiclink.ErrUnknownOutcome) // and the record beside it
			}
			redeemed, err := f.Redeem(t.Context(), token)
			require.ErrorIs(t, err, magiclink.ErrUnavailable)
			require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
			require.Zero(t, redeemed)
			f.store.used = nil
			redeemed, err = f.Redeem(t.Context(), token)
			require.Equal(t, magiclink.ErrConsumed, err)
			require.Zero(t, redeemed)
		})
	}
}

func TestRedeemWithCancelledContext(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newRedeeming(t, open(t))
			token, _ := f.link(t, fullInput)
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			for _, redeem := range []func(context.Context, string) (magiclink.Redemption, error){f.Inspect, f.Redeem} {
				redeemed, err := redeem(ended, token)
				require.ErrorIs(t, err, magiclink.ErrUnavailable)
				require.ErrorIs(t, err, context.Canceled)
				require.Zero(t, redeemed)
			}
			require.Zero(t, f.store.calls())
			_, err := f.Redeem(t.Context(), token)
			require.NoError(t, err)
		})
	}
}

// A store that hangs is waited for until the context ends.
func TestRedeemWithHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newRedeeming(t, memory.New())
		token, _ := f.link(t, fullInput)
		f.store.before = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		redeemed, err := f.Redeem(ctx, token)
		require.ErrorIs(t, err, magiclink.ErrUnavailable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, redeemed)
		require.Equal(t, 3*time.Second, time.Since(start))
	})
}

// What was not made by its constructor lets nobody in, and does not panic.
func TestRedeemerAndSessionsNotMade(t *testing.T) {
	f := newRedeeming(t, memory.New())
	token, _ := f.link(t, fullInput)
	redeemed, err := f.Redeem(t.Context(), token)
	require.NoError(t, err)
	session, _, err := f.sessions.Grant(redeemed)
	require.NoError(t, err)

	for name, redeemer := range map[string]*magiclink.Redeemer{"zero": {}, "nil": nil} {
		t.Run("Redeemer "+name, func(t *testing.T) {
			for _, redeem := range []func(context.Context, string) (magiclink.Redemption, error){redeemer.Inspect, redeemer.Redeem} {
				got, err := redeem(t.Context(), token)
				require.ErrorContains(t, err, "NewRedeemer")
				require.Zero(t, got)
			}
			require.NotPanics(t, func() { require.Empty(t, redeemer.BaseURL()) })
			require.NotPanics(t, func() { _ = redeemer.Destination(redeemed) })
		})
	}
	for name, sessions := range map[string]*magiclink.Sessions{"zero": {}, "nil": nil} {
		t.Run("Sessions "+name, func(t *testing.T) {
			token, granted, err := sessions.Grant(redeemed)
			require.Error(t, err)
			require.Empty(t, token)
			require.Zero(t, granted)
			verified, err := sessions.Verify(session)
			require.ErrorIs(t, err, magiclink.ErrInvalid)
			require.Zero(t, verified)
		})
	}
}
