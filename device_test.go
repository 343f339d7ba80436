package magiclink_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

const (
	onWindows = "Firefox on Windows"
	onIPhone  = "Safari on iPhone"
)

// Whatever redeems a link, its session tells the device wherever the record is at hand.
func TestDevice(t *testing.T) {
	calls := map[string]func(fixture, context.Context, string, string) (magiclink.Redemption, error){
		"Redeem": func(f fixture, ctx context.Context, token, _ string) (magiclink.Redemption, error) {
			return f.Redeem(ctx, token)
		},
		"RedeemBy": func(f fixture, ctx context.Context, token, _ string) (magiclink.Redemption, error) {
			return f.RedeemBy(ctx, token, strings.Repeat("b", 64))
		},
		"RedeemID": func(f fixture, ctx context.Context, _, id string) (magiclink.Redemption, error) {
			return f.RedeemID(ctx, id, "by-1")
		},
	}
	for name, open := range stores {
		for call, redeem := range calls {
			for _, device := range []string{onWindows, "", strings.Repeat("é", 24)} {
				t.Run(name+" "+call+" "+device, func(t *testing.T) {
					f := newFixtureOn(t, open(t), func(c *magiclink.Config) { c.SessionRecheck = time.Minute })
					token, id := f.link(t, fullInput)
					seen, err := f.Inspect(t.Context(), token)
					require.NoError(t, err)
					require.Empty(t, seen.Device)
					redeemed, err := redeem(f, magiclink.WithDevice(t.Context(), device), token, id)
					require.NoError(t, err)
					require.Equal(t, device, redeemed.Device)
					require.LessOrEqual(t, len(f.record(t, id).ConsumedBy), 128)

					sessionToken, granted, err := f.sessions.Grant(t.Context(), redeemed)
					require.NoError(t, err)
					require.Equal(t, device, granted.Device)
					for range 2 { // from the store, and from the last look at it
						verified, err := f.sessions.Verify(t.Context(), sessionToken)
						require.NoError(t, err)
						require.Equal(t, granted, verified)
					}
					listed, err := f.sessions.List(t.Context(), granted.Subject)
					require.NoError(t, err)
					require.Equal(t, []magiclink.Session{granted}, listed)
					link, err := f.Get(t.Context(), caller("tenant-1", ""), id)
					require.NoError(t, err)
					session, used := link.Session()
					require.True(t, used)
					require.Equal(t, granted, session)
				})
			}
		}
	}
}

// The by alone says whether a call is a repetition: another device neither keeps its caller out nor lets another in.
func TestDeviceOfARepeatedCall(t *testing.T) {
	for name, open := range stores {
		for _, byID := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				f := newFixtureOn(t, open(t))
				token, id := f.link(t, fullInput)
				redeem := func(device, by string) (magiclink.Redemption, error) {
					ctx := magiclink.WithDevice(t.Context(), device)
					if byID {
						return f.RedeemID(ctx, id, by)
					}
					return f.RedeemBy(ctx, token, by)
				}
				first, err := redeem(onWindows, "by-1")
				require.NoError(t, err)
				record := f.record(t, id)
				for _, device := range []string{onWindows, onIPhone, "", "\t", "\u202e"} {
					again, err := redeem(device, "by-1")
					require.NoError(t, err)
					require.Equal(t, repeated(first), again, "the device stays that of the first call")
					for _, by := range []string{"by-2", "", "by-", "by-1 ", "by-1 " + onWindows, onWindows} {
						_, err := redeem(device, by)
						require.Equal(t, magiclink.ErrConsumed, err, by)
					}
					_, err = redeem(device, record.ConsumedBy)
					require.ErrorContains(t, err, "control characters", "what is stored is not a by")
				}
				require.True(t, record == f.record(t, id))
			})
		}
	}
}

