package sqlite

import (
	"database/sql"
	"time"

	"github.com/magiclink-go/magiclink"
)

// columns are those of magiclink_links in the order of values and scan.
const columns = `id, tenant_id, business_id, external_business_id, email, path,
	session_timeout, created_at, expires_at, consumed_at, revoked_at`

func values(r *magiclink.Record) []any {
	return []any{
		r.ID, r.TenantID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path,
		int64(r.SessionTimeout / time.Second), r.CreatedAt.UnixMilli(), r.ExpiresAt.UnixMilli(),
		mark(r.ConsumedAt), mark(r.RevokedAt),
	}
}

func scan(rows *sql.Rows) (magiclink.Record, error) {
	var (
		r                   magiclink.Record
		timeout             int64
		created, expires    int64
		consumed, revokedAt sql.NullInt64
	)
	err := rows.Scan(&r.ID, &r.TenantID, &r.BusinessID, &r.ExternalBusinessID, &r.Email, &r.Path,
		&timeout, &created, &expires, &consumed, &revokedAt)
	if err != nil {
		return magiclink.Record{}, err
	}
	r.SessionTimeout = time.Duration(timeout) * time.Second
	r.CreatedAt, r.ExpiresAt = moment(created), moment(expires)
	r.ConsumedAt, r.RevokedAt = unmark(consumed), unmark(revokedAt)
	return r, nil
}

// moment turns milliseconds back into a time. The zero time has a number of its own there and comes back as it was.
func moment(milliseconds int64) time.Time { return time.UnixMilli(milliseconds).UTC() }

// mark turns the time of an event into a column that is NULL while the event has not happened.
func mark(t time.Time) sql.NullInt64 {
	ms := t.UnixMilli()
	return sql.NullInt64{Int64: ms, Valid: ms != time.Time{}.UnixMilli()}
}

func unmark(column sql.NullInt64) time.Time {
	if !column.Valid {
		return time.Time{}
	}
	return moment(column.Int64)
}
