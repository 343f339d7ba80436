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
)

// Looking at a link leaves no trace: the record is what it was, in every field, and the link can be redeemed.
func TestInspectChangesNothing(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			token, id := f.link(t, fullInput)
			before := f.record(t, id)
			f.told.events = nil
			for n := range 50 {
				f.clock.set(noon.Add(time.Duration(n) * time.Second))
				_, err := f.Inspect(t.Context(), token)
				require.NoError(t, err)
			}
			require.True(t, before == f.record(t, id))
			require.Zero(t, f.store.consumes.Load())
			require.Empty(t, f.told.events, "looking is no event")

			_, err := f.Redeem(t.Context(), token)
			require.NoError(t, err)
			require.False(t, before == f.record(t, id), "the control: using it shows")
		})
	}
}

func TestRedeemOnce(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			in := fullInput
			in.Extension = "e\x00\xff"
			token, id := f.link(t, in)
			want := magiclink.Redemption{
				MagicLinkID: id,
				Subject: magiclink.Subject{
					TenantID: "tenant-1", BusinessID: businessA, ExternalBusinessID: "shop-7", Email: "jane@example.com",
				},
				Path: "/reports?y=1#top", SessionTimeout: time.Hour, Extension: "e\x00\xff",
				IssuedAt:  noon.Truncate(time.Millisecond),
				ExpiresAt: noon.Truncate(time.Second).Add(10 * time.Minute),
			}
			seen, err := f.Inspect(t.Context(), token)
			require.NoError(t, err)
			require.Equal(t, want, seen)

			later := noon.Add(90*time.Second + 1500*time.Microsecond)
			f.clock.set(later.In(time.FixedZone("far", 13*60*60)))
			redeemed, err := f.Redeem(t.Context(), token)
			require.NoError(t, err)
			want.RedeemedAt = later.Truncate(time.Millisecond)
			require.Equal(t, want, redeemed)
			require.Equal(t, origin+"/reports?y=1#top", f.Destination(redeemed))

			require.Equal(t, redeemed.RedeemedAt, f.record(t, id).ConsumedAt, "it says what the store says")

			want.RedeemedAt = time.Time{} // what Inspect returns can be granted by nobody
			for range 3 {
				again, err := f.Redeem(t.Context(), token)
				require.ErrorIs(t, err, magiclink.ErrConsumed)
				require.Zero(t, again)
				seen, err := f.Inspect(t.Context(), token)
				require.ErrorIs(t, err, magiclink.ErrConsumed)
				require.Equal(t, want, seen, "whose link it was, for the person that its session belongs to")
			}
		})
	}
}

func TestRedeemWithoutOptionalFields(t *testing.T) {
	f := newFixture(t)
	token, id := f.link(t, magiclink.MagicLinkCreate{BusinessID: businessA})
	redeemed, err := f.Redeem(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, magiclink.Redemption{
		MagicLinkID: id, Subject: magiclink.Subject{BusinessID: businessA}, SessionTimeout: 24 * time.Hour,
		IssuedAt:  noon.Truncate(time.Millisecond),
		ExpiresAt: noon.Truncate(time.Second).Add(5 * time.Minute), RedeemedAt: noon.Truncate(time.Millisecond),
	}, redeemed)
	require.Equal(t, origin+"/", f.Destination(redeemed))
}

// With a clock that runs behind the issuer's by the leeway or less a link is used up at the time at which it was used: that
// is what an audit reads.
func TestLeewayDoesNotShiftTheTimeOfUse(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.Leeway = time.Minute })
	token, id := f.link(t, fullInput)
	redeemed, err := f.Redeem(t.Context(), token)
	require.NoError(t, err)
	record := f.record(t, id)
	require.Equal(t, redeemed.RedeemedAt, record.ConsumedAt)
	require.False(t, record.ConsumedAt.Before(record.CreatedAt), "nothing is used before it is there")
}

