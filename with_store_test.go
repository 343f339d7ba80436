package magiclink_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// WithStore gives the same Issuer and Redeemer on another store. The receivers stay as they are.
func TestWithStore(t *testing.T) {
	f := newFixture(t)
	other := &tapStore{Store: memory.New()}
	issuer, redeemer := f.Issuer.WithStore(other), f.Redeemer.WithStore(other)

	response, err := issuer.Issue(t.Context(), fullInput)
	require.NoError(t, err)
	token := tokenOf(t, response.MagicLink)
	_, err = f.store.Get(t.Context(), response.MagicLinkID)
	require.Equal(t, magiclink.ErrNotFound, err, "the store of the receiver has seen nothing")
	_, err = f.Redeem(t.Context(), token)
	require.Equal(t, magiclink.ErrInvalidToken, err)
	require.Equal(t, magiclink.ErrNotFound, f.Revoke(t.Context(), "tenant-1", response.MagicLinkID))

	redeemed, err := redeemer.Redeem(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, response.MagicLinkID, redeemed.MagicLinkID)
	require.NoError(t, issuer.Revoke(t.Context(), "tenant-1", response.MagicLinkID))
	require.Equal(t, f.BaseURL(), redeemer.BaseURL())
	require.Equal(t, f.Destination(redeemed), redeemer.Destination(redeemed))
	require.Equal(t, magiclink.OpRevoke, f.told.last(t).Op, "events go where they went")

	token, _ = f.link(t, fullInput)
	_, err = f.Redeem(t.Context(), token)
	require.NoError(t, err, "the receivers work")
	require.EqualValues(t, 1, other.consumes.Load())
}

// A nil store gives errors, also as a nil pointer in an interface, and leaves the receiver as it is.
func TestWithNilStore(t *testing.T) {
	f := newFixture(t)
	token, id := f.link(t, fullInput)
	for name, store := range map[string]magiclink.Store{
		"nil": nil, "nil pointer": (*memory.Store)(nil), "nil wrapper": (*tapStore)(nil),
	} {
		t.Run(name, func(t *testing.T) {
			issuer, redeemer := f.Issuer.WithStore(store), f.Redeemer.WithStore(store)
			const cure = "magiclink: WithStore was given a nil Store: pass it a Store"
			_, err := issuer.Issue(t.Context(), fullInput)
			require.EqualError(t, err, cure)
			_, err = issuer.IssueJSON(t.Context(), magiclink.Caller{}, []byte(withID(`"ttl":5`)))
			require.EqualError(t, err, cure)
			require.EqualError(t, issuer.Revoke(t.Context(), "tenant-1", id), cure)
			for _, redeem := range []func(context.Context, string) (magiclink.Redemption, error){redeemer.Inspect, redeemer.Redeem} {
				redeemed, err := redeem(t.Context(), token)
				require.EqualError(t, err, cure)
				require.Zero(t, redeemed)
			}
			require.Empty(t, redeemer.BaseURL(), "no handler takes it")
			_, err = issuer.WithStore(f.store).Issue(t.Context(), fullInput)
			require.NoError(t, err, "the cure")
			_, err = redeemer.WithStore(f.store).Inspect(t.Context(), token)
			require.NoError(t, err)
		})
	}
	_, err := f.Redeem(t.Context(), token)
	require.NoError(t, err)
}
