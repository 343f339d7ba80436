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

// racerBy is the by of one racer.
func racerBy(i int) string { return fmt.Sprintf("racer %d", i) }

// winners checks that each error is nil or matches one of the losing verdicts. It returns the numbers of the errors that
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
	const rule = "of racing Consumes with different by exactly one succeeds, the others get ErrConsumed"
	for round := range rounds {
		want := liveRecord(round)
		mustCreate(t, s, want)
		at := now()
		records, errs := make([]magiclink.Record, racers), make([]error, racers)
		race(racers, func(i int) {
			records[i], errs[i] = s.Consume(t.Context(), want.ID, at.Add(time.Duration(i)*time.Millisecond), racerBy(i))
		})
		won := winners(t, errs, rule, magiclink.ErrConsumed)
		if len(won) != 1 {
			t.Fatalf("%s: %d of %d succeeded", rule, len(won), racers)
		}
		want = consumed(want, at.Add(time.Duration(won[0])*time.Millisecond), racerBy(won[0]))
		wantRecord(t, records[won[0]], want, "the winner of a race gets the record as it is afterwards")
		wantStored(t, s, want, "after a race the record has the ConsumedAt and ConsumedBy of the winner")
	}
}

// raceConsumeSameBy is one browser that sends a form several times.
func raceConsumeSameBy(t tester, s magiclink.Store) {
	const rule = "of racing Consumes with the same by all succeed and return the one record that the first of them wrote"
	for round := range rounds {
		r := liveRecord(round)
		mustCreate(t, s, r)
		at := now()
		records, errs := make([]magiclink.Record, racers), make([]error, racers)
		race(racers, func(i int) {
			records[i], errs[i] = s.Consume(t.Context(), r.ID, at.Add(time.Duration(i)*time.Millisecond), firstBy)
		})
		if won := winners(t, errs, rule); len(won) != racers {
			t.Fatalf("%s: %d of %d succeeded", rule, len(won), racers)
		}
		first := records[0].ConsumedAt
		if first.Before(at) || !first.Before(at.Add(racers*time.Millisecond)) {
			t.Errorf("%s: ConsumedAt must be the time of one of the racers; got %v", rule, first)
		}
		want := consumed(r, first, firstBy)
		for _, got := range records {
			wantRecord(t, got, want, rule)
		}
		wantStored(t, s, want, rule)
	}
}

func raceConsumeAndRevoke(t tester, s magiclink.Store) {
	const rule = "a race of Consume and Revoke ends as if one had come after the other"
	for round := range rounds {
		want := liveRecord(round)
		mustCreate(t, s, want)
		at := now()
		var failure error
		records, errs := make([]magiclink.Record, racers), make([]error, racers)
		race(racers, func(i int) {
			if i == round%racers { // early in some rounds, late in others
				failure = s.Revoke(t.Context(), want.ID, at)
				errs[i] = magiclink.ErrRevoked // it does not compete
				return
			}
			records[i], errs[i] = s.Consume(t.Context(), want.ID, at, racerBy(i))
		})
		if failure != nil {
			t.Errorf("%s: Revoke must succeed whether or not the link was used; got %v", rule, failure)
		}
		won := winners(t, errs, rule, magiclink.ErrConsumed, magiclink.ErrRevoked)
		switch {
		case len(won) > 1:
			t.Fatalf("%s: %d Consumes succeeded", rule, len(won))
		case len(won) == 1:
			want = consumed(want, at, racerBy(won[0]))
			wantRecord(t, records[won[0]], want, rule+": a Consume that succeeds came first and sees no RevokedAt")
		}
		want = revoked(want, at)
		wantStored(t, s, want, rule+": RevokedAt is set, ConsumedAt only if a Consume succeeded")
	}
}

// raceConsumeAndPurge consumes a link in its last millisecond while a Purge, by a clock that is a little ahead, finds the
// link expired. The records of earlier rounds were removed or have sessions that last: Purge can remove one record.
func raceConsumeAndPurge(t tester, s magiclink.Store) {
	const rule = "a race of Consume and Purge ends as if one had come after the other: a session that began keeps its record"
	for round := range rounds {
		want := liveRecord(round)
		mustCreate(t, s, want)
		last := want.ExpiresAt.Add(-time.Millisecond)
		var removed int
		var failure, err error
		race(2, func(i int) {
			if i == round%2 { // early in some rounds, late in others
				removed, failure = s.Purge(t.Context(), want.ExpiresAt.Add(time.Millisecond), everything)
				return
			}
			_, err = s.Consume(t.Context(), want.ID, last, firstBy)
		})
		if failure != nil {
			t.Fatalf("%s: Purge must succeed; got %v", rule, failure)
		}
		switch {
		case err == nil && removed == 0:
			wantStored(t, s, consumed(want, last, firstBy), rule)
		case errors.Is(err, magiclink.ErrNotFound) && removed == 1:
			wantAbsent(t, s, want.ID, rule)
		default:
			t.Fatalf("%s: Consume returned %v and Purge removed %d", rule, err, removed)
		}
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
