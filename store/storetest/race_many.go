package storetest

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	fewestLinks = 16
	mostLinks   = 4096
	manyRounds  = 40
	manyTime    = 250 * time.Millisecond
)

// raceConsumeMany lets each racer consume the same links in the same order. A racer that is refused is faster than the one
// that wins, so racers catch up with each other and meet at most of the links. This finds a store that checks and then writes
// under two locks, although the window between them is a few nanoseconds: a race for one link alone hardly ever hits it.
//
// The rounds grow and end after some time, so that the case suits a store that syncs each commit: such a store has wide windows.
func raceConsumeMany(t tester, s magiclink.Store) {
	began := time.Now()
	links := fewestLinks
	for round, first := 0, 0; round < manyRounds && (round == 0 || time.Since(began) < manyTime); round++ {
		records := make([]magiclink.Record, links)
		for i := range records {
			records[i] = liveRecord(first + i)
		}
		createTogether(t, s, records)
		pace := steady
		if round%2 == 1 {
			pace = stumble
		}
		raceThrough(t, s, records, pace)
		first += links
		links = min(2*links, mostLinks)
	}
}

// createTogether creates the records concurrently, for a store that shares commits.
func createTogether(t tester, s magiclink.Store, records []magiclink.Record) {
	t.Helper()
	errs := make([]error, len(records))
	race(racers, func(me int) {
		for i := me; i < len(records); i += racers {
			errs[i] = s.Create(t.Context(), records[i])
		}
	})
	for _, err := range errs {
		if err != nil {
			t.Fatalf("Create: %v", err)
		}
	}
}

// raceThrough has few racers: they meet more often than many would, since few of many run at the same time.
func raceThrough(t tester, s magiclink.Store, records []magiclink.Record, pace func()) {
	t.Helper()
	const (
		rule  = "of racing Consumes with different by exactly one succeeds, the others get ErrConsumed"
		crowd = 4
	)
	at := now()
	errs := make([][crowd]error, len(records))
	race(crowd, func(me int) {
		by := racerBy(me)
		for i := range records {
			pace()
			_, errs[i][me] = s.Consume(t.Context(), records[i].ID, at, by)
		}
	})
	for i, record := range records {
		won := winners(t, errs[i][:], rule, magiclink.ErrConsumed)
		if len(won) != 1 {
			t.Fatalf("%s: %d of %d succeeded", rule, len(won), crowd)
		}
		wantStored(t, s, consumed(record, at, racerBy(won[0])), "after a race the record has the ConsumedBy of the winner")
	}
}

func steady() {}

var nothing atomic.Int32

// stumble loses a random moment, and sometimes its turn. Otherwise two racers can fall into step for the whole race.
func stumble() {
	if rand.N(4) == 0 { //nolint:gosec // G404: no secret
		runtime.Gosched()
	}
	for range rand.N(64) { //nolint:gosec // G404: no secret
		nothing.Load()
	}
}
