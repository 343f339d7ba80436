package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/magiclink-go/magiclink"
)

// call is one caller's operation on its way through a lane.
type call struct {
	send   sendFunc
	reads  bool // changes nothing
	id     string
	ids    []string         // of a RevokeSubject, as they are stored
	rate   magiclink.Rate   // of a Take, whose key is the id
	wait   time.Duration    // what a Take returns
	record magiclink.Record // the record to create, or the one that was found
	at     time.Time
	by     string
	limit  int
	waits  bool // a purge that waits for locked rows
	due    int  // how many records a purge has looked at
	n      int  // how many of them it has removed

	// A runner sets the fields below before it closes done.
	verdict error // an ordinary outcome, such as [magiclink.ErrConsumed]
	failure error // an outage
	alone   bool  // the statement has not decided about this call: repeat it alone
	done    chan struct{}

	// The fields below are guarded by desk.mu.
	lane  *lane
	state state
	batch *batch // the last one that carried the call
}

type state int

const (
	queued    state = iota // nothing has happened
	running                // in a statement
	answered               // verdict and failure say what came of it
	abandoned              // the caller has left
)

// found returns the record, or the zero Record beside an error.
func (c *call) found(err error) (magiclink.Record, error) {
	if err != nil {
		return magiclink.Record{}, err
	}
	return c.record, nil
}

// querier is a connection, or a transaction of the application.
type querier interface {
	Conn() *pgx.Conn
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// sendFunc carries out calls of one kind in one statement, and sets what came of each. An error concerns all of them. For one
// call the statement waits for rows that are locked. For several calls it does not: it then sets alone.
type sendFunc func(ctx context.Context, q querier, calls []*call) error

// batch is the calls that share a statement.
type batch struct {
	pool  *pool
	calls []*call
	send  sendFunc

	// The fields below are guarded by desk.mu.
	waiting  int       // how many callers have not left
	leftAt   time.Time // when the last of them left
	conn     net.Conn  // the connection while the statement is on its way
	whyIsCut error     // nil unless the watcher has cut the connection
}

var errNobodyWaits = errors.New("the context of every caller has ended")

// newBatch makes the calls running. The caller holds desk.mu.
func newBatch(p *pool, calls []*call) *batch {
	b := &batch{pool: p, calls: calls, send: calls[0].send, waiting: len(calls)}
	for _, c := range calls {
		c.state, c.batch = running, b
	}
	return b
}

// leave counts a caller that has left. The caller holds desk.mu.
func (b *batch) leave() {
	if b.waiting--; b.waiting == 0 {
		b.leftAt = time.Now()
	}
}

// cut makes the statement end with an error. Closing a TLS connection could wait for the server. The caller holds desk.mu.
func (b *batch) cut(why error) {
	if b.whyIsCut == nil {
		b.whyIsCut = why
		_ = b.conn.SetDeadline(time.Unix(1, 0))
	}
}

// The pauses between repetitions of a statement that the server could not serialize.
const (
	repetitions  = 12
	readAttempts = 3 // of a read whose connection breaks
	firstPause   = time.Millisecond
	longestPause = 100 * time.Millisecond
)

// run sends the batch, and sends it again as long as that is safe and promising. It releases the connection.
func (b *batch) run(r *runner, conn *pgxpool.Conn) error {
	pause := firstPause
	for try := 1; ; try++ {
		err, cut := b.sendOver(r, conn)
		switch {
		case cut != nil:
			b.pool.discard(conn)
			return b.explain(err, cut)
		case len(b.calls) > 1 && ownFault(err):
			b.separate()
			b.pool.release(conn, err)
			return nil
		}
		b.pool.release(conn, err)
		if err == nil || try == repetitions || !b.repeatable(err, try) {
			return b.explain(err, nil)
		}
		if conflicts(err) {
			time.Sleep(pause/2 + rand.N(pause)) //nolint:gosec // jitter is no secret
			pause = min(2*pause, longestPause)
		}
		var failure error
		if conn, failure = r.acquire(); failure != nil {
			return failure
		}
	}
}

// sendOver sends the batch over a connection, which the watcher cuts if the server does not answer. The connection that was cut is
// of no use, even if the answer came at the last moment.
func (b *batch) sendOver(r *runner, conn *pgxpool.Conn) (err, cut error) {
	mu := &r.lane.desk.mu
	mu.Lock()
	b.conn, r.batch, r.phase = conn.Conn().PgConn().Conn(), b, time.Now()
	mu.Unlock()
	returned := false
	defer func() { // also when a hook ends the goroutine
		if !returned {
			b.pool.discard(conn)
		}
	}()
	err = b.guardedSend(conn)
	returned = true
	mu.Lock()
	defer mu.Unlock()
	b.conn, r.batch, r.phase = nil, nil, time.Now()
	if errors.Is(err, errHook) {
		b.whyIsCut = errHook
	}
	return err, b.whyIsCut
}

func (b *batch) guardedSend(conn *pgxpool.Conn) (err error) {
	defer recoverHook(&err)
	return b.send(context.Background(), conn, b.calls)
}

// errHook stands for a panic of code that the application has hung into its pool. The value of the panic may hold anything and is
// not shown.
var errHook = errors.New("a hook or a tracer of the pool has panicked")

func recoverHook(err *error) {
	if recover() != nil {
		*err = errHook
	}
}

// repeatable reports whether the statement has certainly changed nothing and may succeed when it is repeated.
func (b *batch) repeatable(err error, try int) bool {
	return conflicts(err) || pgconn.SafeToRetry(err) || idled(err) || outdated(err) || b.calls[0].reads && broken(err) && try < readAttempts
}

// separate lets each call be repeated alone: one of them has failed the statement by its own fault.
func (b *batch) separate() {
	for _, c := range b.calls {
		c.alone = true
	}
}

// explain returns the error of the calls. Cut is not nil if the connection was cut.
func (b *batch) explain(err, cut error) error {
	if err == nil {
		return nil
	}
	if cut != nil && !errors.Is(err, cut) {
		err = fmt.Errorf("%w: %w", cut, err)
	}
	err = withAdvice(err)
	if b.calls[0].reads || harmless(err) {
		return err
	}
	return fmt.Errorf("%w: %w", magiclink.ErrUnknownOutcome, err)
}
