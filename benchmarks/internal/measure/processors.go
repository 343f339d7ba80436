package measure

import (
	"runtime"
	"sync"
	"time"
)

// Processors returns how many processors other programs leave to this one: it keeps all of them busy for the time and looks
// how much it got.
func Processors(d time.Duration) float64 {
	start, before := time.Now(), processorTime()
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for time.Since(start) < d { // being busy is the work
			}
		})
	}
	group.Wait()
	return (processorTime() - before).Seconds() / time.Since(start).Seconds()
}
