package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

// Consume marks the record as used and returns it as it is afterwards. Of racing calls, in this process and in others,
// exactly one succeeds. It returns [magiclink.ErrNotFound], [magiclink.ErrRevoked], [magiclink.ErrConsumed] or
// [magiclink.ErrExpired], the first of them that holds. A zero time is refused, for it would leave the record unused.
func (s *Store) Consume(ctx context.Context, id string, at time.Time) (magiclink.Record, error) {
	if !mark(at).Valid {
		return magiclink.Record{}, errors.New("magiclink/sqlite: consume: the time is zero")
	}
	const update = `UPDATE magiclink_links SET consumed_at = ?1
		WHERE id = ?2 AND revoked_at IS NULL AND consumed_at IS NULL AND expires_at > ?1
		RETURNING ` + columns
	var consumed magiclink.Record
	err := s.write(ctx, "consume", func(ctx context.Context, conn *sql.Conn) (verdict, failure error) {
		record, done, err := queryRecord(ctx, conn, update, at.UnixMilli(), id)
		if err != nil {
			return nil, err
		}
		if !done {
			return refusal(ctx, conn, id)
		}
		consumed = record
		return nil, nil
	})
	if err != nil {
		return magiclink.Record{}, err
	}
	return consumed, nil
}

// refusal returns why the record could not be consumed, in the transaction in which that was tried.
func refusal(ctx context.Context, conn *sql.Conn, id string) (verdict, failure error) {
	const query = "SELECT revoked_at IS NOT NULL, consumed_at IS NOT NULL FROM magiclink_links WHERE id = ?"
	var revoked, consumed bool
	err := conn.QueryRowContext(ctx, query, id).Scan(&revoked, &consumed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return magiclink.ErrNotFound, nil
	case err != nil:
		return nil, err
	case revoked:
		return magiclink.ErrRevoked, nil
	case consumed:
		return magiclink.ErrConsumed, nil
	default:
		return magiclink.ErrExpired, nil
	}
}
