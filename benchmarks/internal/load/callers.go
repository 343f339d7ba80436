// Package load calls something from many goroutines at once, in a closed loop: each caller waits for its answer.
package load

import (
	"slices"
	"sync"
	"time"
)

// Outcome is what the callers have done.
type Outcome struct {
	Calls     int
	Took      time.Duration
	Latencies []time.Duration // of every call, sorted
}

// Callers lets n goroutines call without pause for the time d, or until call returns [ErrStop]. Any other
// error ends its caller and is returned.
func Callers(n int, d time.Duration, call func(caller int) error) (Outcome, error) {
	latencies := make([][]time.Duration, n)
	errs := make([]error, n)
	start := time.Now()
	end := start.Add(d)
	var group sync.WaitGroup
	for caller := range n {
		group.Go(func() { latencies[caller], errs[caller] = repeat(caller, end, call) })
	}
	group.Wait()
	outcome := Outcome{Took: time.Since(start)}
	for caller := range n {
		if errs[caller] != nil && errs[caller] != ErrStop { //nolint:errorlint // it is never wrapped
			return Outcome{}, errs[caller]
		}
		outcome.Latencies = append(outcome.Latencies, latencies[caller]...)
	}
	outcome.Calls = len(outcome.Latencies)
	slices.Sort(outcome.Latencies)
	return outcome, nil
}

func repeat(caller int, end time.Time, call func(caller int) error) (latencies []time.Duration, err error) {
	for before := time.Now(); before.Before(end); {
		if err := call(caller); err != nil {
			return latencies, err
		}
		now := time.Now()
		latencies = append(latencies, now.Sub(before))
		before = now
	}
	return latencies, nil
}
