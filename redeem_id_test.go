package magiclink_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// A link that is named by its id is judged as it is by its token, and the two name one link.
func TestRedeemID(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			token, id := f.link(t, fullInput)
			seen, err := f.InspectID(t.Context(), id, "")
			require.NoError(t, err)
			byToken, err := f.Inspect(t.Context(), token)
			require.NoError(t, err)
			require.Equal(t, byToken, seen)
			redeemed, err := f.RedeemID(t.Context(), id, "by-1")
			require.NoError(t, err)
			require.Equal(t, magiclink.OpRedeem, f.told.last(t).Op)
			require.Equal(t, id, f.told.last(t).LinkID)
			again, err := f.RedeemID(t.Context(), id, "by-1")
			require.NoError(t, err)
			require.Equal(t, repeated(redeemed), again)
			again, err = f.RedeemBy(t.Context(), token, "by-1")
			require.NoError(t, err)
			require.Equal(t, repeated(redeemed), again, "the same redemption by the token")
			for _, by := range []string{"by-2", ""} {
				_, err = f.RedeemID(t.Context(), id, by)
				require.Equal(t, magiclink.ErrConsumed, err)
			}
			seen, err = f.InspectID(t.Context(), id, "")
			require.Equal(t, magiclink.ErrConsumed, err)
			require.Equal(t, id, seen.MagicLinkID)
			_, _, err = f.sessions.Grant(t.Context(), redeemed)
			require.NoError(t, err)
		})
	}
}

// InspectID says whether a by would get its redemption again, as long as it would.
func TestInspectIDOfARepetition(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.Leeway = 2 * time.Second })
	_, id := f.link(t, fullInput)
	seen, err := f.InspectID(t.Context(), id, "by-1")
	require.NoError(t, err)
	require.False(t, seen.Repeated)
	redeemed, err := f.RedeemID(t.Context(), id, "by-1")
	require.NoError(t, err)
	seen, err = f.InspectID(t.Context(), id, "by-1")
	require.NoError(t, err)
	require.True(t, seen.Repeated)
	require.Zero(t, seen.RedeemedAt, "nobody can grant a session from it")
	for _, by := range []string{"by-2", ""} {
		seen, err = f.InspectID(t.Context(), id, by)
		require.Equal(t, magiclink.ErrConsumed, err)
		require.False(t, seen.Repeated)
	}
	for _, by := range []string{strings.Repeat("a", 65), "a\x00", "\xff"} {
		seen, err = f.InspectID(t.Context(), id, by)
		require.Error(t, err)
		require.Equal(t, magiclink.Redemption{}, seen)
	}
	f.clock.set(redeemed.ExpiresAt.Add(2*time.Second + time.Minute))
	seen, err = f.InspectID(t.Context(), id, "by-1")
	require.Equal(t, magiclink.ErrConsumed, err, "too late")
	require.False(t, seen.Repeated)
	require.NoError(t, f.Revoke(t.Context(), fullInput.Caller.TenantID, id))
	seen, err = f.InspectID(t.Context(), id, "by-1")
	require.Equal(t, magiclink.ErrRevoked, err)
	require.Equal(t, magiclink.Redemption{}, seen)
}

func TestRedeemIDRefuses(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.Leeway = 2 * time.Second })
	_, revoked := f.link(t, fullInput)
	require.NoError(t, f.Revoke(t.Context(), fullInput.Caller.TenantID, revoked))
	_, live := f.link(t, fullInput)
	for _, row := range []struct {
		id, by string
		want   error
	}{
		{revoked, "by", magiclink.ErrRevoked},
		{magiclink.NewMagicLinkID(noon, ""), "by", magiclink.ErrInvalidToken},
		{"", "by", magiclink.ErrInvalidToken},
		{live + " ", "by", magiclink.ErrInvalidToken},
		{"idk_" + strings.TrimPrefix(live, "mlk_"), "by", magiclink.ErrInvalidToken},
	} {
		_, err := f.RedeemID(t.Context(), row.id, row.by)
		require.Equal(t, row.want, err, row.id)
		_, err = f.InspectID(t.Context(), row.id, "")
		require.Equal(t, row.want, err, row.id)
	}
	for _, by := range []string{strings.Repeat("a", 65), "a\x00", "\xff"} {
		_, err := f.RedeemID(t.Context(), live, by)
		require.Error(t, err)
		require.Equal(t, magiclink.ReasonInvalidInput, f.told.last(t).Reason)
	}
	_, err := f.RedeemID(t.Context(), live, "by")
	require.NoError(t, err, "the control")
}

