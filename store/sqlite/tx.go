package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink"
)

var (
	errNoTx    = errors.New("the transaction is nil")
	errTxEnded = errors.New("the transaction is not open any more: SQLite has rolled it back after an error, such as that of a full disk: " +
		"roll back, and repeat it from its beginning")
	errOtherFile = errors.New("the transaction belongs to another database than the Store")
)

// txStore is a store whose calls belong to one transaction.
type txStore struct {
	mu         sync.Mutex // held by each call: goroutines that share the store against the rule would get each other's records
	tx         *sql.Tx
	statements *statements
	origin     *Store // nil for a store that InTx alone has made
	fault      error  // what every call returns
	checked    bool   // the database has been looked at
}

var (
	_ magiclink.Store   = (*txStore)(nil)
	_ magiclink.Limiter = (*txStore)(nil)
)

// InTx returns a store whose calls belong to the transaction: they take effect when the application commits, and not at all if
// it rolls back. It suits WithStore of [magiclink.Issuer] and [magiclink.Redeemer]:
//
//	db, err := sql.Open("sqlite3", "file:app.db?_txlock=immediate&_synchronous=FULL")
//	// … New(db), once …
//	tx, err := db.BeginTx(ctx, nil)
//	defer tx.Rollback()
//	// … insert the invoice with tx …
//	response, err := issuer.WithStore(sqlite.InTx(tx)).Issue(ctx, create)
//	err = tx.Commit() // only now is the link usable: send it after this
//
// The database must be one that [New] or [Open] has prepared. The transaction must be one of the driver
// github.com/mattn/go-sqlite3. The store is used where the transaction is used: by one goroutine at a time, and until the
// transaction ends. An ordinary outcome, such as [magiclink.ErrExists], leaves the transaction usable. A call that returns any
// other error has changed nothing; roll back then, since SQLite itself may have rolled the transaction back. A context that ends
// stops a call only before it begins.
//
// # The lock
//
// SQLite has one lock for writing. Write _txlock=immediate into the name of the data source, so that each transaction takes
// the lock when it begins. A transaction without it takes the lock at its first write, and fails there if another connection has
// written since the transaction began to read: roll back and repeat it. The Store's own writes, and those of other processes,
// wait while the lock is taken, and fail after two seconds. So keep the transaction short, and call no method of the Store
// itself that writes between its begin and its commit.
//
// For the same reason the links of [magiclink.Config.Limits] are counted in the transaction: a rollback, which takes the link back,
// takes the count back, too.
//
// # What survives
//
// The connection of the application commits, so its setting of synchronous decides what survives a loss of power. With
// _synchronous=FULL in the name of the data source a commit is as durable as one of the Store. With NORMAL the last commits may
// be lost, and a link that was used may be usable again.
//
// [Store.InTx] notices in addition that a file of the database was replaced.
func InTx(tx *sql.Tx) magiclink.Store { return newTxStore(tx, nil) }

// InTx is [InTx] for a transaction on the database of the Store. It refuses a transaction on another database, and each call
// returns an error if a file of the database was replaced or removed. A replacement between the last call and the commit stays
// unnoticed. The calls use no connection of the Store.
func (s *Store) InTx(tx *sql.Tx) magiclink.Store {
	if err := s.check(); err != nil {
		return &txStore{fault: err}
	}
	return newTxStore(tx, s)
}

func newTxStore(tx *sql.Tx, origin *Store) *txStore {
	if tx == nil {
		return &txStore{fault: errNoTx}
	}
	s := &txStore{tx: tx, statements: new(statements), origin: origin, fault: checkDriver()}
	for _, each := range s.statements.queries() {
		*each.to = &statement{stmt: txQuery{tx: tx, text: each.text}}
	}
	return s
}

// Create stores a new record with all its fields. It returns [magiclink.ErrExists] if the id is taken.
func (s *txStore) Create(ctx context.Context, r magiclink.Record) error {
	create, err := createOperation(r)
	if err != nil {
		return err
	}
	return s.write(ctx, "create", create)
}

// Get returns the record with this id, as the transaction sees it.
func (s *txStore) Get(ctx context.Context, id string) (r magiclink.Record, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(ctx, (*guard).mapped); err != nil {
		return r, failed("get", err)
	}
	row, err := s.statements.get.run(id)
	switch {
	case err != nil:
		return r, failed("get", err)
	case row == nil:
		return r, magiclink.ErrNotFound
	}
	if r, err = readRecord(row); err != nil {
		return r, failed("get", err)
	}
	return r, nil
}

