package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// repeated is what a later call of RedeemBy with the same by returns.
func repeated(redeemed magiclink.Redemption) magiclink.Redemption {
	redeemed.Repeated = true
	return redeemed
}

// The same by gets the same Redemption again, and nobody else gets anything.
func TestRedeemBy(t *testing.T) {
	for name, open := range stores {
		for _, step := range []time.Duration{0, time.Millisecond, time.Second} { // a clock that stands still repeats, too
			t.Run(fmt.Sprint(name, " ", step), func(t *testing.T) {
				f := newFixtureOn(t, open(t))
				token, id := f.link(t, fullInput)
				first, err := f.RedeemBy(t.Context(), token, "by-1")
				require.NoError(t, err)
				require.Equal(t, id, first.MagicLinkID)
				require.False(t, first.Repeated)
				record := f.record(t, id)
				require.Equal(t, "by-1", record.ConsumedBy)
				for n := range 3 {
					f.clock.set(noon.Add(time.Duration(n) * step))
					again, err := f.RedeemBy(t.Context(), token, "by-1")
					require.NoError(t, err)
					require.Equal(t, repeated(first), again)
					for _, by := range []string{"by-2", "", "by-1 ", "by-", "BY-1"} {
						other, err := f.RedeemBy(t.Context(), token, by)
						require.Equal(t, magiclink.ErrConsumed, err, "by %q", by)
						require.Zero(t, other)
					}
					other, err := f.Redeem(t.Context(), token)
					require.Equal(t, magiclink.ErrConsumed, err)
					require.Zero(t, other)
				}
				require.True(t, record == f.record(t, id), "a repeated call changes nothing")
			})
		}
	}
}

// With an empty by, and with Redeem, no call succeeds twice.
func TestRedeemByNobody(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			for _, first := range []func(context.Context, string) (magiclink.Redemption, error){
				f.Redeem,
				func(ctx context.Context, token string) (magiclink.Redemption, error) {
					return f.RedeemBy(ctx, token, "")
				},
			} {
				token, _ := f.link(t, fullInput)
				redeemed, err := first(t.Context(), token)
				require.NoError(t, err)
				require.False(t, redeemed.Repeated)
				for range 3 {
					_, err = f.RedeemBy(t.Context(), token, "")
					require.Equal(t, magiclink.ErrConsumed, err)
					_, err = f.Redeem(t.Context(), token)
					require.Equal(t, magiclink.ErrConsumed, err)
				}
			}
		})
	}
}

// Each Redeem has a by of its own, which nobody can guess.
func TestRedeemMakesAFreshBy(t *testing.T) {
	f := newFixture(t)
	seen := map[string]bool{}
	for range 100 {
		by := f.record(t, f.redeemed(t).MagicLinkID).ConsumedBy
		require.GreaterOrEqual(t, len(by), 26, "at least 128 random bits in base32")
		require.LessOrEqual(t, len(by), 64)
		seen[by] = true
	}
	require.Len(t, seen, 100)
}

// A malformed by changes nothing and reaches no store.
func TestRedeemByMalformed(t *testing.T) {
	f := newFixture(t)
	token, id := f.link(t, fullInput)
	before := f.record(t, id)
	for name, by := range map[string]string{
		"65 bytes": repeat("b", 65), "33 characters in 66 bytes": repeat("ü", 33), "not UTF-8": "\xff", "NUL": "a\x00", "line break": "a\nb",
		"C1 control": "a\u0085", "huge": repeat("b", 1<<20),
	} {
		redeemed, err := f.RedeemBy(t.Context(), token, by)
		require.ErrorContains(t, err, "by must be at most 64 bytes", name)
		require.Zero(t, redeemed)
	}
	require.Zero(t, f.store.calls())
	require.True(t, before == f.record(t, id))
	for _, by := range []string{repeat("b", 64), repeat("ü", 32), " ", "😀"} {
		token, id := f.link(t, fullInput)
		_, err := f.RedeemBy(t.Context(), token, by)
		require.NoError(t, err, "the control")
		require.Equal(t, by, f.record(t, id).ConsumedBy)
	}
}

