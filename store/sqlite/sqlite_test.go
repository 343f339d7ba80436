//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
	"github.com/magiclink-go/magiclink/store/storetest"
)

func TestOpenedStore(t *testing.T) {
	t.Parallel() // waits for the disk
	storetest.Run(t, func(t *testing.T) magiclink.Store { return open(t, newPath(t)) })
}

func TestStoreOnAPool(t *testing.T) {
	t.Parallel() // waits for the disk
	storetest.Run(t, func(t *testing.T) magiclink.Store {
		s, err := sqlite.New(pool(t, newPath(t)))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	})
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) magiclink.Store { return open(b, newPath(b)) })
}

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "magiclink")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(filepath.Join(dir, "links.db"))
	if err != nil {
		panic(err)
	}
	defer store.Close()

	ctx := context.Background()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	err = store.Create(ctx, magiclink.Record{ID: "mlk_2kPn8QxYw1TzB4vR7sHd3e", ExpiresAt: now.Add(time.Hour)})
	fmt.Println(err)
	_, err = store.Consume(ctx, "mlk_2kPn8QxYw1TzB4vR7sHd3e", now, "")
	fmt.Println(err)
	_, err = store.Consume(ctx, "mlk_2kPn8QxYw1TzB4vR7sHd3e", now, "")
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
	// magiclink: the link was already used
}

func ExampleNew() {
	dir, err := os.MkdirTemp("", "magiclink")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "app.db")+"?_stmt_cache_size=16")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	store, err := sqlite.New(db)
	if err != nil {
		panic(err)
	}
	defer store.Close()

	fmt.Println(store.Ping(context.Background()))
	// Output: <nil>
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "links.db") }

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// pool opens the database as an application would, knowing nothing of the store.
func pool(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// run executes statements on the database behind the store's back.
func run(t testing.TB, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), statements)
	require.NoError(t, err)
}

// liveRecord is a record that expires in an hour.
func liveRecord(number int) magiclink.Record {
	now := time.UnixMilli(time.Now().UnixMilli()).UTC()
	return magiclink.Record{
		ID:        fmt.Sprintf("mlk_%022d", number),
		Subject:   magiclink.Subject{Email: "canary@example.com"},
		CreatedAt: now,
		ExpiresAt: now.Add(time.Hour),
	}
}

func create(t testing.TB, s magiclink.Store, numbers ...int) {
	t.Helper()
	for _, number := range numbers {
		require.NoError(t, s.Create(t.Context(), liveRecord(number)))
	}
}

func requireAbsent(t testing.TB, s magiclink.Store, number int) {
	t.Helper()
	_, err := s.Get(t.Context(), liveRecord(number).ID)
	require.ErrorIs(t, err, magiclink.ErrNotFound)
}

func requirePresent(t testing.TB, s magiclink.Store, number int) {
	t.Helper()
	_, err := s.Get(t.Context(), liveRecord(number).ID)
	require.NoError(t, err)
}

func TestPingWithoutAVersion(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	require.NoError(t, s.Ping(t.Context()))
	run(t, path, "DELETE FROM magiclink_schema")
	require.ErrorContains(t, s.Ping(t.Context()), "magiclink/sqlite: ping: read the version of the schema: the database did not return a number")
}
