package e2e_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"
)

// record is what the database holds of a link.
type record struct {
	email, path        string
	created, expires   int64
	consumed, revoked  sql.NullInt64
	business, external string
}

// database opens the file that the service writes to, beside it.
func database(t *testing.T, data string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(data, "magiclink.db")+"?mode=rw&_busy_timeout=30000")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func (s *service) record(l link) (r record) {
	s.t.Helper()
	const query = `SELECT email, path, created_at, expires_at, consumed_at, revoked_at, business_id, external_business_id
		FROM magiclink_links LEFT JOIN magiclink_uses USING (id) WHERE id = ?`
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(s.data, "magiclink.db")+"?mode=rw&_busy_timeout=30000")
	require.NoError(s.t, err)
	defer db.Close()
	require.NoError(s.t, db.QueryRowContext(s.t.Context(), query, l.id).Scan(&r.email, &r.path, &r.created, &r.expires,
		&r.consumed, &r.revoked, &r.business, &r.external))
	return r
}

// breakStore takes the service's table away, so that its store fails.
func (s *service) breakStore() {
	s.t.Helper()
	_, err := database(s.t, s.data).ExecContext(s.t.Context(), "ALTER TABLE magiclink_links RENAME TO elsewhere")
	require.NoError(s.t, err)
}
