package magiclink_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestRevoke(t *testing.T) {
	f := newFixture(t)
	response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{Caller: caller("t", ""), BusinessID: businessA})
	require.NoError(t, err)
	id := response.MagicLinkID

	f.clock.now = noon.Add(time.Minute)
	for _, tenant := range []string{"", "T", "t ", "other"} {
		require.ErrorIs(t, f.Revoke(t.Context(), tenant, id), magiclink.ErrNotFound)
	}
	record, err := f.store.Get(t.Context(), id)
	require.NoError(t, err)
	require.Zero(t, record.RevokedAt, "another tenant has changed nothing")

	require.NoError(t, f.Revoke(t.Context(), "t", id))
	f.clock.now = noon.Add(time.Hour)
	require.NoError(t, f.Revoke(t.Context(), "t", id), "again, and after the expiry")
	record, err = f.store.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, noon.Add(time.Minute).Truncate(time.Millisecond), record.RevokedAt)
	_, err = f.store.Consume(t.Context(), id, noon, "")
	require.ErrorIs(t, err, magiclink.ErrRevoked)
}

func TestRevokeUnknown(t *testing.T) {
	store := &brokenStore{err: errors.New("must not be asked")}
	f := newFixture(t, func(c *magiclink.Config) { c.Store = store })
	for _, id := range []string{"", "mlk_", businessA, "mlk_" + businessA[4:25], "mlk_" + businessA[4:] + "2", "mlk_%"} {
		require.ErrorIs(t, f.Revoke(t.Context(), "", id), magiclink.ErrNotFound)
	}
	require.Zero(t, store.calls, "a malformed id reaches no store")

	require.ErrorIs(t, newFixture(t).Revoke(t.Context(), "", "mlk_"+businessA[4:]), magiclink.ErrNotFound)
}

func TestRevokeWithBrokenStore(t *testing.T) {
	outage := errors.New("outage")
	f := newFixture(t, func(c *magiclink.Config) { c.Store = &brokenStore{err: outage} })
	err := f.Revoke(t.Context(), "", "mlk_"+businessA[4:])
	require.ErrorIs(t, err, magiclink.ErrUnavailable)
	require.ErrorIs(t, err, outage)
	require.NotErrorIs(t, err, magiclink.ErrNotFound)
}

func TestRevokeWithCancelledContext(t *testing.T) {
	f := newFixture(t)
	response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = f.Revoke(ctx, "", response.MagicLinkID)
	require.ErrorIs(t, err, magiclink.ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
}
