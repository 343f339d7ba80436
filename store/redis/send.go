package redis

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/magiclink-go/magiclink"
)

// The attempts at a call. A call can be sent again whatever came of it, since each write recognises itself; [operation] marks those that
// do not.
const (
	attempts   = 4
	firstPause = 5 * time.Millisecond
)

// command is a command that go-redis does not send again by itself: the Store would not see that an earlier attempt may have taken
// place, and would take the error of a later one for the outcome.
type command struct{ *goredis.Cmd }

// NoRetry implements [goredis.Cmder].
func (command) NoRetry() bool { return true }

func newCommand(ctx context.Context, args []any) command {
	return command{goredis.NewCmd(ctx, args...)}
}

// sender sends batches.
type sender struct {
	// attempt sends the calls. It settles those that a server has carried out, and sets err of all of them.
	attempt func(ctx context.Context, calls []*call)
	again   bool                  // writes whose connection broke are sent again
	lost    func(context.Context) // look for servers that have taken the place of one that is out of reach
}

// pipeliner sends calls over a client, which knows the server of each key.
type pipeliner struct{ client goredis.UniversalClient }

// send carries out calls: it answers each as soon as an attempt has brought its outcome. The context has a deadline.
func (s *sender) send(ctx context.Context, l *lane, open []*call) {
	pause := firstPause
	for try := 1; ; try++ {
		s.attempt(ctx, open)
		again, wait := s.judgeAll(ctx, open)
		if len(again) == 0 || try == attempts || over(ctx) {
			l.answer(open...)
			return
		}
		l.answer(slices.DeleteFunc(slices.Clone(open), func(c *call) bool { return slices.Contains(again, c) })...)
		if open = again; wait {
			time.Sleep(pause/2 + rand.N(pause)) //nolint:gosec // G404: jitter is no secret
			pause *= 2
		}
	}
}

// over reports whether the deadline of the context has passed.
func over(ctx context.Context) bool {
	deadline, _ := ctx.Deadline()
	return !time.Now().Before(deadline)
}

// judgeAll returns the calls for which another attempt is promising, and whether to wait before it.
func (s *sender) judgeAll(ctx context.Context, calls []*call) (again []*call, wait bool) {
	lost := false
	for _, c := range calls {
		lost = lost || outOfReach(c.err)
		if next := s.judge(c); next != answerNow {
			again = append(again, c)
			wait = wait || next == sendLater
		}
	}
	if lost {
		s.lost(ctx)
	}
	return again, wait
}

func (p pipeliner) attempt(ctx context.Context, calls []*call) {
	if len(calls) == 1 {
		c := calls[0]
		one := newCommand(ctx, c.command(c, c.full))
		_ = p.client.Process(ctx, one) // the command has the error
		c.take(one)
		return
	}
	commands := make([]goredis.Cmder, len(calls))
	for i, c := range calls {
		commands[i] = newCommand(ctx, c.command(c, c.full))
	}
	pipeline := p.client.Pipeline()
	_ = pipeline.BatchProcess(ctx, commands...)
	_, _ = pipeline.Exec(ctx) // each command has its error
	for i, c := range calls {
		c.take(commands[i].(command))
	}
}

// take settles the call if the server has carried it out, and sets err.
func (c *call) take(from command) {
	reply, err := from.Result()
	if err != nil {
		if !errors.Is(err, goredis.Nil) {
			c.err = err
			return
		}
		reply = nil
	}
	c.err = nil
	c.settle(c, reply)
}

// next says what to do with a call after an attempt.
type next int

const (
	answerNow next = iota
	sendNow
	sendLater
)

// judge sets the failure of a call after an attempt, and says whether another attempt is promising.
func (s *sender) judge(c *call) next {
	err := c.err
	if c.failure = nil; err == nil {
		return answerNow
	}
	c.unknown = c.unknown || !harmless(err)
	c.fail(err)
	switch {
	case errors.Is(err, magiclink.ErrUnknownOutcome):
	case goredis.HasErrorPrefix(err, "NOSCRIPT"):
		c.full = true
		return sendNow
	case passing(err):
		return sendLater
	case !harmless(err) && !timedOut(err) && !c.once && (s.again || c.reads):
		return sendNow
	}
	return answerNow
}
