package sqlite

import (
	"database/sql/driver"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

// columns are those of magiclink_links in the order of Create and record.
const columns = `id, tenant_id, business_id, external_business_id, email, path,
	session_timeout, created_at, expires_at, revoked_at`

// The inner SELECT is no join, which SQLite would compile anew for each id: that doubled what a redemption costs.
const selectRecord = "SELECT " + columns + `,
	(SELECT consumed_at FROM magiclink_uses WHERE magiclink_uses.id = magiclink_links.id)
	FROM magiclink_links WHERE id = ?`

const columnCount = 11

// record reads a row of selectRecord. The tables are STRICT, so a column of another type means that somebody has changed the
// schema.
func record(row []driver.Value) (magiclink.Record, error) {
	ok := true
	text := func(column int) string {
		s, is := row[column].(string)
		ok = ok && is
		return s
	}
	number := func(column int) int64 {
		n, is := row[column].(int64)
		ok = ok && is
		return n
	}
	event := func(column int) time.Time {
		if row[column] == nil {
			return time.Time{}
		}
		return moment(number(column))
	}
	r := magiclink.Record{
		ID: text(0), TenantID: text(1), BusinessID: text(2), ExternalBusinessID: text(3), Email: text(4), Path: text(5),
		SessionTimeout: time.Duration(number(6)) * time.Second,
		CreatedAt:      moment(number(7)), ExpiresAt: moment(number(8)),
		RevokedAt: event(9), ConsumedAt: event(10),
	}
	if !ok {
		return magiclink.Record{}, errors.New("a column has another type than the schema says")
	}
	return r, nil
}

// moment turns milliseconds back into a time. The zero time has a number of its own there and comes back as it was.
func moment(milliseconds int64) time.Time { return time.UnixMilli(milliseconds).UTC() }

// mark turns the time of an event into a column that is NULL while the event has not happened.
func mark(t time.Time) driver.Value {
	if ms := t.UnixMilli(); ms != (time.Time{}).UnixMilli() {
		return ms
	}
	return nil
}
