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

func supersede(c *magiclink.Config) { c.Supersede = true }

// unindexed is a Lister that is not set up to list.
type unindexed struct{ magiclink.Store }

func (unindexed) List(context.Context, magiclink.ListQuery) ([]magiclink.Record, error) {
	return nil, magiclink.ErrUnsupported
}

func (unindexed) CheckList(magiclink.Subject) error {
	return fmt.Errorf("%w: set the index", magiclink.ErrUnsupported)
}

func TestSupersede(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t), supersede)
			jane := magiclink.MagicLinkCreate{Caller: caller("t", ""), BusinessID: businessA, ExternalBusinessID: "a", Email: "jane@example.com"}
			change := func(change func(*magiclink.MagicLinkCreate)) magiclink.MagicLinkCreate {
				other := jane
				change(&other)
				return other
			}
			used, _ := f.link(t, jane)
			redeemed, err := f.Redeem(t.Context(), used)
			require.NoError(t, err)
			session, _, err := f.sessions.Grant(t.Context(), redeemed)
			require.NoError(t, err)
			var others []string
			for _, other := range []magiclink.MagicLinkCreate{
				change(func(in *magiclink.MagicLinkCreate) { in.Email = "john@example.com" }),
				change(func(in *magiclink.MagicLinkCreate) { in.Email = "" }),
				change(func(in *magiclink.MagicLinkCreate) { in.BusinessID = businessB }),
				change(func(in *magiclink.MagicLinkCreate) { in.ExternalBusinessID = "" }),
				change(func(in *magiclink.MagicLinkCreate) { in.Caller.TenantID = "u" }),
			} {
				token, _ := f.link(t, other)
				others = append(others, token)
			}
			older, id := f.link(t, jane)
			newer, newID := f.link(t, jane)

			require.Equal(t, []magiclink.Event{
				{Op: magiclink.OpSupersede, At: noon, TenantID: "t", BusinessID: businessA, LinkID: newID, Count: 1},
				{Op: magiclink.OpIssue, At: noon, TenantID: "t", BusinessID: businessA, LinkID: newID},
			}, f.told.events[len(f.told.events)-2:])
			_, err = f.Redeem(t.Context(), older)
			require.ErrorIs(t, err, magiclink.ErrRevoked)
			link, err := f.Get(t.Context(), caller("t", ""), id)
			require.NoError(t, err)
			require.Equal(t, magiclink.StateRevoked, link.State)
			require.Zero(t, link.ConsumedAt, "nobody has used it")
			require.Empty(t, link.ConsumedBy)
			for _, token := range append(others, newer) {
				_, err = f.Redeem(t.Context(), token)
				require.NoError(t, err)
			}
			_, err = f.sessions.Verify(t.Context(), session)
			require.NoError(t, err, "the session goes on")
		})
	}
}

// An empty field of a subject is a value like every other one: it stands for no other subjects.
func TestSupersedeComparesTheWholeSubject(t *testing.T) {
	f := newFixture(t, supersede)
	older, _ := f.link(t, magiclink.MagicLinkCreate{BusinessID: businessA, ExternalBusinessID: "a", Email: "jane@example.com"})
	f.link(t, magiclink.MagicLinkCreate{BusinessID: businessA, Email: "jane@example.com"})
	_, err := f.Redeem(t.Context(), older)
	require.NoError(t, err)
}

// However many links are issued at once, exactly one of them works in the end.
func TestSupersedeRace(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t), supersede)
			in := magiclink.MagicLinkCreate{BusinessID: businessA, Email: "jane@example.com"}
			tokens := make([]string, 150) // more than one batch of links to end
			var group sync.WaitGroup
			for n := range tokens {
				group.Go(func() { tokens[n], _ = f.link(t, in) })
			}
			group.Wait()
			works := 0
			for _, token := range tokens {
				if _, err := f.Redeem(t.Context(), token); err == nil {
					works++
				} else {
					require.ErrorIs(t, err, magiclink.ErrRevoked)
				}
			}
			require.Equal(t, 1, works)
		})
	}
}

// A link of a machine whose clock is ahead is older in spite of its id: the link of the last mail works.
func TestSupersedeWithAClockThatWasAhead(t *testing.T) {
	f := newFixture(t, supersede)
	f.clock.set(noon.Add(time.Minute))
	ahead, _ := f.link(t, fullInput)
	f.clock.set(noon)
	last, _ := f.link(t, fullInput)
	_, err := f.Redeem(t.Context(), ahead)
	require.ErrorIs(t, err, magiclink.ErrRevoked)
	_, err = f.Redeem(t.Context(), last)
	require.NoError(t, err)
}

// A person who uses the older link at the moment at which the newer one is issued stays signed in.
func TestSupersedeSparesALinkInUse(t *testing.T) {
	f := newFixture(t, supersede)
	older, id := f.link(t, fullInput)
	inUse := false
	f.store.before = func(ctx context.Context) error { // before the store is asked to end the older link
		if !inUse {
			inUse = true
			_, err := f.store.Store.Consume(ctx, id, noon, "the person")
			require.NoError(t, err)
		}
		return nil
	}
	f.link(t, fullInput)
	require.True(t, inUse)
	_, err := f.RedeemBy(t.Context(), older, "the person")
	require.NoError(t, err)
}

func TestSupersedeFails(t *testing.T) {
	f := newFixture(t, supersede)
	f.link(t, fullInput)
	f.store.before = failing(errors.New("outage"))
	response, err := f.Issue(t.Context(), fullInput)
	require.ErrorIs(t, err, magiclink.ErrUnavailable)
	require.Zero(t, response)

	_, err = magiclink.New(magiclink.Config{BaseURL: baseURL, Keys: seededKeyring(t), Store: storeOnly{f.store.Store}, Supersede: true})
	require.ErrorContains(t, err, "Supersede needs a Store that is a Lister")
	for _, store := range []magiclink.Store{unindexed{f.store.Store}, &tapStore{Store: unindexed{f.store.Store}}} {
		_, err = magiclink.New(magiclink.Config{BaseURL: baseURL, Keys: seededKeyring(t), Store: store, Supersede: true})
		require.ErrorContains(t, err, "Supersede needs a Store that lists the links of an address: ")
		require.ErrorContains(t, err, "set the index")
		_, err = magiclink.New(magiclink.Config{BaseURL: baseURL, Keys: seededKeyring(t), Store: store})
		require.NoError(t, err, "the control")
	}
}

// A process that died between the two steps has left a link that looks used: it is shown as revoked, and never as a session.
func TestSupersededHalfway(t *testing.T) {
	f := newFixture(t)
	_, id := f.link(t, fullInput)
	_, err := f.store.Consume(t.Context(), id, noon, "superseded by mlk_"+businessA[4:])
	require.NoError(t, err)
	link, err := f.Get(t.Context(), caller("tenant-1", ""), id)
	require.NoError(t, err)
	require.Equal(t, magiclink.StateRevoked, link.State)
	sessions, err := f.sessions.List(t.Context(), link.Subject)
	require.NoError(t, err)
	require.Empty(t, sessions)
}