// A repeated call succeeds until a minute after the link's expiry; a first one has to come before the expiry.
func TestRedeemByAfterExpiry(t *testing.T) {
	end := noon.Truncate(time.Second).Add(10 * time.Minute)
	for name, open := range stores {
		for offset, want := range map[time.Duration]error{
			-time.Second: nil, -1: nil, 0: nil, 1: nil, time.Second: nil, 59 * time.Second: nil,
			time.Minute: magiclink.ErrExpired, time.Minute + 1: magiclink.ErrExpired, time.Hour: magiclink.ErrExpired,
		} {
			t.Run(fmt.Sprint(name, " ", offset), func(t *testing.T) {
				f := newFixtureOn(t, open(t))
				token, _ := f.link(t, fullInput)
				unused, id := f.link(t, fullInput)
				f.clock.set(end.Add(-1))
				first, err := f.RedeemBy(t.Context(), token, "by-1")
				require.NoError(t, err)

				f.clock.set(end.Add(offset))
				again, err := f.RedeemBy(t.Context(), token, "by-1")
				require.Equal(t, want, err)
				if want == nil {
					require.Equal(t, repeated(first), again)
				} else {
					require.Zero(t, again)
				}
				other, err := f.RedeemBy(t.Context(), token, "by-2")
				require.Error(t, err, "nobody else")
				require.Zero(t, other)
				if offset >= 0 {
					_, err = f.RedeemBy(t.Context(), unused, "by-1")
					require.Equal(t, magiclink.ErrExpired, err)
					require.Zero(t, f.record(t, id).ConsumedAt)
				}
			})
		}
	}
}

// A link that was revoked after its use, which ends the session, is not repeated.
func TestRedeemByRevoked(t *testing.T) {
	for name, open := range stores {
		for _, at := range []time.Time{noon, noon.Truncate(time.Second).Add(10*time.Minute + 30*time.Second)} {
			t.Run(name+at.Format(" 15:04"), func(t *testing.T) {
				f := newFixtureOn(t, open(t))
				token, id := f.link(t, fullInput)
				_, err := f.RedeemBy(t.Context(), token, "by-1")
				require.NoError(t, err)
				f.clock.set(at)
				_, err = f.RedeemBy(t.Context(), token, "by-1")
				require.NoError(t, err, "the control")
				require.NoError(t, f.Revoke(t.Context(), "tenant-1", id))
				redeemed, err := f.RedeemBy(t.Context(), token, "by-1")
				require.Equal(t, magiclink.ErrRevoked, err)
				require.Zero(t, redeemed)
			})
		}
	}
}

// When the store fails, nobody is let in, and the call can be repeated.
func TestRedeemByWithBrokenStore(t *testing.T) {
	outage := errors.New("outage")
	f := newFixture(t)
	token, _ := f.link(t, fullInput)
	first, err := f.RedeemBy(t.Context(), token, "by-1")
	require.NoError(t, err)
	for _, at := range []time.Time{noon, noon.Add(10*time.Minute + 30*time.Second)} {
		f.clock.set(at)
		f.store.before = failing(outage)
		redeemed, err := f.RedeemBy(t.Context(), token, "by-1")
		require.ErrorIs(t, err, magiclink.ErrUnavailable)
		require.ErrorIs(t, err, outage)
		require.Zero(t, redeemed)
		f.store.before = nil
		again, err := f.RedeemBy(t.Context(), token, "by-1")
		require.NoError(t, err)
		require.Equal(t, repeated(first), again)
	}
	f.store.got = func(magiclink.Record, error) (magiclink.Record, error) {
		return magiclink.Record{ID: "mlk_2kPn8QxYw2TzB4vR7sHd3e", ConsumedAt: noon, ConsumedBy: "by-1", ExpiresAt: noon}, nil
	}
	redeemed, err := f.RedeemBy(t.Context(), token, "by-1")
	require.ErrorIs(t, err, magiclink.ErrUnavailable, "the record of another link is no answer")
	require.Zero(t, redeemed)
}

// After an unknown outcome the same by settles the question, whether or not the first call has taken place.
func TestRedeemByAfterAnUnknownOutcome(t *testing.T) {
	for name, open := range stores {
		for _, took := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " ", took), func(t *testing.T) {
				f := newFixtureOn(t, open(t))
				token, id := f.link(t, fullInput)
				lost := fmt.Errorf("%w: the connection is gone", magiclink.ErrUnknownOutcome)
				if took {
					f.store.used = func(record magiclink.Record, _ error) (magiclink.Record, error) { return record, lost }
				} else {
					f.store.before = func(context.Context) error {
						if f.store.consumes.Load() > 0 {
							return lost
						}
						return nil
					}
				}
				redeemed, err := f.RedeemBy(t.Context(), token, "by-1")
				require.ErrorIs(t, err, magiclink.ErrUnavailable)
				require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
				require.Zero(t, redeemed)
				require.Equal(t, took, !f.record(t, id).ConsumedAt.IsZero())

				f.store.used, f.store.before = nil, nil
				if took {
					_, err = f.RedeemBy(t.Context(), token, "by-2")
					require.Equal(t, magiclink.ErrConsumed, err)
				}
				redeemed, err = f.RedeemBy(t.Context(), token, "by-1")
				require.NoError(t, err)
				require.Equal(t, took, redeemed.Repeated)
				require.Equal(t, id, redeemed.MagicLinkID)
			})
		}
	}
}

