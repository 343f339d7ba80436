package redis

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/magiclink-go/magiclink"
)

// The attempts at a call. A call can be sent again whatever came of it: each write recognises itself.
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

// reply returns nil for the reply that stands for nothing.
func (c command) reply() (any, error) {
	reply, err := c.Result()
	if errors.Is(err, goredis.Nil) {
		return nil, nil
	}
	return reply, err
}

// sender sends batches.
type sender struct {
	// attempt sends the calls and settles those that a server has carried out. It returns an error for each of the others.
	attempt func(ctx context.Context, calls []*call) []error
	again   bool                  // writes whose connection broke are sent again
	lost    func(context.Context) // look for servers that have taken the place of one that is out of reach
}

// pipeliner sends calls over a client, which knows the server of each key.
type pipeliner struct{ client goredis.UniversalClient }

// send carries out a batch: it answers each call as soon as an attempt has brought its outcome.
func (s *sender) send(ctx context.Context, l *lane, b *batch) {
	open, pause := b.calls, firstPause
	for try := 1; len(open) > 0; try++ {
		errs := s.attempt(ctx, open)
		var done, again []*call
		wait, lost := false, false
		for i, c := range open {
			lost = lost || outOfReach(errs[i])
			switch next := s.judge(c, errs[i]); {
			case next == answerNow || try == attempts:
				done = append(done, c)
			default:
				again = append(again, c)
				wait = wait || next == sendLater
			}
		}
		if lost {
			s.lost(ctx)
		}
		l.answer(done...)
		if open = again; len(open) > 0 && wait {
			time.Sleep(pause/2 + rand.N(pause)) //nolint:gosec // G404: jitter is no secret
			pause *= 2
		}
		if !time.Now().Before(b.deadline) {
			l.answer(open...)
			return
		}
	}
}

func (p pipeliner) attempt(ctx context.Context, calls []*call) []error {
	commands := make([]goredis.Cmder, len(calls))
	for i, c := range calls {
		commands[i] = newCommand(ctx, c.command(c, c.full))
	}
	if len(calls) == 1 {
		_ = p.client.Process(ctx, commands[0]) // the command has the error
	} else {
		pipeline := p.client.Pipeline()
		_ = pipeline.BatchProcess(ctx, commands...)
		_, _ = pipeline.Exec(ctx) // each command has its error
	}
	errs := make([]error, len(calls))
	for i, c := range calls {
		reply, err := commands[i].(command).reply()
		if errs[i] = err; err == nil {
			c.settle(c, reply)
		}
	}
	return errs
}

// next says what to do with a call after an attempt.
type next int

const (
	answerNow next = iota
	sendNow
	sendLater
)

// judge sets the failure of a call after an attempt, and says whether another attempt is promising.
func (s *sender) judge(c *call, err error) next {
	c.failure = nil
	if err == nil {
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
	case !harmless(err) && !timedOut(err) && (s.again || c.reads):
		return sendNow
	}
	return answerNow
}
