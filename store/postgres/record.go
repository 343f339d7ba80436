package postgres

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/magiclink-go/magiclink"
)

var errNotText = errors.New("a field of the record is not valid UTF-8: only Extension may hold other bytes")

// PostgreSQL cannot store NUL in a text. The byte 1 in a stored text therefore begins a pair: 1 1 for NUL and 1 2 for the byte 1
// itself. Neither is in a text in practice, so that people can read and search the columns. Stored texts sort as the texts do, which
// List relies on.
var (
	escaper   = strings.NewReplacer("\x00", "\x01\x01", "\x01", "\x01\x02")
	unescaper = strings.NewReplacer("\x01\x01", "\x00", "\x01\x02", "\x01")
)

// Looking for the bytes first is faster than a Replacer, which also copies every text that it unescapes.

func escape(s string) string {
	if strings.IndexByte(s, 0) < 0 && strings.IndexByte(s, 1) < 0 {
		return s
	}
	return escaper.Replace(s)
}

func unescape(s string) string {
	if strings.IndexByte(s, 1) < 0 {
		return s
	}
	return unescaper.Replace(s)
}

// checkText refuses what PostgreSQL would refuse, so that the record of one call does not fail the statement of many.
func checkText(r *magiclink.Record) error {
	for _, s := range []string{r.ID, r.TenantID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path} {
		if !utf8.ValidString(s) {
			return errNotText
		}
	}
	return nil
}

// createArgs returns the values of the columns, and purge_at. The zero time has a number of its own.
func createArgs(r *magiclink.Record) []any {
	return []any{
		escape(r.ID), escape(r.TenantID), escape(r.BusinessID), escape(r.ExternalBusinessID), escape(r.Email), escape(r.Path),
		int64(r.SessionTimeout / time.Second), []byte(r.Extension), r.CreatedAt.UnixMilli(), r.ExpiresAt.UnixMilli(),
		r.ConsumedAt.UnixMilli(), r.RevokedAt.UnixMilli(), []byte(r.ConsumedBy), r.End().UnixMilli(),
	}
}

// createManyArgs returns one array for each column.
func createManyArgs(records []*magiclink.Record) []any {
	n := len(records)
	texts, numbers, bytes := make([][]string, 6), make([][]int64, 6), make([][][]byte, 2)
	for i := range texts {
		texts[i] = make([]string, n)
	}
	for i := range numbers {
		numbers[i] = make([]int64, n)
	}
	for i := range bytes {
		bytes[i] = make([][]byte, n)
	}
	for i, r := range records {
		for column, s := range []string{r.ID, r.TenantID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path} {
			texts[column][i] = escape(s)
		}
		numbers[0][i] = int64(r.SessionTimeout / time.Second)
		for column, t := range []time.Time{r.CreatedAt, r.ExpiresAt, r.ConsumedAt, r.RevokedAt, r.End()} {
			numbers[column+1][i] = t.UnixMilli()
		}
		bytes[0][i], bytes[1][i] = []byte(r.Extension), []byte(r.ConsumedBy)
	}
	return []any{
		texts[0], texts[1], texts[2], texts[3], texts[4], texts[5],
		numbers[0], bytes[0], numbers[1], numbers[2], numbers[3], numbers[4], bytes[1], numbers[5],
	}
}

// row is where pgx writes the columns of a record. Its types are those that pgx reads without reflection.
type row struct {
	record               *magiclink.Record
	seconds              int64
	created, expires     int64
	consumed, revoked    pgtype.Int8
	extension, consumeBy pgtype.DriverBytes
}

// issued returns where the columns of the same name go.
func (r *row) issued() []any {
	return []any{
		&r.record.TenantID, &r.record.BusinessID, &r.record.ExternalBusinessID, &r.record.Email, &r.record.Path,
		&r.seconds, &r.extension, &r.created, &r.expires,
	}
}

// columns returns where the columns of the same name go.
func (r *row) columns() []any {
	return slices.Concat([]any{&r.record.ID}, r.issued(), []any{&r.consumed, &r.revoked, &r.consumeBy})
}

// finish completes the record after a scan, before the next row.
func (r *row) finish() {
	for _, s := range []*string{&r.record.ID, &r.record.TenantID, &r.record.BusinessID, &r.record.ExternalBusinessID, &r.record.Email, &r.record.Path} {
		*s = unescape(*s)
	}
	r.record.SessionTimeout = time.Duration(r.seconds) * time.Second
	r.record.CreatedAt, r.record.ExpiresAt = moment(r.created), moment(r.expires)
	r.record.ConsumedAt, r.record.RevokedAt = event(r.consumed), event(r.revoked)
	r.record.Extension, r.record.ConsumedBy = string(r.extension), string(r.consumeBy)
}

// scanRecord reads the columns of a row. They come after the columns that the caller names.
func scanRecord(rows pgx.Rows, before ...any) (record magiclink.Record, err error) {
	r := &row{record: &record}
	if err := scan(rows, append(before, r.columns()...)...); err != nil {
		return magiclink.Record{}, err
	}
	r.finish()
	return record, nil
}

// moment returns the time in the form of [magiclink.Record.Canonical].
func moment(milliseconds int64) time.Time { return time.UnixMilli(milliseconds).UTC() }

// event returns the zero time for NULL.
func event(milliseconds pgtype.Int8) time.Time {
	if !milliseconds.Valid {
		return time.Time{}
	}
	return moment(milliseconds.Int64)
}

// truncate returns the time to the millisecond, as the contract compares times.
func truncate(t time.Time) time.Time { return moment(t.UnixMilli()) }
