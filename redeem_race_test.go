package magiclink_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// racers is how many redeem one link at once.
const racers = 16

// raceRounds is how many links are raced for.
func raceRounds() int {
	if testing.Short() {
		return 500
	}
	return 10_000
}

// outcomes is what many races have come to.
type outcomes struct {
	winners []atomic.Int32 // of each round
	others  atomic.Int64   // losers that were told something else than ErrConsumed
	mixedUp atomic.Int64   // winners that were given another link's redemption
}

// faulty is the number of rounds that had no winner, or several.
func (o *outcomes) faulty() (n int) {
	for i := range o.winners {
		if o.winners[i].Load() != 1 {
			n++
		}
	}
	return n
}

// raceTrack is an Issuer and a Redeemer on one store. Their keys are symmetric because that verifies fastest: the race
// is in the store.
type raceTrack struct {
	issuer   *magiclink.Issuer
	redeemer *magiclink.Redeemer
}

func newRaceTrack(tb testing.TB, store magiclink.Store) raceTrack {
	tb.Helper()
	keys, err := magiclink.NewKeyring([]byte("a secret of thirty-two bytes or more"))
	require.NoError(tb, err)
	issuer, err := magiclink.New(magiclink.Config{BaseURL: baseURL, Keys: keys, Store: store})
	require.NoError(tb, err)
	redeemer, err := magiclink.NewRedeemer(magiclink.Config{BaseURL: baseURL, Keys: keys, Store: store})
	require.NoError(tb, err)
	return raceTrack{issuer, redeemer}
}

// run races for each of many links, with a number of links at a time so that a store can commit many in one go.
func (r raceTrack) run(tb testing.TB, rounds, atATime int) *outcomes {
	tb.Helper()
	o := &outcomes{winners: make([]atomic.Int32, rounds)}
	for first := 0; first < rounds; first += atATime {
		r.batch(tb, o, first, min(atATime, rounds-first))
	}
	return o
}

func (r raceTrack) batch(tb testing.TB, o *outcomes, first, size int) {
	tb.Helper()
	links, errs := make([]magiclink.MagicLinkResponse, size), make([]error, size)
	var issued sync.WaitGroup
	for i := range size {
		issued.Go(func() {
			links[i], errs[i] = r.issuer.Issue(tb.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
		})
	}
	issued.Wait()
	require.NoError(tb, errors.Join(errs...))
	tokens := make([]string, size)
	for i, link := range links {
		tokens[i] = tokenOf(tb, link.MagicLink)
	}

	ctx := tb.Context()
	var done sync.WaitGroup
	start := make(chan struct{})
	for n := range racers * size {
		i := n % size
		done.Go(func() {
			<-start
			redeemed, err := r.redeemer.Redeem(ctx, tokens[i])
			switch {
			case err == nil && redeemed.MagicLinkID == links[i].MagicLinkID:
				o.winners[first+i].Add(1)
			case err == nil:
				o.mixedUp.Add(1)
			case !errors.Is(err, magiclink.ErrConsumed):
				o.others.Add(1)
			}
		})
	}
	close(start)
	done.Wait()
}

// Of all racers for one link exactly one succeeds. Every other racer is told that the link was used.
func TestRaceOfRedemptions(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newRaceTrack(t, open(t)).run(t, raceRounds(), 100)
			require.Len(t, o.winners, raceRounds())
			require.Zero(t, o.faulty(), "each link had one winner")
			require.Zero(t, o.others.Load(), "the losers were told that the link was used")
			require.Zero(t, o.mixedUp.Load())
		})
	}
}

// The control: the race finds stores that check and then write.
func TestRaceFindsStoresThatCheckThenWrite(t *testing.T) {
	for name, pause := range map[string]func() func(string){
		"by chance":   func() func(string) { return func(string) { runtime.Gosched() } },
		"by all odds": waitForAll,
	} {
		t.Run(name, func(t *testing.T) {
			store := &checkThenWrite{Store: memory.New(), pause: pause(), used: map[string]bool{}}
			o := newRaceTrack(t, store).run(t, 200, 20)
			require.Positive(t, o.faulty())
			require.Zero(t, o.mixedUp.Load())
		})
	}
}

// waitForAll makes each racer wait until all racers have asked about an id.
func waitForAll() func(string) {
	var mu sync.Mutex
	waiting := map[string]*sync.WaitGroup{}
	return func(id string) {
		mu.Lock()
		group := waiting[id]
		if group == nil {
			group = new(sync.WaitGroup)
			group.Add(racers)
			waiting[id] = group
		}
		mu.Unlock()
		group.Done()
		group.Wait()
	}
}

// checkThenWrite is a store as it should not be: between the check and the write there is room for others.
type checkThenWrite struct {
	magiclink.Store
	pause func(id string)

	mu   sync.Mutex
	used map[string]bool
}

func (s *checkThenWrite) Consume(ctx context.Context, id string, at time.Time, _ string) (magiclink.Record, error) {
	record, err := s.Get(ctx, id)
	if err != nil {
		return magiclink.Record{}, err
	}
	s.mu.Lock()
	used := s.used[id]
	s.mu.Unlock()
	s.pause(id)
	if used {
		return magiclink.Record{}, magiclink.ErrConsumed
	}
	s.mu.Lock()
	s.used[id] = true
	s.mu.Unlock()
	record.ConsumedAt = at
	return record, nil
}

// A revocation that races a redemption comes before it or after it.
func TestRaceOfRedemptionAndRevocation(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			for range 200 {
				token, id := f.link(t, fullInput)
				var redeemErr, revokeErr error
				var both sync.WaitGroup
				both.Go(func() { _, redeemErr = f.Redeem(t.Context(), token) })
				both.Go(func() { revokeErr = f.Revoke(t.Context(), "tenant-1", id) })
				both.Wait()
				require.NoError(t, revokeErr)
				record, err := f.store.Store.Get(t.Context(), id)
				require.NoError(t, err)
				require.False(t, record.RevokedAt.IsZero())
				require.Equal(t, record.ConsumedAt.IsZero(), errors.Is(redeemErr, magiclink.ErrRevoked))
				require.Equal(t, !record.ConsumedAt.IsZero(), redeemErr == nil)
			}
		})
	}
}
