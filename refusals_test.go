package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// remembering is a fixture whose Config has Refusals.
func remembering(t *testing.T) fixture {
	t.Helper()
	return newFixture(t, func(c *magiclink.Config) { c.Refusals = new(magiclink.Refusals) })
}

func (f fixture) lastRefusal(tb testing.TB, id string) magiclink.Refusal {
	tb.Helper()
	f.store.before = nil
	link, err := f.Get(tb.Context(), caller("tenant-1", ""), id)
	require.NoError(tb, err)
	return link.LastRefusal
}

// Get tells why and when a link was refused last, by whatever has refused it.
func TestLastRefusal(t *testing.T) {
	later := noon.Add(30 * time.Second)
	used := func(t *testing.T, f fixture, token, _ string) {
		t.Helper()
		_, err := f.Redeem(t.Context(), token)
		require.NoError(t, err)
	}
	revoked := func(t *testing.T, f fixture, _, id string) {
		t.Helper()
		require.NoError(t, f.Revoke(t.Context(), "tenant-1", id))
	}
	expired := func(_ *testing.T, f fixture, _, _ string) { f.clock.set(noon.Add(time.Hour)) }
	down := func(_ *testing.T, f fixture, _, _ string) { f.store.before = failing(errors.New("outage")) }
	nothing := func(*testing.T, fixture, string, string) {}
	calls := map[string]func(fixture, context.Context, string, string){
		"Redeem":    func(f fixture, ctx context.Context, token, _ string) { _, _ = f.Redeem(ctx, token) },
		"RedeemBy":  func(f fixture, ctx context.Context, token, _ string) { _, _ = f.RedeemBy(ctx, token, "by-2") },
		"RedeemID":  func(f fixture, ctx context.Context, _, id string) { _, _ = f.RedeemID(ctx, id, "by-2") },
		"Inspect":   func(f fixture, ctx context.Context, token, _ string) { _, _ = f.Inspect(ctx, token) },
		"InspectID": func(f fixture, ctx context.Context, _, id string) { _, _ = f.InspectID(ctx, id, "") },
	}
	for name, test := range map[string]struct {
		before func(*testing.T, fixture, string, string)
		want   magiclink.Reason
		not    []string // the calls whose refusals do not count
	}{
		"used":    {used, magiclink.ReasonConsumed, []string{"Inspect", "InspectID"}},
		"revoked": {revoked, magiclink.ReasonRevoked, nil},
		"expired": {expired, magiclink.ReasonExpired, nil},
		"down":    {down, magiclink.ReasonUnavailable, []string{"RedeemID", "InspectID"}}, // the id could be an invented one
		"usable":  {nothing, "", nil},
	} {
		for call, refuse := range calls {
			t.Run(name+" "+call, func(t *testing.T) {
				f := remembering(t)
				token, id := f.link(t, fullInput)
				other, otherID := f.link(t, fullInput)
				f.clock.set(later)
				test.before(t, f, token, id)
				at := f.clock.Now()
				require.Zero(t, f.lastRefusal(t, otherID))
				test.before(t, f, other, otherID) // lastRefusal has mended the store
				refuse(f, t.Context(), token, id)
				want := magiclink.Refusal{Reason: test.want, At: at.UTC()}
				for _, none := range test.not {
					if none == call {
						want = magiclink.Refusal{}
					}
				}
				if test.want == "" {
					want = magiclink.Refusal{}
				}
				require.Equal(t, want, f.lastRefusal(t, id))
				require.Zero(t, f.lastRefusal(t, otherID), "the other link was not asked for")
			})
		}
	}
}