// Calls of one person that race from two devices have one outcome, and all of them get it.
func TestDevicesThatRace(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			for _, byID := range []bool{false, true} {
				token, id := f.link(t, fullInput)
				looked := make(chan struct{}, 3)
				gate := make(chan struct{})
				f.store.got = func(record magiclink.Record, err error) (magiclink.Record, error) {
					if record.ConsumedAt.IsZero() { // all three find the link unused before one of them uses it
						looked <- struct{}{}
						<-gate
					}
					return record, err
				}
				var group sync.WaitGroup
				results, failures := make([]magiclink.Redemption, 3), make([]error, 3)
				for n, asked := range [][2]string{{"by-1", onWindows}, {"by-1", onIPhone}, {"by-1", ""}} {
					group.Go(func() {
						ctx := magiclink.WithDevice(context.WithoutCancel(t.Context()), asked[1])
						if byID {
							results[n], failures[n] = f.RedeemID(ctx, id, asked[0])
						} else {
							results[n], failures[n] = f.RedeemBy(ctx, token, asked[0])
						}
					})
				}
				for range 3 {
					<-looked
				}
				close(gate)
				group.Wait()
				for n := range results {
					require.NoError(t, failures[n])
					require.Equal(t, repeated(results[0]), repeated(results[n]))
				}
				f.store.got = nil
				_, err := f.RedeemBy(t.Context(), token, "by-2")
				require.Equal(t, magiclink.ErrConsumed, err)
			}
		})
	}
}

// The loser of a race gets nothing, whatever its device: the control of the test above.
func TestDeviceOfAnotherThatRaces(t *testing.T) {
	f := newFixture(t)
	token, _ := f.link(t, fullInput)
	f.store.got = func(record magiclink.Record, err error) (magiclink.Record, error) {
		f.store.got = nil
		_, failure := f.RedeemBy(magiclink.WithDevice(t.Context(), onWindows), token, "by-1")
		require.NoError(t, failure)
		return record, err
	}
	redeemed, err := f.RedeemBy(magiclink.WithDevice(t.Context(), onWindows), token, "by-2")
	require.Equal(t, magiclink.ErrConsumed, err)
	require.Zero(t, redeemed)
}

// With an empty by no call succeeds twice, with a device either.
func TestDeviceOfNobody(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			token, id := f.link(t, fullInput)
			ctx := magiclink.WithDevice(t.Context(), onWindows)
			redeemed, err := f.RedeemBy(ctx, token, "")
			require.NoError(t, err)
			require.Empty(t, redeemed.Device)
			require.Empty(t, f.record(t, id).ConsumedBy)
			_, err = f.RedeemBy(ctx, token, "")
			require.Equal(t, magiclink.ErrConsumed, err)
		})
	}
}

// A device that nobody could read, or that would change the text around it, is none. It keeps nobody from signing in.
func TestHostileDevices(t *testing.T) {
	f := newFixture(t)
	for _, device := range []string{
		"a\tb", "a\nb", "a\x00", "\x1b[31m", "\u202egnp", "\u2066a", "a\u200b", "\ufeff", "\xff", "\u0085", "\u2028",
		strings.Repeat("a", 49), strings.Repeat("a", 1<<20),
	} {
		token, id := f.link(t, fullInput)
		redeemed, err := f.RedeemBy(magiclink.WithDevice(t.Context(), device), token, "by-1")
		require.NoError(t, err)
		require.Empty(t, redeemed.Device)
		require.Equal(t, "by-1", f.record(t, id).ConsumedBy)
	}
	token, _ := f.link(t, fullInput)
	redeemed, err := f.RedeemBy(magiclink.WithDevice(t.Context(), "<b>"), token, "by-1")
	require.NoError(t, err)
	require.Equal(t, "<b>", redeemed.Device, "the control: text that can be seen; a page must escape it")
}

// What somebody has written into the store is checked again.
func TestHostileDeviceInTheStore(t *testing.T) {
	f := newFixture(t)
	for by, want := range map[string]string{
		"by-1\t" + onWindows: onWindows, "by-1\t\u202egnp": "", "by-1\ta\tb": "", "by-1\t" + strings.Repeat("a", 49): "", "by-1\t": "", "by-1": "", "": "",
	} {
		f.store.create = func(r *magiclink.Record) { r.ConsumedAt, r.ConsumedBy = noon, by }
		_, id := f.link(t, fullInput)
		link, err := f.Get(t.Context(), caller("tenant-1", ""), id)
		require.NoError(t, err)
		session, used := link.Session()
		require.True(t, used)
		require.Equal(t, want, session.Device, "%q", by)
	}
}
