package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/magiclink-go/magiclink"
)

var _ magiclink.SubjectRevoker = (*Store)(nil)

// revokeBatch bounds how many records one statement revokes, and with that how long it keeps their rows locked.
const revokeBatch = 500

// revokeManySQL passes over rows that another transaction has locked.
const revokeManySQL = `WITH found AS (
		SELECT id FROM {links} WHERE id = ANY ($1::text[]) AND revoked_at IS NULL ORDER BY id FOR UPDATE SKIP LOCKED
	)
	UPDATE {links} AS link SET revoked_at = $2, purge_at = least(purge_at, expires_at) FROM found WHERE link.id = found.id
	RETURNING link.id`

const revokeFirstSQL = `UPDATE {links} SET revoked_at = $2, purge_at = least(purge_at, expires_at)
	WHERE id = $1 AND revoked_at IS NULL`

// RevokeSubject revokes the records of the subject whose CreatedAt is not after issuedUpTo and returns how many were not revoked
// before. It works in small transactions. It passes over rows that another transaction has locked, and then waits for each of those
// alone. A record that is committed after RevokeSubject has begun may survive. [Index] says how long the search takes in a large
// table.
//
// When RevokeSubject fails after some of them, it returns the error together with the number of records that it has revoked. If
// the error matches [magiclink.ErrUnknownOutcome], another 500 at most may be revoked.
func (s *Store) RevokeSubject(ctx context.Context, subject magiclink.Subject, issuedUpTo, at time.Time) (int, error) {
	const name = "revoke subject"
	if !s.usable() {
		return 0, failed(name, errNoStore)
	}
	if err := magiclink.CheckRevokeSubject(subject, issuedUpTo, at); err != nil {
		return 0, failed(name, err)
	}
	query := magiclink.ListQuery{Subject: subject, IssuedBefore: truncate(issuedUpTo).Add(time.Millisecond), Limit: revokeBatch}
	for revoked := 0; ; {
		found, err := s.search(ctx, name, query, notRevoked)
		if err != nil || len(found) == 0 {
			return revoked, err
		}
		n, err := s.revokeAll(ctx, found, truncate(at))
		revoked += n
		if err != nil {
			return revoked, err
		}
		query.Before = found[len(found)-1].ID
	}
}

// revokeAll revokes records, and counts those that were not revoked in the meantime.
func (s *Store) revokeAll(ctx context.Context, found []magiclink.Record, at time.Time) (revoked int, err error) {
	ids := make([]string, len(found))
	for i, r := range found {
		ids[i] = escape(r.ID)
	}
	batch := &call{send: s.sql.sendRevokeMany, ids: ids, at: at}
	if err := s.do(ctx, "revoke subject", s.single, batch); err != nil {
		return 0, err
	}
	for _, id := range batch.ids { // those that were locked, and those that somebody else has revoked
		single := &call{send: s.sql.sendRevokeFirst, ids: []string{id}, at: at}
		if err := s.do(ctx, "revoke subject", s.single, single); err != nil {
			return revoked + batch.n, err
		}
		revoked += single.n
	}
	return revoked + batch.n, nil
}

// sendRevokeMany leaves in the call the ids that it has not revoked.
func (s *statements) sendRevokeMany(ctx context.Context, q querier, calls []*call) error {
	c := calls[0]
	rows, err := q.Query(ctx, s.revokeMany, freshPlan(q), c.ids, c.at.UnixMilli())
	if err != nil {
		return err
	}
	done := map[string]bool{}
	var id string
	err = eachRow(rows, func() error {
		err := rows.Scan(&id)
		done[id] = true
		return err
	})
	if err == nil {
		c.n, c.ids = len(done), slices.DeleteFunc(slices.Clone(c.ids), func(id string) bool { return done[id] })
	}
	return err
}

func (s *statements) sendRevokeFirst(ctx context.Context, q querier, calls []*call) error {
	c := calls[0]
	tag, err := q.Exec(ctx, s.revokeFirst, c.ids[0], c.at.UnixMilli())
	c.n = int(tag.RowsAffected())
	return err
}
