package redis

import (
	"errors"
	"fmt"
	"time"

	"github.com/magiclink-go/magiclink"
)

// operation says how calls of one kind become commands.
type operation struct {
	reads bool // changes nothing
	once  bool // does not recognise itself, so it is not sent again once it may have taken place

	// command returns the arguments of the command. Full says that the server does not know the script by its name.
	command func(c *call, full bool) []any
	// settle reads the reply, nil if there is none, and sets what came of the call.
	settle func(c *call, reply any)
}

// call is one caller's operation on its way through the lane.
type call struct {
	*operation
	key      string
	id       string
	value    []byte // to create
	stop     int64  // when the server may remove the value, in milliseconds
	at       time.Time
	by       string
	mark     string
	confirm  bool      // replicas confirm the write
	deadline time.Time // of the caller's context; zero: none

	// The sender sets the fields below before it answers.
	entry   *entry // that was found
	verdict error  // an ordinary outcome, such as [magiclink.ErrConsumed]
	failure error  // an outage
	err     error  // of the last attempt
	unknown bool   // an attempt may have taken place
	full    bool   // the server does not know the script

	redirect string // the address of the server that another one has named
	asking   bool   // that server has the key as a guest

	// The fields below are guarded by lane.mu.
	done  chan struct{} // closed when the call is answered; nil if its caller has carried it out
	state state
}

type state int

const (
	queued    state = iota // nothing has happened
	running                // in a pipeline
	answered               // verdict and failure say what came of it
	abandoned              // the caller has left
)

// found returns the record, or the zero Record beside an error.
func (c *call) found(err error) (magiclink.Record, error) {
	if err != nil {
		return magiclink.Record{}, err
	}
	return c.entry.Record, nil
}

// fail sets the failure of the call. Nothing was changed, unless an attempt may have taken place.
func (c *call) fail(err error) {
	err = withAdvice(err)
	if c.unknown && !c.reads && !errors.Is(err, magiclink.ErrUnknownOutcome) {
		err = fmt.Errorf("%w: %w", magiclink.ErrUnknownOutcome, err)
	}
	c.failure = err
}

// batch is the calls that share a pipeline.
type batch struct {
	calls    []*call
	deadline time.Time
}

// grace is how long a pipeline may go on after the last deadline of its callers. It is long enough that impatient callers do not cost
// a connection each.
const grace = 500 * time.Millisecond

// newBatch makes the calls running. The caller holds lane.mu.
func newBatch(calls []*call, now time.Time, timeout time.Duration) batch {
	b := batch{calls: calls, deadline: now.Add(timeout)}
	var last time.Time
	for _, c := range calls {
		c.state = running
		if c.deadline.IsZero() {
			last = b.deadline
		} else if c.deadline.After(last) {
			last = c.deadline
		}
	}
	if last = last.Add(grace); last.Before(b.deadline) {
		b.deadline = last
	}
	return b
}
