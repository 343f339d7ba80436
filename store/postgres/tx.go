package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

var errNoTx = errors.New("the transaction is nil")

// txStore is a store whose calls belong to one transaction.
type txStore struct {
	tx  pgx.Tx
	sql *statements
}

var _ magiclink.Store = (*txStore)(nil)

var defaultStatements = newStatements(DefaultSchema)

// InTx returns a store on the tables in [DefaultSchema] whose calls belong to the transaction: they take effect when the
// application commits, and not at all if it rolls back. It suits WithStore of [magiclink.Issuer] and [magiclink.Redeemer]:
//
//	tx, err := pool.Begin(ctx)
//	defer tx.Rollback(ctx)
//	// … insert the invoice with tx …
//	response, err := issuer.WithStore(postgres.InTx(tx)).Issue(ctx, create)
//	err = tx.Commit(ctx) // only now is the link usable: send it after this
//
// The store is used where the transaction is used: by one goroutine at a time, and until the transaction ends. An ordinary
// outcome, such as [magiclink.ErrExists], leaves the transaction usable. After any other error PostgreSQL refuses every
// further statement: roll back. A context that ends during a call closes the connection, which rolls the transaction back.
//
// A transaction keeps the link locked until it ends. Other calls for this link wait meanwhile, so keep the transaction short.
// At the isolation levels REPEATABLE READ and SERIALIZABLE a call may fail with SQLSTATE 40001: repeat the transaction.
func InTx(tx pgx.Tx) magiclink.Store { return newTxStore(tx, defaultStatements) }

// newTxStore takes a nil pointer in the interface for nil.
func newTxStore(tx pgx.Tx, sql *statements) *txStore {
	if nilvalue.Is(tx) {
		tx = nil
	}
	return &txStore{tx: tx, sql: sql}
}

// InTx is [InTx] for the schema of the Store. It uses the transaction alone: nothing of the Store but its schema.
func (s *Store) InTx(tx pgx.Tx) magiclink.Store {
	if !s.usable() {
		return &txStore{}
	}
	return newTxStore(tx, s.sql)
}

// Create stores a new record with all its fields. It returns [magiclink.ErrExists] if the id is taken.
func (s *txStore) Create(ctx context.Context, record magiclink.Record) error {
	if err := checkText(&record); err != nil {
		return failed("create", err)
	}
	c := &call{id: record.ID, record: record.Canonical()}
	return s.do(ctx, "create", (*statements).sendCreate, c)
}

// Get returns the record with this id, as the transaction sees it.
func (s *txStore) Get(ctx context.Context, id string) (magiclink.Record, error) {
	c := &call{id: id}
	err := s.do(ctx, "get", (*statements).sendGet, c)
	return c.found(err)
}

// Consume is [Store.Consume]. The link stays locked until the transaction ends.
func (s *txStore) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	c := &call{id: id, at: truncate(at), by: by}
	if c.at.IsZero() {
		return magiclink.Record{}, failed("consume", errZeroTime)
	}
	err := s.do(ctx, "consume", (*statements).sendConsume, c)
	return c.found(err)
}

// Revoke is [Store.Revoke]. The link stays locked until the transaction ends.
func (s *txStore) Revoke(ctx context.Context, id string, at time.Time) error {
	c := &call{id: id, at: truncate(at)}
	if c.at.IsZero() {
		return failed("revoke", errZeroTime)
	}
	return s.do(ctx, "revoke", (*statements).sendRevoke, c)
}

// Purge is [Store.Purge]. Other calls for the removed links wait until the transaction ends.
func (s *txStore) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	if limit < 1 {
		return 0, failed("purge", fmt.Errorf("the limit is %d: pass a limit of at least 1", limit))
	}
	return purge(limit, func(c *call) error {
		c.at = truncate(before)
		return s.do(ctx, "purge", (*statements).sendPurge, c)
	})
}

// do carries out one call in the transaction. Its outcome is never unknown: the connection that breaks takes the transaction
// with it.
func (s *txStore) do(ctx context.Context, name string, send func(*statements, context.Context, querier, []*call) error, c *call) error {
	if s.tx == nil || s.sql == nil {
		return failed(name, errNoTx)
	}
	if err := ctx.Err(); err != nil {
		return failed(name, err)
	}
	if err := checkSession(s.tx.Conn()); err != nil {
		return failed(name, err)
	}
	if err := send(s.sql, ctx, s.tx, []*call{c}); err != nil {
		return failed(name, withAdvice(err))
	}
	return c.verdict
}
