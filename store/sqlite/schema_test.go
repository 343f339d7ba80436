package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// versionOne is a database of the first version of the schema, as that wrote it.
const versionOne = `PRAGMA application_id = 1835821919; PRAGMA journal_mode = WAL;
	CREATE TABLE magiclink_schema (version INTEGER NOT NULL) STRICT;
	INSERT INTO magiclink_schema VALUES (1);
	CREATE TABLE magiclink_links (
		id                   TEXT    PRIMARY KEY NOT NULL,
		tenant_id            TEXT    NOT NULL,
		business_id          TEXT    NOT NULL,
		external_business_id TEXT    NOT NULL,
		email                TEXT    NOT NULL,
		path                 TEXT    NOT NULL,
		session_timeout      INTEGER NOT NULL,
		created_at           INTEGER NOT NULL,
		expires_at           INTEGER NOT NULL,
		consumed_at          INTEGER,
		revoked_at           INTEGER
	) STRICT, WITHOUT ROWID;
	CREATE INDEX magiclink_links_expires_at ON magiclink_links (expires_at);`

func TestMigrationKeepsEverything(t *testing.T) {
	path := newPath(t)
	want := make([]magiclink.Record, 4) // unused, used, revoked, used and revoked
	statements := versionOne
	for i := range want {
		want[i] = liveRecord(i)
		if i&1 != 0 {
			want[i].ConsumedAt = want[i].CreatedAt.Add(time.Second)
		}
		if i&2 != 0 {
			want[i].RevokedAt = want[i].CreatedAt.Add(time.Minute)
		}
		statements += insertVersionOne(want[i])
	}
	run(t, path, statements)

	for range 2 { // the second has nothing to migrate
		s := open(t, path)
		for i := range want {
			got, err := s.Get(t.Context(), want[i].ID)
			require.NoError(t, err)
			require.Equal(t, want[i], got)
		}
		require.NoError(t, s.Close())
	}
	s := open(t, path)
	for i, refusal := range []error{nil, magiclink.ErrConsumed, magiclink.ErrRevoked, magiclink.ErrRevoked} {
		_, err := s.Consume(t.Context(), want[i].ID, time.Now())
		require.ErrorIs(t, err, refusal)
	}
	n, err := s.Purge(t.Context(), want[0].ExpiresAt.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Equal(t, len(want), n)
}

func insertVersionOne(r magiclink.Record) string {
	event := func(at time.Time) string {
		if at.IsZero() {
			return "NULL"
		}
		return fmt.Sprint(at.UnixMilli())
	}
	return fmt.Sprintf("INSERT INTO magiclink_links VALUES ('%s', '%s', '%s', '%s', '%s', '%s', %d, %d, %d, %s, %s);",
		r.ID, r.TenantID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path, int64(r.SessionTimeout/time.Second),
		r.CreatedAt.UnixMilli(), r.ExpiresAt.UnixMilli(), event(r.ConsumedAt), event(r.RevokedAt))
}

// A migration that fails half-way leaves the database as it was, for the version of the package that it belongs to.
func TestMigrationIsAllOrNothing(t *testing.T) {
	path := newPath(t)
	run(t, path, versionOne+insertVersionOne(liveRecord(1))+"CREATE VIEW mine AS SELECT consumed_at FROM magiclink_links")
	_, err := sqlite.Open(path)
	require.ErrorContains(t, err, "migrate from version 1")

	var version, tables int
	db := pool(t, path)
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT version FROM magiclink_schema").Scan(&version))
	require.NoError(t, db.QueryRowContext(t.Context(),
		"SELECT count(*) FROM sqlite_schema WHERE name = 'magiclink_uses'").Scan(&tables))
	require.Equal(t, []int{1, 0}, []int{version, tables})
	run(t, path, "DROP VIEW mine")
	requirePresent(t, open(t, path), 1)
}
