package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
	"unicode/utf8"

	goredis "github.com/redis/go-redis/v9"

	"github.com/magiclink-go/magiclink"
)

// DefaultPrefix is the prefix of the zero [Options].
const DefaultPrefix = "magiclink:"

// Margin is how long the server keeps a record after its [magiclink.Record.End]. It allows for the difference between the clock of
// the server and those of the callers. After a use the server counts the session and the Margin from the moment of the use, by its own clock.
const Margin = time.Hour

// defaultTimeout is that of the zero [Options].
const defaultTimeout = 5 * time.Second

// Options configures a [Store]. The zero Options suit most applications.
type Options struct {
	// Prefix stands before the id of a link in the name of its key. Empty means [DefaultPrefix]. No other key of the database
	// may begin with it.
	Prefix string
	// RequireReplicas is how many replicas must confirm a write before the Store acknowledges it. Zero means none: the package
	// comment says what a failover can then undo, and what a number above zero does not promise either.
	RequireReplicas int
	// Timeout bounds how long the Store waits for a connection and for the answer of the server, together. It frees what a server
	// that does not answer occupies. Callers wait no longer than their context allows, whatever the Timeout. Zero means 5 seconds.
	Timeout time.Duration
	// Indexes are what List and RevokeSubject search by. Empty means none: then both refuse every call, and Create and Consume take
	// one round trip each. [Index] says what an index costs. All Stores on one database have the same Indexes, since a link that
	// another Store makes without an index is in no list.
	Indexes []Index
}

// Store is a [magiclink.Store] on Redis, Valkey or a Redis Cluster. All its methods may be called from any number of goroutines, and
// any number of Stores, in one process or in several, may share one database.
// The zero Store is not usable: each of its methods returns an error. Use [New].
type Store struct {
	client  goredis.UniversalClient
	options Options
	reads   lanes
	writes  lanes     // the same as reads, unless replicas confirm writes
	steps   *routines // of Purge and Ping

	additions atomic.Uint64 // to indexes
}

var _ magiclink.Store = (*Store)(nil)

// New returns a store that uses the client. It does not connect: use [Store.Ping] for that. The client is a [goredis.Client] or a
// [goredis.ClusterClient], and its ContextTimeoutEnabled is set. The Store does not close the client: the caller does, after
// [Store.Close].
//
// The package comment says what the store promises, and which settings of the client and of the server matter.
func New(client goredis.UniversalClient, options Options) (*Store, error) {
	if err := errors.Join(checkClient(client), checkOptions(options)); err != nil {
		return nil, failed("new", err)
	}
	if options.Prefix == "" {
		options.Prefix = DefaultPrefix
	}
	if options.Timeout == 0 {
		options.Timeout = defaultTimeout
	}
	options.Indexes = distinct(options.Indexes)
	s := &Store{client: client, options: options, steps: &routines{}}
	s.reads = s.newLanes(sender{pipeliner{client}.attempt, true, reload(client)})
	s.writes = s.reads
	if n := options.RequireReplicas; n > 0 {
		confirmer := &confirmer{client: client, replicas: n, timeout: options.Timeout}
		s.writes = s.newLanes(sender{confirmer.attempt, false, reload(client)})
	}
	return s, nil
}

func (s *Store) newLanes(to sender) lanes {
	return newLanes(s.client, func(width int) *lane {
		return &lane{send: to.send, width: width, timeout: s.options.Timeout, closing: make(chan struct{})}
	})
}

// Close waits for the calls that are running and stops the goroutines of the Store. The client stays open. Calls that begin
// later return [ErrClosed]. Closing again does nothing. Close waits for the server for twice the Timeout of [Options] at most.
func (s *Store) Close() error {
	if !s.usable() {
		return failed("close", errNoStore)
	}
	s.steps.close()
	s.writes.close()
	s.reads.close()
	return nil
}

// Create stores a new record with all its fields. It returns [magiclink.ErrExists] if the id is taken. A time that lies 280,000 years
// in the past or the future is an error.
func (s *Store) Create(ctx context.Context, record magiclink.Record) error {
	if !s.usable() {
		return failed("create", errNoStore)
	}
	if err := checkRecord(&record); err != nil {
		return failed("create", err)
	}
	record = record.Canonical()
	if err := s.addToIndexes(ctx, &record); err != nil {
		return failed("create", err)
	}
	return s.do(ctx, "create", &call{operation: create, id: record.ID, value: newValue(&record), stop: broom(record.End())})
}

// Get returns the record with this id, whatever its state. It returns [magiclink.ErrNotFound] if there is none.
func (s *Store) Get(ctx context.Context, id string) (magiclink.Record, error) {
	if !s.usable() {
		return magiclink.Record{}, failed("get", errNoStore)
	}
	c := &call{operation: get, id: id}
	err := s.do(ctx, "get", c)
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
	if err := checkCall(at); err != nil {
		return magiclink.Record{}, failed("consume", err)
	}
	c := &call{operation: consume, id: id, at: at, by: by, mark: markOf(by)}
	err := s.do(ctx, "consume", c)
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
	if err := checkCall(at); err != nil {
		return failed("revoke", err)
	}
	return s.do(ctx, "revoke", &call{operation: revoke, id: id, at: at})
}

// do carries out a call under the name that its errors get.
func (s *Store) do(ctx context.Context, name string, c *call) error {
	if !utf8.ValidString(c.id) { // no record has such an id; keys that are no records begin so
		return cmp.Or(ctx.Err(), magiclink.ErrNotFound)
	}
	if err := s.lane(c).do(ctx, c); err != nil {
		return failed(name, err)
	}
	if c.verdict != nil && !outcome(c.verdict) {
		return failed(name, c.verdict)
	}
	return c.verdict
}

// doAll carries out calls side by side, which share pipelines, and returns what came of each.
func (s *Store) doAll(ctx context.Context, calls []*call) []error {
	errs, left, to := make([]error, len(calls)), make([]<-chan struct{}, len(calls)), make(lanes, len(calls))
	for i, c := range calls {
		to[i] = s.lane(c)
		left[i], errs[i] = to[i].begin(ctx, c, false)
	}
	for i, c := range calls {
		if errs[i] == nil {
			errs[i] = to[i].await(ctx, c, left[i])
		}
		if errs[i] == nil {
			errs[i] = c.verdict
		}
	}
	return errs
}

// lane completes the call, before it is in the queue, and returns its lane.
func (s *Store) lane(c *call) *lane {
	if c.key == "" {
		c.key = s.options.Prefix + c.id
	}
	c.confirm = s.options.RequireReplicas > 0
	if c.reads {
		return s.reads.of(c.key)
	}
	return s.writes.of(c.key)
}

// outcome reports whether the error is an ordinary outcome of the contract.
func outcome(err error) bool {
	return slices.ContainsFunc([]error{
		magiclink.ErrExists, magiclink.ErrNotFound, magiclink.ErrRevoked, magiclink.ErrConsumed, magiclink.ErrExpired,
	}, func(o error) bool { return errors.Is(err, o) })
}

func (s *Store) usable() bool { return s != nil && s.steps != nil }

func checkOptions(o Options) error {
	switch {
	case o.Timeout < 0:
		return errors.New("the timeout is negative: correct Options.Timeout")
	case o.RequireReplicas < 0:
		return fmt.Errorf("the number of replicas is %d: correct Options.RequireReplicas", o.RequireReplicas)
	}
	return checkIndexes(o.Indexes)
}
