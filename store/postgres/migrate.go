package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations holds the migrations for teams that apply them with a tool of their own: files of plain SQL whose names sort in the
// order in which they are applied. A file never changes once it was released. The files name the schema [DefaultSchema], which
// must exist; [WriteMigrations] writes them for another one.
//
// Each file belongs into one transaction. It records the version that it leads to, so that [Store.Migrate] and [Store.Ping] know
// it, too.
var Migrations fs.FS = migrations()

func migrations() fs.FS {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	return sub
}

// newestVersion is the number of the newest file of Migrations.
const newestVersion = 3

const migrateAttempts = 20

// WriteMigrations writes the statements that make the schema and all its tables, each migration in a transaction. They can be run again, also
// when a newer version of this package has written them: what is there already is left alone. An empty schema means [DefaultSchema].
func WriteMigrations(w io.Writer, schemaName string) error {
	schema, err := newSchema(schemaName)
	if err != nil {
		return failed("write migrations", err)
	}
	text := "CREATE SCHEMA IF NOT EXISTS " + schema.quoted() + ";\n"
	for version := 1; version <= newestVersion; version++ {
		migration, err := schema.migration(version)
		if err != nil {
			return failed("write migrations", err)
		}
		if version > 1 { // the first one does nothing to tables that are there
			migration = schema.once(version, migration)
		}
		text += "\nBEGIN;\n" + migration + "COMMIT;\n"
	}
	if _, err := io.WriteString(w, text); err != nil {
		return failed("write migrations", err)
	}
	return nil
}

// once wraps a migration so that it does nothing where the tables have its version or a newer one.
func (s schema) once(version int, migration string) string {
	table, tag := s.table(versionTable), "$magiclink$"
	for strings.Contains(table, tag) { // the name would end the block
		tag = strings.Replace(tag, "$", "$_", 1)
	}
	return "DO " + tag + " BEGIN\nPERFORM 1 FROM " + table + " FOR UPDATE;\nIF (SELECT version FROM " + table + ") < " + strconv.Itoa(version) +
		" THEN\n" + migration + "END IF;\nEND " + tag + ";\n"
}

// migration returns the SQL that leads to the version.
func (s schema) migration(version int) (string, error) {
	names, err := fs.Glob(Migrations, fmt.Sprintf("%04d_*.sql", version))
	if err != nil || len(names) != 1 {
		return "", fmt.Errorf("there is no migration to version %d", version)
	}
	text, err := fs.ReadFile(Migrations, names[0])
	return strings.ReplaceAll(string(text), schema(DefaultSchema).quoted()+".", s.quoted()+"."), err
}

// Migrate makes the schema and the tables, or brings them to the version that this package needs. It does nothing if they have
// that version, and returns an error if their version is newer. Each step is one transaction. Several processes may call Migrate
// at the same time.
//
// The role needs the right to create tables in the schema, and to create the schema if there is none. A Store that does not
// call Migrate needs SELECT, INSERT, UPDATE and DELETE on the tables and USAGE on the schema.
func (s *Store) Migrate(ctx context.Context) error {
	if !s.usable() {
		return failed("migrate", errNoStore)
	}
	if err := ctx.Err(); err != nil {
		return failed("migrate", err)
	}
	for try := 1; ; try++ {
		err := s.migrate(ctx)
		if err == nil {
			return nil
		}
		if code(err) == codeNotAllowed {
			return failed("migrate", fmt.Errorf("the role may not make the tables: grant CREATE on the database, or on the schema if it is there: %w", err))
		}
		if try == migrateAttempts || !raced(err) {
			return failed("migrate", withAdvice(err))
		}
		select {
		case <-ctx.Done():
			return failed("migrate", fmt.Errorf("%w: %w", ctx.Err(), err))
		case <-time.After(rand.N(50 * time.Millisecond)): //nolint:gosec // jitter is no secret
		}
	}
}

// raced reports whether another process did the same at the same time. IF NOT EXISTS does not prevent that.
func raced(err error) bool {
	switch code(err) {
	case "23505", "42710", "42P06", "42P07", "XX000": // unique, object, schema, table: exists; tuple concurrently updated
		return true
	}
	return conflicts(err)
}

func (s *Store) migrate(ctx context.Context) error {
	conn, err := s.pool.connections.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	m := &migrator{schema: s.schema, conn: conn.Conn()}
	if err := m.prepare(ctx); err != nil {
		return err
	}
	for {
		done, err := m.step(ctx)
		if done || err != nil {
			return err
		}
	}
}

// migrator brings one schema to the newest version on one connection. It uses no prepared statements: it changes what they are
// prepared for, and runs before anything is known about poolers.
type migrator struct {
	schema schema
	conn   *pgx.Conn
}

// prepare makes the schema and the table of the version where there is none.
func (m *migrator) prepare(ctx context.Context) error {
	if err := checkSession(m.conn); err != nil {
		return err
	}
	var encoding string
	var schemas, tables int
	err := m.conn.QueryRow(ctx, `SELECT current_setting('server_encoding'),
			(SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = $1),
			(SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = $2)`,
		pgx.QueryExecModeExec, string(m.schema), versionTable).Scan(&encoding, &schemas, &tables)
	if err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database has the encoding %s: use one with UTF8", encoding)
	}
	if schemas == 0 {
		if err := m.exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+m.schema.quoted()); err != nil {
			return err
		}
	}
	if tables > 0 {
		return nil
	}
	first, err := m.schema.migration(1)
	if err != nil {
		return err
	}
	return m.exec(ctx, "BEGIN; "+first+"; COMMIT")
}

// step carries out the next migration. The lock on the row of the version keeps other processes out.
func (m *migrator) step(ctx context.Context) (done bool, err error) {
	tx, err := m.conn.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, endTx(ctx, tx)) }()
	var version int
	query := "SELECT version FROM " + m.schema.table(versionTable) + " FOR UPDATE"
	switch err := tx.QueryRow(ctx, query, pgx.QueryExecModeExec).Scan(&version); {
	case errors.Is(err, pgx.ErrNoRows):
		return false, errNoVersion
	case err != nil:
		return false, err
	}
	if version >= newestVersion {
		return true, checkVersion(version)
	}
	text, err := m.schema.migration(version + 1)
	if err != nil {
		return false, err
	}
	if err := m.exec(ctx, text); err != nil {
		return false, fmt.Errorf("to version %d: %w", version+1, err)
	}
	return false, tx.Commit(ctx)
}

// endTx rolls back what was not committed.
func endTx(ctx context.Context, tx pgx.Tx) error {
	if err := tx.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		return err
	}
	return nil
}

// exec runs statements without arguments.
func (m *migrator) exec(ctx context.Context, sql string) error {
	_, err := m.conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}
