package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// suspicion is how long connections are tested before use after one of them broke: the others of the pool may be dead, too,
// and a write on a dead connection has an unknown outcome.
const suspicion = 3 * time.Second

// askAgain is how long a runner waits to which the server has refused another connection.
const askAgain = 50 * time.Millisecond

// pool lends connections for one statement each.
type pool struct {
	connections *pgxpool.Pool
	timeout     time.Duration
	brokenAt    atomic.Int64 // when a connection broke, in nanoseconds since start
	start       time.Time
	discards    sync.WaitGroup
}

func newPool(connections *pgxpool.Pool, timeout time.Duration) *pool {
	p := &pool{connections: connections, timeout: timeout, start: time.Now()}
	p.brokenAt.Store(int64(-suspicion))
	return p
}

// acquire returns a connection that is thought to be alive. An error means that nothing was sent.
func (p *pool) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	for {
		conn, err := p.connections.Acquire(ctx)
		if code(err) == codeTooMany && p.has() && pause(ctx) {
			continue // the server gives fewer connections than the pool may have: one of those will be free
		}
		if err != nil {
			return nil, p.explain(ctx, err)
		}
		if err := checkSession(conn.Conn()); err != nil {
			conn.Release()
			return nil, err
		}
		if !p.suspects() {
			return conn, nil
		}
		if err = conn.Ping(ctx); err == nil {
			return conn, nil
		}
		p.discard(conn)
		if ctx.Err() != nil {
			return nil, p.explain(ctx, err)
		}
	}
}

// has reports whether the pool has a connection. Those that it is about to make do not count.
func (p *pool) has() bool {
	stat := p.connections.Stat()
	return stat.AcquiredConns()+stat.IdleConns() > 0
}

// pause waits before the server is asked for a connection once more. It reports false if the context has ended.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(askAgain):
		return true
	}
}

// explain says why there is no connection. The context is that of a runner, so its end is no caller's and does not show.
func (p *pool) explain(ctx context.Context, err error) error {
	stat := p.connections.Stat()
	switch {
	case code(err) == codeTooMany:
		return fmt.Errorf("connect: the server gives this pool fewer than its %d connections: lower MaxConns, or let the server give more: %w", stat.MaxConns(), err)
	case ctx.Err() == nil:
		return fmt.Errorf("connect: %w", err)
	case stat.AcquiredConns() >= stat.MaxConns():
		return fmt.Errorf("no connection within %v, all %d are in use: allow more with MaxConns", p.timeout, stat.MaxConns())
	}
	return fmt.Errorf("connect: no answer within %v: check that host and port are those of PostgreSQL: %v", p.timeout, err) //nolint:errorlint // see above
}

func (p *pool) suspects() bool {
	return time.Since(p.start)-time.Duration(p.brokenAt.Load()) < suspicion
}

// release gives a connection back after a statement that returned err.
func (p *pool) release(conn *pgxpool.Conn, err error) {
	switch {
	case conn == nil:
	case conn.Conn().IsClosed():
		p.brokenAt.Store(int64(time.Since(p.start)))
		p.discard(conn)
	case code(err) == codeReadOnly: // a primary that has become a standby: a new connection may find the new primary
		p.discard(conn)
	default:
		conn.Release()
	}
}

// discard takes a connection out of the pool. Releasing it would keep its place until pgx has told the server, which can
// take 15 seconds if the server does not answer.
func (p *pool) discard(conn *pgxpool.Conn) {
	raw := conn.Hijack()
	if !raw.IsClosed() {
		p.discards.Go(func() { closeConn(raw, p.timeout) })
	}
}

func closeConn(conn *pgx.Conn, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	_ = conn.Close(ctx) // the connection is of no use, whatever the outcome
}