// A call that overlaps one with the same by, and comes second, returns what the first one did.
func TestRedeemByThatComesSecond(t *testing.T) {
	f := newFixture(t)
	token, id := f.link(t, fullInput)
	f.store.got = func(record magiclink.Record, err error) (magiclink.Record, error) {
		_, failure := f.store.Store.Consume(t.Context(), id, noon, "by-1") // between the look and the use
		require.NoError(t, failure)
		return record, err
	}
	f.clock.set(noon.Add(time.Second))
	redeemed, err := f.RedeemBy(t.Context(), token, "by-1")
	require.NoError(t, err)
	require.True(t, redeemed.Repeated)
	require.Equal(t, noon.Truncate(time.Millisecond), redeemed.RedeemedAt)
	other, err := f.RedeemBy(t.Context(), token, "by-2")
	require.Equal(t, magiclink.ErrConsumed, err)
	require.Zero(t, other)
}

// Of racing calls with different by one wins; of racing calls with the same by all win, and get the same.
func TestRaceOfRedeemBy(t *testing.T) {
	for name, open := range stores {
		for _, same := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " ", same), func(t *testing.T) {
				f := newFixtureOn(t, open(t), func(c *magiclink.Config) { c.OnEvent = nil })
				f.clock.step = time.Millisecond
				for range 100 {
					token, id := f.link(t, magiclink.MagicLinkCreate{BusinessID: businessA})
					raceBy(t, f, token, id, same)
				}
			})
		}
	}
}

func raceBy(t *testing.T, f fixture, token, id string, same bool) {
	t.Helper()
	var winners, firsts, others atomic.Int32
	var redeemedAt sync.Map
	var done sync.WaitGroup
	start := make(chan struct{})
	for n := range racers {
		by := "by-1"
		if !same {
			by = fmt.Sprint("by-", n)
		}
		done.Go(func() {
			<-start
			redeemed, err := f.RedeemBy(t.Context(), token, by)
			switch {
			case err == nil && redeemed.MagicLinkID == id:
				winners.Add(1)
				redeemedAt.Store(redeemed.RedeemedAt, true)
				if !redeemed.Repeated {
					firsts.Add(1)
				}
			case !errors.Is(err, magiclink.ErrConsumed):
				others.Add(1)
			}
		})
	}
	close(start)
	done.Wait()
	require.Zero(t, others.Load())
	want := int32(1)
	if same {
		want = racers
	}
	require.Equal(t, want, winners.Load())
	require.Positive(t, firsts.Load())
	moments := 0
	redeemedAt.Range(func(any, any) bool { moments++; return true })
	require.Equal(t, 1, moments, "there is one time of use")
}

// The window ends exactly one minute after the link's expiry.
func TestRepeatWindow(t *testing.T) {
	f := newFixture(t)
	token, _ := f.link(t, fullInput)
	_, err := f.RedeemBy(t.Context(), token, "by-1")
	require.NoError(t, err)
	f.clock.set(noon.Truncate(time.Second).Add(11*time.Minute - 1))
	_, err = f.RedeemBy(t.Context(), token, "by-1")
	require.NoError(t, err)
}

// The window begins when the link can be used no more, which is after the Leeway.
func TestRepeatWindowWithLeeway(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.Leeway = time.Minute })
	token, _ := f.link(t, fullInput)
	f.clock.set(noon.Truncate(time.Second).Add(11*time.Minute - time.Millisecond))
	_, err := f.RedeemBy(t.Context(), token, "by-1")
	require.NoError(t, err)
	f.clock.set(noon.Truncate(time.Second).Add(11*time.Minute + 100*time.Millisecond)) // the double click
	_, err = f.RedeemBy(t.Context(), token, "by-1")
	require.NoError(t, err)
}
