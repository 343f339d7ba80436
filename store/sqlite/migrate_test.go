//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// version2 is what version 2 of the schema wrote into a new file, and a few links in every state.
const version2 = `
	PRAGMA journal_mode = WAL;
	PRAGMA application_id = 1835821919;
	CREATE TABLE magiclink_schema (version INTEGER NOT NULL) STRICT;
	INSERT INTO magiclink_schema VALUES (2);
	CREATE TABLE magiclink_links (
		id                   TEXT    PRIMARY KEY NOT NULL,
		tenant_id            TEXT    NOT NULL,
		business_id          TEXT    NOT NULL,
		external_business_id TEXT    NOT NULL,
		email                TEXT    NOT NULL,
		path                 TEXT    NOT NULL,
		session_timeout      INTEGER NOT NULL, -- seconds
		created_at           INTEGER NOT NULL, -- this and the following: milliseconds since 1970 in UTC
		expires_at           INTEGER NOT NULL,
		revoked_at           INTEGER           -- NULL while the link was not revoked
	) STRICT, WITHOUT ROWID;
	CREATE INDEX magiclink_links_expires_at ON magiclink_links (expires_at);
	CREATE TABLE magiclink_uses (
		id          TEXT    PRIMARY KEY NOT NULL, -- of a link that was used
		consumed_at INTEGER NOT NULL
	) STRICT, WITHOUT ROWID;
	INSERT INTO magiclink_links VALUES
		('mlk_live',    'tenant', 'biz', 'shop', 'jane@example.com', '/a', 3600, 1000, 900000, NULL),
		('mlk_used',    'tenant', '', 'shop', '', '', 3600, 1000, 900000, NULL),
		('mlk_short',   'tenant', '', 'shop', '', '', 60, 1000, 900000, NULL),
		('mlk_ended',   'tenant', '', 'shop', '', '', 60, 1000, 900000, 5000),
		('mlk_revoked', 'tenant', '', 'shop', '', '', 3600, 1000, 900000, 4000);
	INSERT INTO magiclink_uses VALUES ('mlk_used', 2000), ('mlk_short', 2000), ('mlk_ended', 2000);`

// version2Records are the records in version2.
func version2Records() map[string]magiclink.Record {
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	record := func(id string, session time.Duration) magiclink.Record {
		return magiclink.Record{
			ID: id, Subject: magiclink.Subject{TenantID: "tenant", ExternalBusinessID: "shop"},
			SessionTimeout: session, CreatedAt: at(1000), ExpiresAt: at(900_000),
		}
	}
	live, used, short := record("mlk_live", time.Hour), record("mlk_used", time.Hour), record("mlk_short", time.Minute)
	ended, revoked := record("mlk_ended", time.Minute), record("mlk_revoked", time.Hour)
	live.BusinessID, live.Email, live.Path = "biz", "jane@example.com", "/a"
	used.ConsumedAt, short.ConsumedAt, ended.ConsumedAt = at(2000), at(2000), at(2000)
	ended.RevokedAt, revoked.RevokedAt = at(5000), at(4000)
	records := make(map[string]magiclink.Record)
	for _, r := range []magiclink.Record{live, used, short, ended, revoked} {
		records[r.ID] = r
	}
	return records
}