// The leeway and the minute for a repetition are those of RedeemBy.
func TestRedeemIDAtTheEnd(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.Leeway = 2 * time.Second })
	_, used := f.link(t, fullInput)
	_, unused := f.link(t, fullInput)
	ends := f.record(t, used).ExpiresAt
	f.clock.set(ends.Add(2*time.Second - time.Millisecond))
	_, err := f.RedeemID(t.Context(), used, "by")
	require.NoError(t, err, "within the leeway")
	f.clock.set(ends.Add(2 * time.Second))
	_, err = f.RedeemID(t.Context(), unused, "by")
	require.Equal(t, magiclink.ErrExpired, err)
	_, err = f.InspectID(t.Context(), unused, "")
	require.Equal(t, magiclink.ErrExpired, err)
	f.clock.set(ends.Add(2*time.Second + time.Minute - time.Millisecond))
	_, err = f.RedeemID(t.Context(), used, "by")
	require.NoError(t, err)
	f.clock.set(ends.Add(2*time.Second + time.Minute))
	_, err = f.RedeemID(t.Context(), used, "by")
	require.Equal(t, magiclink.ErrExpired, err)
}

func TestRedeemIDRace(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			_, id := f.link(t, fullInput)
			var won atomic.Int32
			var group sync.WaitGroup
			for n := range 16 {
				group.Go(func() {
					if _, err := f.RedeemID(t.Context(), id, strings.Repeat("b", n+1)); err == nil {
						won.Add(1)
					}
				})
			}
			group.Wait()
			require.EqualValues(t, 1, won.Load())
		})
	}
}

// The caller chooses the id of a link once.
func TestMagicLinkID(t *testing.T) {
	f := newFixture(t)
	in := fullInput
	in.MagicLinkID = magiclink.NewMagicLinkID(noon, "")
	require.True(t, magiclink.ValidMagicLinkID(in.MagicLinkID))
	_, id := f.link(t, in)
	require.Equal(t, in.MagicLinkID, id)
	_, err := f.Issue(t.Context(), in)
	require.ErrorIs(t, err, magiclink.ErrExists)
	require.ErrorIs(t, err, magiclink.ErrUnavailable)
	for _, malformed := range []string{"mlk_", id + "a", businessA, "mlk_00000000000000000000000", " " + id} {
		in.MagicLinkID = malformed
		_, err := f.Issue(t.Context(), in)
		require.Equal(t, []string{"MagicLinkID:mlk_string"}, fieldsOf(t, err), malformed)
	}
	create := magiclink.MagicLinkCreate{MagicLinkID: id}
	require.NoError(t, create.UnmarshalJSON([]byte(`{"external_business_id":"x","MagicLinkID":"y"}`)))
	require.Equal(t, id, create.MagicLinkID, "it is not part of the JSON")

	seeded := magiclink.NewMagicLinkID(noon, "seed")
	require.Equal(t, seeded, magiclink.NewMagicLinkID(noon, "seed"))
	require.True(t, magiclink.ValidMagicLinkID(seeded))
	require.NotEqual(t, seeded, magiclink.NewMagicLinkID(noon, "seed2"))
	require.NotEqual(t, seeded, magiclink.NewMagicLinkID(noon.Add(time.Millisecond), "seed"))
	require.NotEqual(t, magiclink.NewMagicLinkID(noon, ""), magiclink.NewMagicLinkID(noon, ""))
	require.Less(t, seeded, magiclink.NewMagicLinkID(noon.Add(time.Millisecond), "a"))
}