// Consume is [Store.Consume].
func (s *txStore) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	return consume(id, at, by, func(run operation) error { return s.write(ctx, "consume", run) })
}

// Revoke is [Store.Revoke].
func (s *txStore) Revoke(ctx context.Context, id string, at time.Time) error {
	revoke, err := revokeOperation(id, at)
	if err != nil {
		return err
	}
	return s.write(ctx, "revoke", revoke)
}

// Purge is [Store.Purge], with all its steps in the transaction.
func (s *txStore) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	return purge(before, limit, func(run operation) error { return s.write(ctx, "purge", run) })
}

// Take is [Store.Take]. It counts in the transaction: while the transaction has the lock, no other connection can write a count.
func (s *txStore) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (retryAfter time.Duration, err error) {
	return take(key, rate, at, func(run operation) error { return s.write(ctx, "take", run) })
}

// Reset is [Store.Reset].
func (s *txStore) Reset(ctx context.Context, key string) error {
	return reset(key, func(run operation) error { return s.write(ctx, "reset", run) })
}

// write carries out one operation in a savepoint of the transaction. The outcome is never unknown: only the commit, which is
// the application's, makes it last.
func (s *txStore) write(ctx context.Context, name string, run operation) error {
	verdict, err := s.attempt(ctx, run)
	if err != nil {
		return failed(name, err)
	}
	return verdict
}

func (s *txStore) attempt(ctx context.Context, run operation) (verdict, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(ctx, (*guard).writable); err != nil {
		return nil, err
	}
	if err := s.exec("SAVEPOINT magiclink"); err != nil {
		return nil, err
	}
	// The lock comes before what is read: otherwise another connection could write in between, and the lock would be refused.
	failure = s.exec("UPDATE magiclink_schema SET version = version WHERE 0")
	if failure == nil {
		verdict, failure = run(s.statements)
	}
	if failure != nil {
		return nil, errors.Join(failure, s.undo())
	}
	return verdict, s.exec("RELEASE magiclink")
}

// undo undoes a call that has failed half-way. It does nothing if SQLite has rolled the whole transaction back.
func (s *txStore) undo() error {
	if errors.Is(s.open(), errTxEnded) {
		return errTxEnded
	}
	return s.exec("ROLLBACK TO magiclink; RELEASE magiclink")
}

// begin checks what must hold before a call.
func (s *txStore) begin(ctx context.Context, files func(*guard) error) error {
	if s.fault != nil {
		return s.fault
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	if s.origin != nil {
		if err := files(s.origin.guard); err != nil {
			return err
		}
	}
	if s.checked {
		return nil
	}
	err := s.checkDatabase()
	s.checked = err == nil
	return err
}

// open returns an error unless the transaction is open. After some errors SQLite rolls a transaction back by itself, which
// database/sql does not notice: every further statement would be a transaction of its own. BEGIN succeeds then.
func (s *txStore) open() error {
	err := s.exec("BEGIN")
	switch {
	case err == nil:
		return errors.Join(errTxEnded, s.exec("ROLLBACK"))
	case isNested(err):
		return nil
	}
	return err
}

// checkDatabase looks at the file and at the version of the schema. Neither changes while the transaction is open.
func (s *txStore) checkDatabase() error {
	if s.origin != nil {
		file := &statement{stmt: txQuery{tx: s.tx, text: selectFile}}
		row, err := file.run()
		if err != nil {
			return err
		}
		if len(row) != 1 || row[0] != s.origin.file {
			return errOtherFile
		}
	}
	err := s.statements.checkVersion()
	if err != nil && strings.Contains(err.Error(), "no such table") {
		return fmt.Errorf("%w: call New for the database first, which makes the tables", err)
	}
	return err
}

// exec runs a statement without arguments. Nothing interrupts it: SQLite would roll the whole transaction back.
func (s *txStore) exec(text string) error {
	_, err := s.tx.ExecContext(context.Background(), text)
	return err
}

func failed(name string, err error) error {
	if isLocked(err) {
		err = fmt.Errorf("the transaction could not take the lock for writing: roll back and repeat it, and write _txlock=immediate "+
			"into the name of the data source: %w", err)
	}
	return fmt.Errorf("magiclink/sqlite: %s: %w", name, withAdvice(err))
}
