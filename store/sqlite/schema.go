package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// applicationID marks a file that Open has made. It stands in the header of the database and reads "mlk_".
const applicationID = 0x6d6c6b5f

// version is the version of the schema that this package reads and writes.
const version = 4

// schema creates the tables of this version.
//
// WITHOUT ROWID keeps a record in the tree of its primary key: a commit changes one page less than with a table and an index
// beside it. Ids sort by time, so that tree grows at its end, and so does the index on purge_at. A use is a row of its own, so
// that a redemption changes no page of the large table.
const schema = `
	CREATE TABLE magiclink_links (
		id                   TEXT    PRIMARY KEY NOT NULL,
		tenant_id            TEXT    NOT NULL,
		business_id          TEXT    NOT NULL,
		external_business_id TEXT    NOT NULL,
		email                TEXT    NOT NULL,
		path                 TEXT    NOT NULL,
		session_timeout      INTEGER NOT NULL, -- seconds
		extension            BLOB    NOT NULL,
		created_at           INTEGER NOT NULL, -- this and all other times: milliseconds since 1970 in UTC
		expires_at           INTEGER NOT NULL,
		revoked_at           INTEGER,          -- NULL while the link was not revoked
		purge_at             INTEGER NOT NULL  -- no purge looks at the record before; never later than the end of the record
	) STRICT, WITHOUT ROWID;
	CREATE INDEX magiclink_links_purge_at ON magiclink_links (purge_at);
	CREATE TABLE magiclink_uses (
		id          TEXT    PRIMARY KEY NOT NULL, -- of a link that was used
		consumed_at INTEGER NOT NULL,
		consumed_by TEXT    NOT NULL
	) STRICT, WITHOUT ROWID;` + limitsSchema

const limitsSchema = `
	CREATE TABLE magiclink_limits (
		key     BLOB    PRIMARY KEY NOT NULL,
		arrival INTEGER NOT NULL -- the theoretical arrival time (GCRA), in milliseconds since 1970 in UTC
	) STRICT, WITHOUT ROWID;`

// migrateFrom2 makes the tables anew, with the rows of version 2, which had no extension, purge_at and consumed_by. It adds no
// column to the tables that are there: a new column needs a default, and a process with an older package, which leaves the
// column out, would then write rows that the next purge removes. It renames no table, because that fails beside a view of the
// application that does not work.
const migrateFrom2 = `
	CREATE TEMP TABLE magiclink_links_2 AS SELECT * FROM main.magiclink_links;
	CREATE TEMP TABLE magiclink_uses_2 AS SELECT * FROM main.magiclink_uses;
	DROP TABLE main.magiclink_links;
	DROP TABLE main.magiclink_uses;
	` + schema + `
	INSERT INTO magiclink_uses SELECT id, consumed_at, '' FROM magiclink_uses_2 ORDER BY id;
	INSERT INTO magiclink_links
		SELECT id, tenant_id, business_id, external_business_id, email, path, session_timeout, x'',
			created_at, expires_at, revoked_at, expires_at
		FROM magiclink_links_2 ORDER BY id;
	UPDATE magiclink_links SET purge_at = ` + sessionEnd + `
		WHERE id IN (SELECT id FROM magiclink_uses) AND revoked_at IS NULL AND ` + sessionEnd + ` < expires_at;
	DROP TABLE magiclink_links_2;
	DROP TABLE magiclink_uses_2;`

// foreign says what to do with a database that has tables of another application.
type foreign int

const (
	refuseForeign foreign = iota
	allowForeign
)

// prepare checks the database, brings it to this version of the schema, and returns the path of its file. It does not change
// a database that it refuses.
func prepare(ctx context.Context, db *sql.DB, policy foreign) (path string, err error) {
	err = newPatience().wait(nil, func() error {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer discard(conn) // it has settings that the pool must not get
		if path, err = databaseFile(ctx, conn); err != nil {
			return err
		}
		if err := checkNames(path); err != nil {
			return err
		}
		return prepareConn(ctx, conn, policy)
	})
	return path, withAdvice(err)
}

const selectFile = "SELECT file FROM pragma_database_list WHERE name = 'main'"

func databaseFile(ctx context.Context, conn *sql.Conn) (path string, err error) {
	if err := conn.QueryRowContext(ctx, selectFile).Scan(&path); err != nil {
		return "", err
	}
	if path == "" {
		return "", errors.New("each connection to a database in memory has a database of its own: use package store/memory")
	}
	return path, nil
}

func prepareConn(ctx context.Context, conn *sql.Conn, policy foreign) error {
	// The checks come before everything that writes. They are repeated under the lock, where no other process interferes.
	found, err := checkDatabase(ctx, conn, policy)
	if err != nil {
		return err
	}
	if err := enableWAL(ctx, conn); err != nil {
		return err
	}
	// A process that died after a failed fsync may have left a log that is not all on the disk (see writer). If nobody else has
	// the database open, the log is read back now, with the frames of the failed commit. A log that was moved into the database
	// is not appended to: the next commit begins it anew.
	if err := checkpoint(ctx, conn); err != nil {
		return err
	}
	if found == version {
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

// checkDatabase returns the version of the schema, or 0 if there is no schema. It returns an error for a database that this
// package must not change.
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
		return 0, errors.New("the database belongs to another application: to share the database, pass its pool to New")
	}
	return 0, nil
}

const selectVersion = "SELECT version FROM magiclink_schema"

func schemaVersion(ctx context.Context, conn *sql.Conn) (found int, err error) {
	err = conn.QueryRowContext(ctx, selectVersion).Scan(&found)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, errors.New("the table magiclink_schema is empty: restore the database from a backup")
	case err != nil:
		return 0, fmt.Errorf("read the version of the schema: %w", err)
	}
	return found, checkVersion(found)
}

func checkVersion(found int) error {
	switch {
	case found < 2:
		return fmt.Errorf("the schema has version %d, which was never released: "+
			"drop the tables whose names begin with magiclink_, or remove the file", found)
	case found > version:
		return fmt.Errorf("the schema has version %d, and this package knows versions up to %d: upgrade the package, or restore a backup from before the upgrade", found, version)
	}
	return nil
}

// migrate brings the database to this version, inside the transaction of the caller.
func migrate(ctx context.Context, conn *sql.Conn, policy foreign) error {
	found, err := checkDatabase(ctx, conn, policy)
	if err != nil {
		return err
	}
	switch found {
	case 0:
		return createSchema(ctx, conn, policy)
	case version: // another process was faster
		return nil
	}
	if err := exec(ctx, conn, map[int]string{2: migrateFrom2, 3: limitsSchema}[found]); err != nil {
		return fmt.Errorf("migrate from version %d: %w", found, err)
	}
	return exec(ctx, conn, "UPDATE magiclink_schema SET version = ?", version)
}

func createSchema(ctx context.Context, conn *sql.Conn, policy foreign) error {
	if policy == refuseForeign { // otherwise the application id belongs to the application
		if err := exec(ctx, conn, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
	}
	if err := exec(ctx, conn, "CREATE TABLE magiclink_schema (version INTEGER NOT NULL) STRICT;"+schema); err != nil {
		return err
	}
	return exec(ctx, conn, "INSERT INTO magiclink_schema VALUES (?)", version)
}

// checkpoint moves what it can of the log into the database, without waiting for anybody, and syncs the database.
func checkpoint(ctx context.Context, conn *sql.Conn) error {
	if err := exec(ctx, conn, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		return fmt.Errorf("move the log into the database: %w", err)
	}
	return nil
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
