package sqlite

import (
	"database/sql/driver"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

// columns are the columns of magiclink_links that hold a record, in the order of insertLink and of cells.link.
const columns = `id, tenant_id, business_id, external_business_id, email, path, session_timeout, extension,
	created_at, expires_at, revoked_at`

// The inner SELECTs are not a join, because SQLite would compile the join anew for each id. That doubled the cost of a
// redemption.
const selectColumns = "SELECT " + columns + `,
	(SELECT consumed_at FROM magiclink_uses WHERE magiclink_uses.id = magiclink_links.id),
	(SELECT consumed_by FROM magiclink_uses WHERE magiclink_uses.id = magiclink_links.id)`

const selectRecord = selectColumns + " FROM magiclink_links WHERE id = ?"

const columnCount = 13

// selectLink is selectRecord without the use of the link.
const selectLink = "SELECT " + columns + " FROM magiclink_links WHERE id = ?"

var errColumnType = errors.New("a column has another type than the schema says: restore the tables of magiclink")

// readRecord reads a row of selectRecord. The tables are STRICT, so a column of another type means that somebody has
// changed the schema.
func readRecord(row []driver.Value) (magiclink.Record, error) {
	c := cells{row: row, ok: true}
	r := c.link()
	r.ConsumedAt = c.time(11)
	if row[12] != nil {
		r.ConsumedBy = c.text(12)
	}
	return r, c.err()
}

// readLink reads a row of selectLink.
func readLink(row []driver.Value) (magiclink.Record, error) {
	c := cells{row: row, ok: true}
	return c.link(), c.err()
}

func (c *cells) link() magiclink.Record {
	return magiclink.Record{
		ID: c.text(0),
		Subject: magiclink.Subject{
			TenantID: c.text(1), BusinessID: c.text(2), ExternalBusinessID: c.text(3), Email: c.text(4),
		},
		Path:           c.text(5),
		SessionTimeout: time.Duration(c.number(6)) * time.Second,
		Extension:      c.bytes(7),
		CreatedAt:      c.time(8), ExpiresAt: c.time(9), RevokedAt: c.time(10),
	}
}

// cells reads the columns of one row. After a column of another type ok is false, and what was read must not be used.
type cells struct {
	row []driver.Value
	ok  bool
}

func (c *cells) err() error {
	if c.ok {
		return nil
	}
	return errColumnType
}

func (c *cells) text(column int) string {
	s, is := c.row[column].(string)
	c.ok = c.ok && is
	return s
}

func (c *cells) bytes(column int) string {
	b, is := c.row[column].([]byte)
	c.ok = c.ok && is
	return string(b)
}

func (c *cells) number(column int) int64 {
	n, is := c.row[column].(int64)
	c.ok = c.ok && is
	return n
}

// time returns the zero time for NULL.
func (c *cells) time(column int) time.Time {
	if c.row[column] == nil {
		return time.Time{}
	}
	return fromMillis(c.number(column))
}

// fromMillis turns milliseconds since 1970 into a time in UTC. It returns the zero time for the milliseconds of the zero
// time, so that a record comes back as it was.
func fromMillis(milliseconds int64) time.Time { return time.UnixMilli(milliseconds).UTC() }

// nullMillis returns the time in milliseconds since 1970, or NULL for the zero time.
func nullMillis(t time.Time) driver.Value {
	if ms := t.UnixMilli(); ms != (time.Time{}).UnixMilli() {
		return ms
	}
	return nil
}
