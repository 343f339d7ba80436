package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/magiclink-go/magiclink"
)

var _ magiclink.SubjectRevoker = (*Store)(nil)

// revokeBatch bounds how many records one transaction revokes, and with that how long other writes wait.
const revokeBatch = 200

// RevokeSubject revokes the records of the subject whose CreatedAt is not after issuedUpTo and returns how many were not revoked
// before. It looks for them without delaying writes ([Index] says how long that takes) and revokes them in small transactions.
// A record that was created after RevokeSubject has begun survives.
//
// When RevokeSubject fails after some of them, it returns the error together with the number of records that it has revoked. If
// the error matches [magiclink.ErrUnknownOutcome], another 200 at most may be revoked.
func (s *Store) RevokeSubject(ctx context.Context, subject magiclink.Subject, issuedUpTo, at time.Time) (int, error) {
	if err := magiclink.CheckRevokeSubject(subject, issuedUpTo, at); err != nil {
		return 0, fmt.Errorf("magiclink/sqlite: revoke subject: %w", err)
	}
	query := magiclink.ListQuery{
		Subject: subject, IssuedBefore: fromMillis(issuedUpTo.UnixMilli() + 1), Limit: revokeBatch,
	}
	for revoked := 0; ; {
		found, err := s.unrevoked(ctx, query)
		if err != nil || len(found) == 0 {
			return revoked, err
		}
		n, err := s.revokeAll(ctx, query, found, at)
		if err != nil {
			return revoked, err
		}
		revoked += n
		query.Before = found[len(found)-1].ID
	}
}

func (s *Store) unrevoked(ctx context.Context, query magiclink.ListQuery) ([]magiclink.Record, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("magiclink/sqlite: revoke subject: %w", err)
	}
	from, err := look(ctx)
	if err != nil {
		return nil, fmt.Errorf("magiclink/sqlite: revoke subject: %w", err)
	}
	found, err := s.search(from, query, notRevoked)
	if err != nil {
		return nil, fmt.Errorf("magiclink/sqlite: revoke subject: %w", withCause(ctx, from, err))
	}
	return found, nil
}

// revokeAll revokes those of the records that still match: since they were read, they may have been revoked, or purged and
// created anew.
func (s *Store) revokeAll(ctx context.Context, query magiclink.ListQuery, found []magiclink.Record, at time.Time) (int, error) {
	query.Before = ""
	done := 0 // not the result itself: a caller that has left returns while the operation goes on
	err := s.write(ctx, "revoke subject", func(s *statements) (verdict, failure error) {
		done = 0
		for _, r := range found {
			changed, err := s.revokeMatching(query, r.ID, at)
			if err != nil {
				return nil, err
			}
			if changed {
				done++
			}
		}
		return nil, nil
	})
	if err != nil {
		return 0, err
	}
	return done, nil
}

func (s *statements) revokeMatching(query magiclink.ListQuery, id string, at time.Time) (changed bool, err error) {
	row, err := s.get.run(id)
	if err != nil || row == nil {
		return false, err
	}
	record, err := readRecord(row)
	if err != nil || !record.RevokedAt.IsZero() || !query.Matches(record) {
		return false, err
	}
	_, err = s.revoke.run(at.UnixMilli(), id)
	return err == nil, err
}
