package sqlite

import (
	"runtime"
	"time"
)

const (
	// smallCrowd is the largest crowd that a batch waits for. A few callers in a closed loop all prepare their next calls while
	// the disk has nothing to do, and a commit for half of them makes none of them faster. More callers than this keep both the
	// processors and the disk busy without a wait.
	smallCrowd = 16

	// maxGathering bounds the wait. It is several times as long as callers take to prepare their calls, and as short as a timer
	// gets in an idle process.
	maxGathering = time.Millisecond
)

// After a wait that did not bring the crowd, a number of batches goes without a wait: a few at first, and twice as many after
// each further wait of this kind, until waits have brought the crowd this often in succession.
const (
	shortPause = 4
	longPause  = 512
	proof      = 16
)

// gathering decides whether a batch waits for callers that are about to queue up, because a commit costs the same for many
// calls as for one. The wait pays where the same callers come back at once, each with its next call. It does not pay where
// calls come at random moments, so gathering learns which of the two is the case.
type gathering struct {
	crowd  int // how many calls were in the last batch or waited at its end
	paused int // for how many more batches there is no wait
	pause  int // the length of the last pause
	streak int // how many waits in succession have brought the crowd
}

// wait returns how many calls to wait for, or 0 for no wait.
func (g *gathering) wait() int {
	if g.crowd < 2 || g.crowd > smallCrowd {
		return 0
	}
	if g.paused > 0 {
		g.paused--
		return 0
	}
	return g.crowd
}

// waited learns from a wait, which has brought the crowd or has not.
func (g *gathering) waited(complete bool) {
	if !complete {
		g.pause = min(max(2*g.pause, shortPause), longPause)
		g.paused, g.streak = g.pause, 0
		return
	}
	if g.streak++; g.streak >= proof {
		g.pause = 0
	}
}

// gather lets callers queue up before a batch: it yields as long as that brings more of them, and then may wait for the rest
// of the crowd. It does neither for a caller that is alone: even a yield might move the goroutine to another processor.
func (c *committer) gather() {
	if c.gathering.crowd < 2 {
		return
	}
	for before, now := -1, c.waiting(); now > before && now < maxBatch; {
		runtime.Gosched()
		before, now = now, c.waiting()
	}
	complete := c.expect(c.gathering.wait())
	if complete == nil {
		return
	}
	timer := time.NewTimer(maxGathering)
	defer timer.Stop()
	select {
	case <-complete:
		c.gathering.waited(true)
	case <-timer.C:
		c.expect(0)
		c.gathering.waited(false)
	}
}

func (c *committer) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending)
}

// expect returns a channel that is closed when n calls wait, or nil if they wait already. It replaces what was expected
// before.
func (c *committer) expect(n int) (complete <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) >= n {
		c.expected = 0
		return nil
	}
	c.expected, c.complete = n, make(chan struct{})
	return c.complete
}
