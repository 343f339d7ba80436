package redis

import (
	"context"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

var _ magiclink.SubjectRevoker = (*Store)(nil)

// RevokeSubject revokes the records of the subject whose CreatedAt is not after issuedUpTo and returns how many were not revoked
// before. It needs an [Index] for one of the fields of the subject, or ByTenant, and returns an error that matches
// [magiclink.ErrUnsupported] if [Options] names none. It works in steps of at most 256 records. A record that is created after RevokeSubject
// has begun may survive, and so does a record that a Store without the index has made.
//
// When RevokeSubject fails after some of them, it returns the error together with the number of records that it has revoked. If
// the error matches [magiclink.ErrUnknownOutcome], another 256 at most may be revoked. A revocation whose connection broke is not sent
// again, since it could not count what it has revoked: call RevokeSubject once more.
func (s *Store) RevokeSubject(ctx context.Context, subject magiclink.Subject, issuedUpTo, at time.Time) (int, error) {
	const name = "revoke subject"
	if !s.usable() {
		return 0, failed(name, errNoStore)
	}
	if err := magiclink.CheckRevokeSubject(subject, issuedUpTo, at); err != nil {
		return 0, failed(name, err)
	}
	at = truncate(at)
	if err := checkCall(at); err != nil {
		return 0, failed(name, err)
	}
	query := magiclink.ListQuery{Subject: subject, IssuedBefore: truncate(issuedUpTo).Add(time.Millisecond)}
	for revoked := 0; ; {
		found, last, err := s.search(ctx, name, query, stepLimit)
		if err != nil {
			return revoked, err
		}
		n, err := s.revokeAll(ctx, name, found, at)
		if revoked += n; err != nil || last == "" {
			return revoked, err
		}
		query.Before = last
	}
}

// revokeAll revokes records, and counts those that nobody else has revoked. Where replicas confirm writes, it also writes to records that
// were revoked before: an earlier call may have been short of replicas.
func (s *Store) revokeAll(ctx context.Context, name string, found []magiclink.Record, at time.Time) (revoked int, err error) {
	var calls []*call
	first := make([]bool, len(found))
	for _, record := range found {
		if !record.RevokedAt.IsZero() && s.options.RequireReplicas == 0 {
			continue
		}
		calls = append(calls, s.revokeOnce(record.ID, at, &first[len(calls)]))
	}
	for i, one := range s.doAll(ctx, calls) {
		switch {
		case one == nil && first[i]:
			revoked++
		case one == nil || errors.Is(one, magiclink.ErrNotFound):
		case err == nil || errors.Is(one, magiclink.ErrUnknownOutcome):
			err = failed(name, one)
		}
	}
	return revoked, err
}

// revokeOnce is a revocation that sets first if nobody has revoked the record before.
func (s *Store) revokeOnce(id string, at time.Time, first *bool) *call {
	return &call{id: id, at: at, operation: &operation{
		once:    true,
		command: revokeCommand,
		settle: func(c *call, reply any) {
			settleRevoke(c, reply)
			*first = reply == int64(1)
		},
	}}
}