// The end of a link is exact to the nanosecond of our clock; leeway moves it away from us, never towards us.
func TestRedeemExpiry(t *testing.T) {
	for _, leeway := range []time.Duration{0, time.Second, time.Minute} {
		for name, open := range stores {
			for offset, alive := range map[time.Duration]bool{
				-leeway - time.Second: true, -time.Second: true, -1: true, 0: false, 1: false, time.Second: false,
			} {
				t.Run(fmt.Sprint(name, leeway, offset), func(t *testing.T) {
					f := newFixtureOn(t, open(t), func(c *magiclink.Config) { c.Leeway = leeway })
					token, _ := f.link(t, fullInput)
					f.clock.set(noon.Truncate(time.Second).Add(10*time.Minute + leeway + offset))
					for _, redeem := range []func() error{
						func() error { _, err := f.Inspect(t.Context(), token); return err },
						func() error { _, err := f.Redeem(t.Context(), token); return err },
					} {
						if alive {
							require.NoError(t, redeem())
						} else {
							require.Equal(t, magiclink.ErrExpired, redeem())
						}
					}
				})
			}
		}
	}
}

// The record may end before the token says so, and counts then, with the same leeway.
func TestRedeemExpiryOfTheRecord(t *testing.T) {
	end := noon.Truncate(time.Second).Add(time.Minute)
	for _, leeway := range []time.Duration{0, time.Minute} {
		for name, open := range stores {
			t.Run(fmt.Sprint(name, leeway), func(t *testing.T) {
				f := newFixtureOn(t, open(t), func(c *magiclink.Config) { c.Leeway = leeway })
				f.store.create = func(record *magiclink.Record) { record.ExpiresAt = end }
				token, _ := f.link(t, fullInput)
				f.clock.set(end) // the leeway is for the clock of the token, and a record expires with its token
				_, err := f.Inspect(t.Context(), token)
				require.Equal(t, magiclink.ErrExpired, err)
				_, err = f.Redeem(t.Context(), token)
				require.Equal(t, magiclink.ErrExpired, err)
				f.clock.set(end.Add(-time.Millisecond))
				_, err = f.Inspect(t.Context(), token)
				require.NoError(t, err)
				_, err = f.Redeem(t.Context(), token)
				require.NoError(t, err)
			})
		}
	}
}

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
				f := newFixtureOn(t, open(t))
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
					f.clock.set(end)
				}
				seen, err := f.Inspect(t.Context(), token)
				require.Equal(t, test.want, err, "the bare error")
				require.Equal(t, test.want == nil || errors.Is(test.want, magiclink.ErrConsumed), seen != magiclink.Redemption{})
				redeemed, err := f.Redeem(t.Context(), token)
				require.Equal(t, test.want, err)
				require.Equal(t, test.want != nil, redeemed == magiclink.Redemption{})
			})
		}
	}
}

func TestVerdictsAreDistinct(t *testing.T) {
	verdicts := []error{
		magiclink.ErrConsumed, magiclink.ErrRevoked, magiclink.ErrExpired, magiclink.ErrInvalidToken, magiclink.ErrUnavailable,
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
			f := newFixtureOn(t, open(t))
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
			f := newFixtureOn(t, open(t), func(c *magiclink.Config) { c.Leeway = time.Minute })
			token, _ := f.link(t, fullInput)
			f.clock.set(noon.Add(10*time.Minute + 30*time.Second))
			_, err := f.Inspect(t.Context(), token)
			require.NoError(t, err, "the control: within the leeway it lives")
			removed, err := f.store.Purge(t.Context(), f.clock.Now(), 10)
			require.NoError(t, err)
			require.Equal(t, 1, removed)
			_, err = f.Inspect(t.Context(), token)
			require.Equal(t, magiclink.ErrInvalidToken, err)
			_, err = f.Redeem(t.Context(), token)
			require.Equal(t, magiclink.ErrInvalidToken, err)
		})
	}
}

// When the store fails, nobody is let in, the error matches the cause, and the link works afterwards.
func TestRedeemWithBrokenStore(t *testing.T) {
	outage := errors.New("outage")
	for name, cause := range map[string]error{
		"outage": outage, "deadline": context.DeadlineExceeded, "taken id": magiclink.ErrExists,
		"wrapped": fmt.Errorf("x: %w", outage), "unknown outcome": magiclink.ErrUnknownOutcome,
		"unavailable": magiclink.ErrUnavailable,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
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
			f := newFixtureOn(t, open(t))
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
			f := newFixtureOn(t, open(t))
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
		f := newFixture(t)
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
