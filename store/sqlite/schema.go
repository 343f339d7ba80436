package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// applicationID marks a file that Open has made: "mlk_" in the header of the database.
const applicationID = 0x6d6c6b5f

// migrations holds what leads from each version of the schema to the next; the version is the number of those applied.
// An entry never changes once it was released. Version 1 never was, and is refused.
//
// WITHOUT ROWID keeps a record in the tree of its primary key: one page less in each commit than a table with an index
// beside it. Ids sort by time, so that tree and the index on expires_at both grow at their ends. A use is a row of its own, so
// that a redemption changes no page of a record, which may lie anywhere.
var migrations = []string{
	"",
	`CREATE TABLE magiclink_links (
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
	) STRICT, WITHOUT ROWID;`,
}

// foreign says what to do with a database that holds the tables of somebody else.
type foreign int

const (
	refuseForeign foreign = iota
	allowForeign
)

// prepare checks the database, brings it to the newest version of the schema, and returns the path of its file. What it
// refuses it has not changed.
func prepare(ctx context.Context, db *sql.DB, policy foreign) (path string, err error) {
	patience := newPatience()
	err = patience.wait(ctx, func() error {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer discard(conn) // with the settings that were made on it
		if path, err = databaseFile(ctx, conn); err != nil {
			return err
		}
		return prepareConn(ctx, conn, policy)
	})
	return path, err
}

func databaseFile(ctx context.Context, conn *sql.Conn) (path string, err error) {
	const query = "SELECT file FROM pragma_database_list WHERE name = 'main'"
	if err := conn.QueryRowContext(ctx, query).Scan(&path); err != nil {
		return "", err
	}
	if path == "" {
		return "", errors.New("a database in memory is another one on each connection: use package store/memory")
	}
	return path, nil
}

func prepareConn(ctx context.Context, conn *sql.Conn, policy foreign) error {
	// The checks come before anything that writes. They are repeated under the lock, where no other process interferes.
	version, err := checkDatabase(ctx, conn, policy)
	if err != nil {
		return err
	}
	if err := enableWAL(ctx, conn); err != nil {
		return err
	}
	// A process that died after a failed sync may have left a log that is not all on the disk.
	if err := checkpoint(ctx, conn, "PASSIVE"); err != nil {
		return err
	}
	if version == len(migrations) {
		return nil
	}
	if err := configureWriter(ctx, conn); err != nil {
		return err
	}
	if err := exec(ctx, conn, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := migrate(ctx, conn, policy); err != nil {
		return errors.Join(err, exec(ctx, conn, "ROLLBACK"))
	}
	return exec(ctx, conn, "COMMIT")
}

// checkDatabase returns the version of the schema, 0 if there is none, and an error if the database is not for us.
func checkDatabase(ctx context.Context, conn *sql.Conn, policy foreign) (int, error) {
	const query = `SELECT
		(SELECT application_id FROM pragma_application_id),
		(SELECT count(*) FROM sqlite_schema),
		(SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'magiclink_schema')`
	var (
		id            int64
		objects, ours int
	)
	if err := conn.QueryRowContext(ctx, query).Scan(&id, &objects, &ours); err != nil {
		return 0, err
	}
	switch {
	case ours == 1:
		return schemaVersion(ctx, conn)
	case policy == allowForeign:
		return 0, nil
	case objects > 0 || id != 0 && id != applicationID:
		return 0, errors.New("the database belongs to another application: give its pool to New to share it")
	}
	return 0, nil
}

const selectVersion = "SELECT version FROM magiclink_schema"

func schemaVersion(ctx context.Context, conn *sql.Conn) (version int, err error) {
	if err := conn.QueryRowContext(ctx, selectVersion).Scan(&version); err != nil {
		return 0, fmt.Errorf("read the version of the schema: %w", err)
	}
	return version, checkVersion(version)
}

func checkVersion(version int) error {
	switch {
	case version == 1:
		return errors.New("the schema has version 1, which was never released: drop its tables, or remove the file")
	case version > len(migrations):
		return fmt.Errorf("the schema has version %d, this version of the package knows up to %d: upgrade the package",
			version, len(migrations))
	}
	return nil
}

func migrate(ctx context.Context, conn *sql.Conn, policy foreign) error {
	version, err := checkDatabase(ctx, conn, policy)
	if err != nil {
		return err
	}
	if version == 0 {
		if err := begetSchema(ctx, conn, policy); err != nil {
			return err
		}
	}
	for _, statements := range migrations[version:] {
		if err := exec(ctx, conn, statements); err != nil {
			return fmt.Errorf("migrate from version %d: %w", version, err)
		}
		version++
	}
	return exec(ctx, conn, "UPDATE magiclink_schema SET version = ?", version)
}

func begetSchema(ctx context.Context, conn *sql.Conn, policy foreign) error {
	if policy == refuseForeign { // else the mark in the header is the application's
		if err := exec(ctx, conn, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
	}
	return exec(ctx, conn, `CREATE TABLE magiclink_schema (version INTEGER NOT NULL) STRICT;
		INSERT INTO magiclink_schema VALUES (0)`)
}

// enableWAL switches the database to WAL, which lasts beyond the connection.
func enableWAL(ctx context.Context, conn *sql.Conn) error {
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return fmt.Errorf("switch to WAL: %w", err)
	}
	if mode != "wal" {
		return fmt.Errorf("switch to WAL: the database stays in mode %q", mode)
	}
	return nil
}
