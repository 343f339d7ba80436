package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/magiclink-go/magiclink"
)

// ErrClosed is what every call returns after [Store.Close].
var ErrClosed = errors.New("the store is closed")

// ErrNotMigrated is what calls return, [Store.Ping] among them, while the tables are missing or older than this package needs.
var ErrNotMigrated = errors.New("the tables are missing or older than this package: call Migrate, or apply Migrations with your own tool")

var (
	errNoStore  = errors.New("the Store is not initialized: use New")
	errZeroTime = errors.New("the time is zero: pass the current time")
)

// defaultTimeout is that of the zero [Options].
const defaultTimeout = 5 * time.Second

// Options configures a [Store]. The zero Options suit most applications.
type Options struct {
	// Schema is the schema of the tables. It may be any name; statements quote it. Empty means [DefaultSchema].
	Schema string
	// Timeout bounds how long the Store waits for a connection, and then for the answer to one statement. It frees what a
	// server that does not answer occupies. Callers wait no longer than their context allows, whatever the Timeout.
	// Zero means 5 seconds.
	Timeout time.Duration
}

// Store is a [magiclink.Store] on a PostgreSQL database. All its methods may be called from any number of goroutines, and any
// number of Stores, in one process or in several, may share one database.
// The zero Store is not usable: each of its methods returns an error. Use [New].
type Store struct {
	schema schema
	sql    *statements
	pool   *pool
	desk   *desk

	read, create, consume *lane // for calls of one kind, which share statements
	limits                *lane // for Take, likewise
	single                *lane // for every other call: each has a statement of its own
	closing               sync.Once
}

var _ magiclink.Store = (*Store)(nil)

// New returns a store that uses connections of the pool. It does not connect. The caller closes the pool, after
// [Store.Close]. [Store.Migrate] makes the tables.
//
// The package comment says what the store promises, and which settings of the pool matter.
func New(connections *pgxpool.Pool, options Options) (*Store, error) {
	if connections == nil {
		return nil, failed("new", errors.New("the pool is nil: pass one from pgxpool.New"))
	}
	if options.Timeout < 0 {
		return nil, failed("new", errors.New("the timeout is negative: correct Options.Timeout"))
	}
	if options.Timeout == 0 {
		options.Timeout = defaultTimeout
	}
	schema, err := newSchema(options.Schema)
	if err != nil {
		return nil, failed("new", err)
	}
	config := connections.Config()
	if !canQuery(config.ConnConfig) {
		return nil, failed("new", errors.New("the pool remembers no statements, which its mode of queries needs: "+
			"write default_query_exec_mode=exec into the connection string, or leave the capacities of its caches alone"))
	}
	s := &Store{schema: schema, sql: newStatements(schema), pool: newPool(connections, options.Timeout)}
	s.addLanes(int(config.MaxConns))
	return s, nil
}

// canQuery reports false if pgx would refuse each statement.
func canQuery(config *pgx.ConnConfig) bool {
	switch config.DefaultQueryExecMode {
	case pgx.QueryExecModeCacheStatement:
		return config.StatementCacheCapacity > 0
	case pgx.QueryExecModeCacheDescribe:
		return config.DescriptionCacheCapacity > 0
	}
	return true
}

// addLanes makes the lanes. A lane leaves some of the connections to the application, unless there is only one.
func (s *Store) addLanes(connections int) {
	s.desk = &desk{closing: make(chan struct{})}
	most := max(1, connections-1)
	s.single = &lane{desk: s.desk, pool: s.pool, size: 1, width: most, limit: most}
	half := max(1, connections/2)
	shared := func(width int) *lane {
		return &lane{desk: s.desk, pool: s.pool, size: maxBatch, width: width, limit: half, single: s.single}
	}
	s.read = shared(half) // no commit to share, so several connections are faster
	s.create, s.consume, s.limits = shared(1), shared(1), shared(1)
	s.desk.lanes = []*lane{s.read, s.create, s.consume, s.single, s.limits}
}

// Close waits for the calls that are running and stops the goroutines of the Store. The pool stays open. Calls that begin
// later return [ErrClosed]. Closing again does nothing. Close waits for the server a few times [Options] Timeout at most.
func (s *Store) Close() error {
	if !s.usable() {
		return failed("close", errNoStore)
	}
	s.closing.Do(func() {
		s.desk.close()
		s.pool.discards.Wait()
	})
	return nil
}

// Ping reports whether the store can work: the tables are there, their version is the one that this package knows, and the
// server takes writes. It suits a readiness check.
func (s *Store) Ping(ctx context.Context) error {
	if !s.usable() {
		return failed("ping", errNoStore)
	}
	return s.do(ctx, "ping", s.single, &call{send: s.sql.sendPing, reads: true})
}

// Create stores a new record with all its fields. It returns [magiclink.ErrExists] if the id is taken.
func (s *Store) Create(ctx context.Context, record magiclink.Record) error {
	if !s.usable() {
		return failed("create", errNoStore)
	}
	if err := checkText(&record); err != nil {
		return failed("create", err)
	}
	return s.do(ctx, "create", s.create, &call{send: s.sql.sendInsert, id: record.ID, record: record.Canonical()})
}

// Get returns the record with this id, whatever its state. It returns [magiclink.ErrNotFound] if there is none.
func (s *Store) Get(ctx context.Context, id string) (magiclink.Record, error) {
	if !s.usable() {
		return magiclink.Record{}, failed("get", errNoStore)
	}
	c := &call{send: s.sql.sendGet, id: id, reads: true}
	err := s.do(ctx, "get", s.read, c)
	return c.found(err)
}

// Consume sets ConsumedAt and ConsumedBy of the record and returns the record with both. Of racing calls with different by, in
// this process and in others, exactly one succeeds. A call with the same non-empty by as the call that consumed the record
// succeeds again, changes nothing and returns the record as it is.
//
// It returns [magiclink.ErrNotFound], [magiclink.ErrRevoked], [magiclink.ErrConsumed] or [magiclink.ErrExpired]: the first
// one that applies. The zero time is an error and changes nothing.
func (s *Store) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	if !s.usable() {
		return magiclink.Record{}, failed("consume", errNoStore)
	}
	at = truncate(at)
	if at.IsZero() {
		return magiclink.Record{}, failed("consume", errZeroTime)
	}
	c := &call{send: s.sql.sendConsume, id: id, at: at, by: by}
	err := s.do(ctx, "consume", s.consume, c)
	return c.found(err)
}

// Revoke sets RevokedAt of the record, whether or not the link was used or has expired. Revoking again succeeds and keeps
// the first time. It returns [magiclink.ErrNotFound] if there is no such record. The zero time is an error and changes
// nothing.
func (s *Store) Revoke(ctx context.Context, id string, at time.Time) error {
	if !s.usable() {
		return failed("revoke", errNoStore)
	}
	at = truncate(at)
	if at.IsZero() {
		return failed("revoke", errZeroTime)
	}
	return s.do(ctx, "revoke", s.single, &call{send: s.sql.sendRevoke, id: id, at: at})
}

// do carries out a call under the name that its errors get.
func (s *Store) do(ctx context.Context, name string, l *lane, c *call) error {
	if err := l.do(ctx, c); err != nil {
		return failed(name, err)
	}
	return c.verdict
}

func (s *Store) usable() bool { return s != nil && s.pool != nil }

func failed(name string, cause error) error {
	return fmt.Errorf("magiclink/postgres: %s: %w", name, cause)
}
