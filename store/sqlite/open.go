package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// Open opens the database in this file. If there is no file, Open makes one that its owner alone can read and write (0600); so
// are the two files beside it. The directory must exist. A file that exists keeps its mode.
//
// The path is a plain path, in which no character has a special meaning. Open refuses an empty path, ":memory:" (use
// package memory), a URI (open the URI with database/sql and use [New]), a file that is not a SQLite database, a database of
// another application, and a database that a newer version of this package has written. Open does not change what it refuses.
// Open and New also refuse a SQLite library that can corrupt the database: see the package documentation.
//
// Call [Store.Close] in the end.
func Open(path string) (*Store, error) {
	if err := checkDriver(); err != nil {
		return nil, fmt.Errorf("magiclink/sqlite: open: %w", err)
	}
	dsn, err := dataSource(path)
	if err != nil {
		return nil, fmt.Errorf("magiclink/sqlite: open: %w", err)
	}
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, fmt.Errorf("magiclink/sqlite: open: %w", err)
	}
	connections := 1 + max(4, runtime.GOMAXPROCS(0)) // one writes, the others read
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	file, err := prepare(context.Background(), db, refuseForeign)
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("magiclink/sqlite: open %s: %w", path, err)
	}
	return newStore(db, file, true), nil
}

// New uses a pool of connections that the caller has opened with the driver github.com/mattn/go-sqlite3, for example to
// keep links in the database of the application. The caller closes the pool, after [Store.Close].
//
// New adds tables whose names begin with "magiclink_", and switches the database to WAL, which lasts. The store keeps one
// connection of the pool for itself, on which it sets synchronous=FULL and its own way of waiting for locks. On the other
// connections it only reads. So the pool must allow two connections or more beside those that the application keeps in use,
// and more for concurrent reads. New refuses a pool that allows one connection, a pool whose connections leave WAL, and a
// database in memory (use package memory).
//
// The name of the data source should not have cache=shared, which makes reads wait for writes. It should have
// _stmt_cache_size=8 or more, which saves the preparation of each statement.
func New(db *sql.DB) (*Store, error) {
	if err := checkDriver(); err != nil {
		return nil, fmt.Errorf("magiclink/sqlite: new: %w", err)
	}
	if db == nil {
		return nil, errors.New("magiclink/sqlite: new: the database is nil: open it with database/sql and the driver sqlite3")
	}
	if db.Stats().MaxOpenConnections == 1 {
		return nil, errors.New("magiclink/sqlite: new: the pool allows one connection: call SetMaxOpenConns with two or more")
	}
	file, err := prepare(context.Background(), db, allowForeign)
	if err == nil {
		err = newPatience().wait(nil, func() error { return checkMode(context.Background(), db) })
	}
	if err != nil {
		return nil, fmt.Errorf("magiclink/sqlite: new: %w", err)
	}
	return newStore(db, file, false), nil
}

// checkMode checks that a new connection of the pool leaves the database in WAL: the name of the data source may set another
// mode on each connection.
func checkMode(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("a connection of the pool has set the journal mode %q, and the store needs WAL: "+
			"remove _journal_mode from the name of the data source", mode)
	}
	return nil
}

// dataSource makes the file if there is none and returns the name of its data source.
func dataSource(path string) (string, error) {
	switch {
	case path == "":
		return "", errors.New("the path is empty: pass the path of a file")
	case path == ":memory:":
		return "", errors.New("each connection to a database in memory has a database of its own: use package store/memory")
	case strings.HasPrefix(path, "file:"):
		return "", errors.New("the path is a URI: pass a plain path, or open the URI with database/sql and use New")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := createFile(absolute); err != nil {
		return "", err
	}
	name := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(absolute), "/")}
	// mode=rw: a connection that is opened later must not make a new file in place of a file that has disappeared.
	// _mutex=no: database/sql lets one goroutine at a time use a connection, so SQLite's own lock around each of its calls is not needed.
	name.RawQuery = "mode=rw&_busy_timeout=0&_synchronous=FULL&_stmt_cache_size=16&_mutex=no"
	return name.String(), nil
}

// creation lets one createFile run at a time: when a process closes any descriptor of a file, it loses all its locks on that
// file, also the locks of SQLite.
var creation sync.Mutex

// createFile makes an empty file with mode 0600 if there is no file. It never opens a file that exists.
func createFile(path string) error {
	creation.Lock()
	defer creation.Unlock()
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the path is the caller's
	switch {
	case err == nil:
		return file.Close()
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("the directory %s does not exist: make it first: %w", filepath.Dir(path), err)
	case !errors.Is(err, os.ErrExist):
		return err
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory: pass the path of a file in it", path)
	}
	return nil
}
