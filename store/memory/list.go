package memory

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

var (
	_ magiclink.Lister         = (*Store)(nil)
	_ magiclink.SubjectRevoker = (*Store)(nil)
)

// List returns the records that match, those with the largest ids first. It looks at every record of the store and locks one part
// in 256 of them at a time. It does not stop when the context ends during the call.
func (s *Store) List(ctx context.Context, query magiclink.ListQuery) ([]magiclink.Record, error) {
	if err := s.usable(ctx); err != nil {
		return nil, failed("list", err)
	}
	query, err := query.Canonical()
	if err != nil {
		return nil, failed("list", err)
	}
	var found []magiclink.Record
	for i := range s.shards {
		found = s.shards[i].list(query, found)
	}
	slices.SortFunc(found, func(a, b magiclink.Record) int { return strings.Compare(b.ID, a.ID) })
	return slices.Clip(found[:min(len(found), query.Limit)]), nil
}

func (sh *shard) list(query magiclink.ListQuery, found []magiclink.Record) []magiclink.Record {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, k := range sh.records {
		if record := k.record(); query.Matches(record) {
			found = append(found, record)
		}
	}
	return found
}

// RevokeSubject revokes the records of the subject whose CreatedAt is not after issuedUpTo and returns how many were not revoked
// before. It looks at every record of the store and locks one part in 256 of them at a time: a record that is created in a part
// that was passed survives. It does not stop when the context ends during the call.
func (s *Store) RevokeSubject(ctx context.Context, subject magiclink.Subject, issuedUpTo, at time.Time) (int, error) {
	if err := s.usable(ctx); err != nil {
		return 0, failed("revoke subject", err)
	}
	if err := magiclink.CheckRevokeSubject(subject, issuedUpTo, at); err != nil {
		return 0, failed("revoke subject", err)
	}
	query := magiclink.ListQuery{Subject: subject, IssuedBefore: truncate(issuedUpTo).Add(time.Millisecond)}
	revoked := 0
	for i := range s.shards {
		revoked += s.shards[i].revoke(query, truncate(at))
	}
	return revoked, nil
}

func (sh *shard) revoke(query magiclink.ListQuery, at time.Time) (revoked int) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, k := range sh.records {
		if query.Matches(k.record()) && k.revoke(at) {
			revoked++
		}
	}
	return revoked
}
