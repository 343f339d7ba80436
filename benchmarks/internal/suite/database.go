package suite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/magiclink-go/magiclink/store/sqlite"
)

// plain opens a database of the store's own schema as a program does that commits each statement: one connection, WAL,
// synchronous=FULL, statements prepared once.
func plain(path string) (*sql.DB, error) {
	store, err := sqlite.Open(path) // makes the schema
	if err != nil {
		return nil, err
	}
	if err := store.Close(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

const columns = `id, tenant_id, business_id, external_business_id, email, path, session_timeout, extension,
	created_at, expires_at, revoked_at, purge_at`

// insertUse marks a link as used, at a time, in one statement.
const insertUse = `INSERT INTO magiclink_uses (id, consumed_at, consumed_by) SELECT id, ?1, 'by' FROM magiclink_links
	WHERE id = ?2 AND revoked_at IS NULL AND expires_at > ?1`

// The octal digits of the number, shifted into the alphabet of ids; see filledID.
const filledIDs = `'mlk_' || replace(replace(replace(replace(replace(replace(replace(replace(printf('%022o', i),
	'7', '9'), '6', '8'), '5', '7'), '4', '6'), '3', '5'), '2', '4'), '1', '3'), '0', '2')`

// fill inserts the records from..to-1 that expire from the given time on, twenty in each millisecond. Their sessions last a day, as
// sessions do by default: if a session ended before its link expires, its redemption would have to change the record, too.
func fill(ctx context.Context, path string, from, to int, expires time.Time) error {
	const piece = 100_000 // records in a transaction
	db, err := plain(path)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // what matters was answered
	if _, err := db.ExecContext(ctx, "PRAGMA synchronous = OFF"); err != nil {
		return err
	}
	insert := fmt.Sprintf(`INSERT INTO magiclink_links (%s)
		WITH RECURSIVE n(i) AS (VALUES (?1) UNION ALL SELECT i + 1 FROM n WHERE i < ?2 - 1)
		SELECT %s, 't1', '%s', 'acme', 'user' || i || '@example.com', '/reports?year=2026', 86400, x'',
			?3, ?4 + i / 20, NULL, ?4 + i / 20 FROM n`,
		columns, filledIDs, business)
	for ; from < to; from += piece {
		_, err := db.ExecContext(ctx, insert, from, min(from+piece, to), time.Now().UnixMilli(), expires.UnixMilli())
		if err != nil {
			return err
		}
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// count returns how many records there are.
func count(ctx context.Context, path string) (n int, err error) {
	db, err := plain(path)
	if err != nil {
		return 0, err
	}
	defer db.Close() //nolint:errcheck // what matters was answered
	return n, db.QueryRowContext(ctx, "SELECT count(*) FROM magiclink_links").Scan(&n)
}