// The last refusal counts, a repeated call of the same by is none, and nobody sees that of a foreign link.
func TestLastRefusalOfSeveral(t *testing.T) {
	f := remembering(t)
	token, id := f.link(t, fullInput)
	_, err := f.RedeemBy(t.Context(), token, "by-1")
	require.NoError(t, err)
	_, err = f.RedeemBy(t.Context(), token, "by-1")
	require.NoError(t, err)
	require.Zero(t, f.lastRefusal(t, id))
	for n, by := range []string{"by-2", "by-3"} {
		f.clock.set(noon.Add(time.Duration(n) * time.Second))
		_, err = f.RedeemBy(t.Context(), token, by)
		require.Equal(t, magiclink.ErrConsumed, err)
	}
	require.Equal(t, magiclink.Refusal{Reason: magiclink.ReasonConsumed, At: noon.Add(time.Second)}, f.lastRefusal(t, id))
	link, err := f.Get(t.Context(), caller("tenant-2", ""), id)
	require.Equal(t, magiclink.ErrNotFound, err)
	require.Zero(t, link)
	listed, err := f.List(t.Context(), caller("tenant-1", ""), magiclink.ListQuery{})
	require.NoError(t, err)
	require.Zero(t, listed[0].LastRefusal, "List asks nobody")
}

// What was never issued takes no room: neither forged tokens nor invented ids push a real refusal out.
func TestRefusalsOfInventedLinks(t *testing.T) {
	f := remembering(t)
	token, id := f.link(t, fullInput)
	require.NoError(t, f.Revoke(t.Context(), "tenant-1", id))
	_, err := f.Redeem(t.Context(), token)
	require.Equal(t, magiclink.ErrRevoked, err)
	want := f.lastRefusal(t, id)
	forged := token[:len(token)-4] + "AAAA"
	for n := range 20_000 {
		invented := magiclink.NewMagicLinkID(noon, fmt.Sprint(n))
		_, err := f.RedeemID(t.Context(), invented, "by")
		require.Equal(t, magiclink.ErrInvalidToken, err)
		_, err = f.InspectID(t.Context(), invented, "")
		require.Equal(t, magiclink.ErrInvalidToken, err)
		f.store.before = failing(errors.New("outage"))
		_, err = f.RedeemID(t.Context(), invented, "by")
		require.ErrorIs(t, err, magiclink.ErrUnavailable)
		_, err = f.InspectID(t.Context(), invented, "")
		require.ErrorIs(t, err, magiclink.ErrUnavailable)
		f.store.before = nil
	}
	for range 100 {
		_, err := f.Redeem(t.Context(), forged)
		require.Equal(t, magiclink.ErrInvalidToken, err)
	}
	require.Equal(t, want, f.lastRefusal(t, id))
}

// The memory is bounded: of very many refused links the newest are remembered.
func TestRefusalsAreBounded(t *testing.T) {
	const enough, tooMany = 4096, 8192
	f := remembering(t)
	refused := make([]string, tooMany+1)
	for n := range refused {
		token, id := f.link(t, fullInput)
		f.store.before = failing(errors.New("outage"))
		_, err := f.Redeem(t.Context(), token)
		require.ErrorIs(t, err, magiclink.ErrUnavailable)
		f.store.before = nil
		refused[n] = id
	}
	known := 0
	for n, id := range refused {
		if f.lastRefusal(t, id) != (magiclink.Refusal{}) {
			known++
		} else {
			require.Less(t, n, len(refused)-enough, "one of the newest")
		}
	}
	require.GreaterOrEqual(t, known, enough)
	require.LessOrEqual(t, known, tooMany)
}

// Refusals may be used from everywhere at once.
func TestRefusalsRace(t *testing.T) {
	f := remembering(t)
	token, id := f.link(t, fullInput)
	_, err := f.Redeem(t.Context(), token)
	require.NoError(t, err)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				_, _ = f.Redeem(t.Context(), token)
				_, _ = f.Get(t.Context(), caller("tenant-1", ""), id)
			}
		})
	}
	group.Wait()
	require.Equal(t, magiclink.ReasonConsumed, f.lastRefusal(t, id).Reason)
}
