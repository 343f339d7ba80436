package magiclink_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

func TestNewRedeemerReportsEveryFaultAtOnce(t *testing.T) {
	redeemer, err := magiclink.NewRedeemer(magiclink.RedeemerConfig{
		BaseURL: "http://app.example.com/magic", Issuer: "a\nb", Audience: "\xff", Leeway: -1,
	})
	require.Nil(t, redeemer)
	var faults magiclink.ConfigErrors
	require.ErrorAs(t, err, &faults)
	var fields []string
	for _, fault := range faults {
		require.NotEmpty(t, fault.Reason)
		fields = append(fields, fault.Field)
	}
	require.ElementsMatch(t, []string{"BaseURL", "Keys", "Store", "Issuer", "Audience", "Leeway"}, fields)
}

func TestNewRedeemerFaults(t *testing.T) {
	good := magiclink.RedeemerConfig{BaseURL: baseURL, Keys: seededKeyring(t), Store: memory.New()}
	_, err := magiclink.NewRedeemer(good)
	require.NoError(t, err, "the configuration that each case changes is good")
	for name, change := range map[string]func(*magiclink.RedeemerConfig){
		"BaseURL":  func(c *magiclink.RedeemerConfig) { c.BaseURL = "" },
		"Keys":     func(c *magiclink.RedeemerConfig) { c.Keys = new(magiclink.Keyring) },
		"Store":    func(c *magiclink.RedeemerConfig) { c.Store = nil },
		"Issuer":   func(c *magiclink.RedeemerConfig) { c.Issuer = repeat("x", 513) },
		"Audience": func(c *magiclink.RedeemerConfig) { c.Audience = "a\x00" },
		"Leeway":   func(c *magiclink.RedeemerConfig) { c.Leeway = time.Minute + 1 },
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			change(&bad)
			_, err := magiclink.NewRedeemer(bad)
			var faults magiclink.ConfigErrors
			require.ErrorAs(t, err, &faults)
			require.Len(t, faults, 1)
			require.Equal(t, name, faults[0].Field)
		})
	}
	good.Leeway = time.Minute
	_, err = magiclink.NewRedeemer(good)
	require.NoError(t, err)
}

// Looking at a link leaves no trace: the record is what it was, in every field, and the link can be redeemed.
func TestInspectChangesNothing(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newRedeeming(t, open(t))
			token, id := f.link(t, fullInput)
			before, err := f.store.Store.Get(t.Context(), id)
			require.NoError(t, err)
			for n := range 50 {
				f.at(noon.Add(time.Duration(n) * time.Second))
				_, err := f.Inspect(t.Context(), token)
				require.NoError(t, err)
			}
			after, err := f.store.Store.Get(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("%#v", before), fmt.Sprintf("%#v", after))
			require.Zero(t, f.store.consumes.Load())
			require.Empty(t, f.told.events, "looking is no event")

			_, err = f.Redeem(t.Context(), token)
			require.NoError(t, err)
			used, err := f.store.Store.Get(t.Context(), id)
			require.NoError(t, err)
			require.NotEqual(t, fmt.Sprintf("%#v", before), fmt.Sprintf("%#v", used), "the control: using it shows")
		})
	}
}

func TestRedeemOnce(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newRedeeming(t, open(t))
			token, id := f.link(t, fullInput)
			want := magiclink.Redemption{
				MagicLinkID: id, TenantID: "tenant-1", BusinessID: businessA, ExternalBusinessID: "shop-7",
				Email: "jane@example.com", Path: "/reports?y=1#top", SessionTimeout: time.Hour,
				IssuedAt:  noon.Truncate(time.Millisecond),
				ExpiresAt: noon.Truncate(time.Second).Add(10 * time.Minute),
			}
			seen, err := f.Inspect(t.Context(), token)
			require.NoError(t, err)
			require.Equal(t, want, seen)

			later := noon.Add(90*time.Second + 1500*time.Microsecond)
			f.at(later.In(time.FixedZone("far", 13*60*60)))
			redeemed, err := f.Redeem(t.Context(), token)
			require.NoError(t, err)
			want.RedeemedAt = later.Truncate(time.Millisecond)
			require.Equal(t, want, redeemed)
			require.Equal(t, origin+"/reports?y=1#top", f.Destination(redeemed))

			record, err := f.store.Store.Get(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, redeemed.RedeemedAt, record.ConsumedAt, "it says what the store says")

			for range 3 {
				again, err := f.Redeem(t.Context(), token)
				require.ErrorIs(t, err, magiclink.ErrConsumed)
				require.Zero(t, again)
				_, err = f.Inspect(t.Context(), token)
				require.ErrorIs(t, err, magiclink.ErrConsumed)
			}
		})
	}
}

func TestRedeemWithoutOptionalFields(t *testing.T) {
	f := newRedeeming(t, memory.New())
	token, id := f.link(t, magiclink.MagicLinkCreate{BusinessID: businessA})
	redeemed, err := f.Redeem(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, magiclink.Redemption{
		MagicLinkID: id, BusinessID: businessA, SessionTimeout: 24 * time.Hour, IssuedAt: noon.Truncate(time.Millisecond),
		ExpiresAt: noon.Truncate(time.Second).Add(5 * time.Minute), RedeemedAt: noon.Truncate(time.Millisecond),
	}, redeemed)
	require.Equal(t, origin+"/", f.Destination(redeemed))
}

// With a clock that runs behind the issuer's by the leeway or less a link is used up at the time at which it was used: that
// is what an audit reads.
func TestLeewayDoesNotShiftTheTimeOfUse(t *testing.T) {
	f := newRedeeming(t, memory.New(), func(c *magiclink.RedeemerConfig) { c.Leeway = time.Minute })
	token, id := f.link(t, fullInput)
	redeemed, err := f.Redeem(t.Context(), token)
	require.NoError(t, err)
	record, err := f.store.Get(t.Context(), id)
	require.NoError(t, err)
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
					f := newRedeeming(t, open(t), func(c *magiclink.RedeemerConfig) { c.Leeway = leeway })
					token, _ := f.link(t, fullInput)
					f.at(noon.Truncate(time.Second).Add(10*time.Minute + leeway + offset))
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
				f := newRedeeming(t, open(t), func(c *magiclink.RedeemerConfig) { c.Leeway = leeway })
				f.store.create = func(record *magiclink.Record) { record.ExpiresAt = end }
				token, _ := f.link(t, fullInput)
				f.at(end) // the leeway is for the clock of the token, and a record expires with its token
				_, err := f.Inspect(t.Context(), token)
				require.Equal(t, magiclink.ErrExpired, err)
				_, err = f.Redeem(t.Context(), token)
				require.Equal(t, magiclink.ErrExpired, err)
				f.at(end.Add(-time.Millisecond))
				_, err = f.Inspect(t.Context(), token)
				require.NoError(t, err)
				_, err = f.Redeem(t.Context(), token)
				require.NoError(t, err)
			})
		}
	}
}
