package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	rounds = 20
	racers = 16
)

// race starts n calls at the same moment and returns when all have ended.
func race(n int, call func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			call(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// winners checks that each error is nil or matches one of the losing verdicts and returns the numbers of those that
// are nil.
func winners(t tester, errs []error, rule string, losing ...error) []int {
	t.Helper()
	var won []int
	for i, err := range errs {
		lost := false
		for _, verdict := range losing {
			lost = lost || errors.Is(err, verdict)
		}
		switch {
		case err == nil:
			won = append(won, i)
		case !lost:
			t.Errorf("%s: a loser got %v; want one of %q", rule, err, losing)
		}
	}
	return won
}

func raceConsume(t tester, s magiclink.Store) {
	const rule = "of racing Consumes exactly one succeeds, the others get ErrConsumed"
	for round := range rounds {
		want := liveRecord(round)
		mustCreate(t, s, want)
		at := now()
		records, errs := make([]magiclink.Record, racers), make([]error, racers)
		race(racers, func(i int) {
			records[i], errs[i] = s.Consume(t.Context(), want.ID, at.Add(time.Duration(i)*time.Millisecond))
		})
		won := winners(t, errs, rule, magiclink.ErrConsumed)
		if len(won) != 1 {
			t.Fatalf("%s: %d of %d succeeded", rule, len(won), racers)
		}
		want.ConsumedAt = at.Add(time.Duration(won[0]) * time.Millisecond)
		wantRecord(t, records[won[0]], want, "the winner of a race gets the record as it is afterwards")
		wantStored(t, s, want, "after a race the record has the time of the winner")
	}
}

func raceConsumeAndRevoke(t tester, s magiclink.Store) {
	const rule = "a race of Consume and Revoke ends as if one had come after the other"
	for round := range rounds {
		want := liveRecord(round)
		mustCreate(t, s, want)
		at := now()
		var revoked error
		records, errs := make([]magiclink.Record, racers), make([]error, racers)
		race(racers, func(i int) {
			if i == round%racers { // early in some rounds, late in others
				revoked = s.Revoke(t.Context(), want.ID, at)
				errs[i] = magiclink.ErrRevoked // it does not compete
				return
			}
			records[i], errs[i] = s.Consume(t.Context(), want.ID, at)
		})
		if revoked != nil {
			t.Errorf("%s: Revoke must succeed whether or not the link was used; got %v", rule, revoked)
		}
		won := winners(t, errs, rule, magiclink.ErrConsumed, magiclink.ErrRevoked)
		switch {
		case len(won) > 1:
			t.Fatalf("%s: %d Consumes succeeded", rule, len(won))
		case len(won) == 1:
			want.ConsumedAt = at
			wantRecord(t, records[won[0]], want, rule+": a Consume that succeeds came first and sees no RevokedAt")
		}
		want.RevokedAt = at
		wantStored(t, s, want, rule+": RevokedAt is set, ConsumedAt only if a Consume succeeded")
	}
}

func raceCreate(t tester, s magiclink.Store) {
	const rule = "of racing Creates with one id exactly one succeeds, the others get ErrExists"
	for round := range rounds {
		records, errs := make([]magiclink.Record, racers), make([]error, racers)
		for i := range records {
			records[i] = liveRecord(round)
			records[i].Email = fmt.Sprintf("racer-%d@example.com", i)
		}
		race(racers, func(i int) { errs[i] = s.Create(t.Context(), records[i]) })
		won := winners(t, errs, rule, magiclink.ErrExists)
		if len(won) != 1 {
			t.Fatalf("%s: %d of %d succeeded", rule, len(won), racers)
		}
		wantStored(t, s, records[won[0]], "after a race of Creates the record is the winner's")
	}
}

func raceRevoke(t tester, s magiclink.Store) {
	for round := range rounds {
		r := liveRecord(round)
		mustCreate(t, s, r)
		at := now()
		errs, seen := make([]error, racers), make([]time.Time, racers)
		race(racers, func(i int) {
			errs[i] = s.Revoke(t.Context(), r.ID, at.Add(time.Duration(i)*time.Millisecond))
			if got, err := s.Get(t.Context(), r.ID); err == nil {
				seen[i] = got.RevokedAt
			}
		})
		for i := range racers {
			if errs[i] != nil {
				t.Errorf("of racing Revokes all succeed; got %v", errs[i])
			}
			if seen[i].IsZero() || !seen[i].Equal(seen[0]) {
				t.Fatalf("of racing Revokes one sets the time and it never changes: seen %v and %v", seen[0], seen[i])
			}
		}
	}
}
