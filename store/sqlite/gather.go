package sqlite

import (
	"runtime"
	"time"
)

const (
	// smallCrowd is how many callers are waited for to the last. While they prepare what they write the disk has nothing to
	// do, and a commit in between makes nobody faster. More callers keep both busy without being waited for.
	smallCrowd = 16

	// maxGathering bounds the wait: several times what preparing takes, and as short as a timer gets in an idle process.
	maxGathering = time.Millisecond
)

// A wait in vain is followed by a number of batches without one: a few at first, and twice as many each time until waiting
// has proved right this often in succession.
const (
	shortPause = 4
	longPause  = 512
	proof      = 16
)

// gathering decides whether to wait for callers who are about to queue up: a commit costs the same for many as for one. It is
// worth it where the same callers come back at once, each with its next call, and not where calls come when they like.
type gathering struct {
	crowd  int // how many calls were in the last batch, or waited at its end
	paused int // for how many batches there is no wait
	pause  int // the length of the last pause
	streak int // how many waits were not in vain since then
}

// wait says how many calls to wait for; 0 means not to wait.
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

// waited takes the outcome of a wait.
func (g *gathering) waited(inVain bool) {
	if inVain {
		g.pause = min(max(2*g.pause, shortPause), longPause)
		g.paused, g.streak = g.pause, 0
		return
	}
	if g.streak++; g.streak >= proof {
		g.pause = 0
	}
}

// gather lets callers queue up before a batch: it yields while that brings more of them, and then may wait for some that
// are missing. For a caller that is alone it does neither, since even by yielding it might be moved to another processor.
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
		c.gathering.waited(false)
	case <-timer.C:
		c.expect(0)
		c.gathering.waited(true)
	}
}

func (c *committer) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending)
}

// expect returns what is closed when n calls wait, or nil if they do already. It replaces what was expected before.
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
