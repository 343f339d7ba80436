package sqlite

import (
	"runtime"
	"time"
)

const (
	// smallCrowd is how many callers are awaited to the last: as long as preparing what all of them write takes less time
	// than a commit, a second commit in between makes nobody faster.
	smallCrowd = 16

	// maxGathering bounds the wait where a commit is slow.
	maxGathering = time.Millisecond
)

// gather waits for callers that are about to queue up: a commit costs the same for many as for one, and those whom the last
// one has answered are often back at once. It yields while that brings more of them. Then it waits for a small crowd to be
// complete, or for half of a large one, so that the others work while the disk does; for as long as two commits take, at most.
//
// A caller that is alone waits for nobody, and does not even yield, since it might be moved to another processor.
func (c *committer) gather() {
	if c.crowd < 2 {
		return
	}
	for before, now := -1, c.waiting(); now > before && now < maxBatch; {
		runtime.Gosched()
		before, now = now, c.waiting()
	}
	if !c.expect(min(c.crowd, max(smallCrowd, c.crowd/2))) {
		return
	}
	timer := time.NewTimer(min(2*c.took, maxGathering))
	defer timer.Stop()
	select {
	case <-c.complete:
	case <-timer.C:
		c.expect(0)
	}
}

func (c *committer) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending)
}

// expect asks to be told when n calls wait. It reports false if they do already.
func (c *committer) expect(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.complete: // they came when nobody waited for them any more
	default:
	}
	c.expected = 0
	if len(c.pending) >= n {
		return false
	}
	c.expected = n
	return true
}