func TestMigratesVersion2(t *testing.T) {
	path := newPath(t)
	run(t, path, version2)
	s := open(t, path)
	require.NoError(t, s.Ping(t.Context()))
	for id, want := range version2Records() {
		got, err := s.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.Equal(t, schemaOf(t, newPath(t)), schemaOf(t, path), "a migrated file is like a new one")
	require.NoError(t, s.Close())
	requirePresentByID(t, open(t, path), "mlk_live") // it is not migrated twice
}

// version3 copies a file that the package wrote when its schema had version 3, with a few links in every state.
func version3(t *testing.T) (path string) {
	t.Helper()
	content, err := os.ReadFile("testdata/version3.db")
	require.NoError(t, err)
	path = newPath(t)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func TestMigratesVersion3(t *testing.T) {
	path := version3(t)
	s := open(t, path)
	require.NoError(t, s.Ping(t.Context()))
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	for name, change := range map[string]func(*magiclink.Record){
		"live":    func(*magiclink.Record) {},
		"used":    func(r *magiclink.Record) { r.ConsumedAt = at(2000) },
		"short":   func(r *magiclink.Record) { r.ConsumedAt, r.SessionTimeout = at(2000), time.Minute },
		"ended":   func(r *magiclink.Record) { r.ConsumedAt, r.RevokedAt = at(2000), at(5000) },
		"revoked": func(r *magiclink.Record) { r.RevokedAt = at(5000) },
	} {
		want := magiclink.Record{
			ID:   "mlk_" + name,
			Path: "/" + name, SessionTimeout: time.Hour, Extension: "\x00" + name, CreatedAt: at(1000), ExpiresAt: at(900_000),
			Subject: magiclink.Subject{TenantID: "tenant", BusinessID: "biz", ExternalBusinessID: "shop", Email: name + "@example.com"},
		}
		if change(&want); !want.ConsumedAt.IsZero() {
			want.ConsumedBy = "browser " + name
		}
		got, err := s.Get(t.Context(), want.ID)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	listed, err := s.List(t.Context(), magiclink.ListQuery{Subject: magiclink.Subject{TenantID: "tenant"}, Limit: 10})
	require.NoError(t, err)
	require.Len(t, listed, 5)
	wait, err := s.Take(t.Context(), "key", magiclink.Rate{Burst: 1, Every: time.Hour}, time.Now())
	require.NoError(t, err)
	require.Zero(t, wait)
	require.Equal(t, schemaOf(t, newPath(t)), schemaOf(t, path), "a migrated file is like a new one")
	require.NoError(t, s.Close())
	requirePresentByID(t, open(t, path), "mlk_live") // it is not migrated twice
}

// A migration from version 3 that fails leaves the file as it was.
func TestMigrationFrom3IsOneTransaction(t *testing.T) {
	path := version3(t)
	run(t, path, "CREATE TABLE magiclink_limits (taken INTEGER)")
	_, err := sqlite.Open(path)
	require.ErrorContains(t, err, "migrate from version 3")
	run(t, path, "DROP TABLE magiclink_limits")
	requirePresentByID(t, open(t, path), "mlk_live")
}

func TestPurgesWhatWasMigrated(t *testing.T) {
	path := newPath(t)
	run(t, path, version2)
	s := open(t, path)
	for _, step := range []struct {
		before int64
		want   int
	}{{62_000, 0}, {62_001, 1}, {900_000, 0}, {900_001, 3}, {3_602_000, 0}, {3_602_001, 1}} {
		n, err := s.Purge(t.Context(), time.UnixMilli(step.before), 10)
		require.NoError(t, err)
		require.Equal(t, step.want, n, "before %d", step.before)
	}
}

// A migration that fails leaves the file as it was.
func TestMigrationIsOneTransaction(t *testing.T) {
	path := newPath(t)
	run(t, path, version2+"CREATE TABLE magiclink_links_purge_at (taken INTEGER)")
	_, err := sqlite.Open(path)
	require.ErrorContains(t, err, "migrate from version 2")
	run(t, path, "DROP TABLE magiclink_links_purge_at")
	requirePresentByID(t, open(t, path), "mlk_live")
}

// A view of the application that does not work any more holds up no migration.
func TestMigratesBesideABrokenView(t *testing.T) {
	path := newPath(t)
	run(t, path, version2+"CREATE VIEW broken AS SELECT * FROM missing")
	requirePresentByID(t, open(t, path), "mlk_live")
}

// schemaOf opens the file and returns the statements that made its tables and indexes.
func schemaOf(t *testing.T, path string) (statements []string) {
	t.Helper()
	open(t, path)
	db := pool(t, path)
	rows, err := db.QueryContext(context.Background(), `SELECT replace(sql, '"', '') FROM sqlite_schema
		WHERE sql IS NOT NULL ORDER BY name`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var statement sql.NullString
		require.NoError(t, rows.Scan(&statement))
		statements = append(statements, statement.String)
	}
	require.NoError(t, rows.Err())
	return statements
}

func requirePresentByID(t *testing.T, s magiclink.Store, id string) {
	t.Helper()
	_, err := s.Get(t.Context(), id)
	require.NoError(t, err)
}
