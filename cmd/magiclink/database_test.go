package main_test

import (
	"context"
	"database/sql"
	"testing"

	_ "github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"
)

// database opens a data directory's database as any other program could.
func database(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?mode=rw&_busy_timeout=10000")
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// expire moves all links into the past, which saves the test from waiting for it.
func expire(t *testing.T, path string) {
	t.Helper()
	_, err := database(t, path).Exec("UPDATE magiclink_links SET expires_at = 1, purge_at = 1")
	require.NoError(t, err)
}

// hold takes the database's write lock until release is called.
func hold(t *testing.T, path string) (release func()) {
	t.Helper()
	conn, err := database(t, path).Conn(context.Background())
	require.NoError(t, err)
	_, err = conn.ExecContext(context.Background(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	return func() {
		_, err := conn.ExecContext(context.Background(), "ROLLBACK")
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
}
