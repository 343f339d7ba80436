package jose

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	seenBuckets = 1 << 14
	seenLocks   = 64 // each guards a part of the buckets
)

// seen remembers digests of links whose signature is right, because the key has made or verified it. Most links come back to
// the process that issued them, and a page that shows a link verifies it again when the button is pressed.
//
// It holds digests and never a token. A right signature stays right, so no entry is ever wrong. The entry says nothing about
// times, audience or the ring of keys: the callers judge those each time.
//
// The table has one megabyte and is made when it is first needed. A bucket is one cache line and keeps the latest four
// digests.
type seen struct {
	table atomic.Pointer[[seenBuckets]bucket]
	locks [seenLocks]sync.Mutex
}

type bucket [4]half

// half is half a digest. A forged token passes only if its half is one of the four in the bucket that its own digest
// chooses. Finding such a token takes 2^126 attempts, as many as forging the signature. An empty place holds zeros, which are
// as hard to meet.
type half [sha256.Size / 2]byte

// has reports whether the digest was put and no later digest has replaced it.
func (s *seen) has(d [sha256.Size]byte) bool {
	table := s.table.Load()
	if table == nil {
		return false
	}
	found, lock := s.bucket(table, d)
	lock.Lock()
	defer lock.Unlock()
	return slices.Contains(found[:], half(d[:]))
}

func (s *seen) put(d [sha256.Size]byte) {
	if s.table.Load() == nil {
		s.table.CompareAndSwap(nil, new([seenBuckets]bucket))
	}
	found, lock := s.bucket(s.table.Load(), d)
	lock.Lock()
	defer lock.Unlock()
	if first := half(d[:]); !slices.Contains(found[:], first) {
		copy(found[1:], found[:])
		found[0] = first
	}
}

func (s *seen) bucket(table *[seenBuckets]bucket, d [sha256.Size]byte) (*bucket, *sync.Mutex) {
	n := binary.LittleEndian.Uint32(d[len(half{}):])
	return &table[n%seenBuckets], &s.locks[n%seenLocks]
}

// remembers reports whether the key remembers tokens of the kind. A MAC costs hardly more than a digest, so HS256 keys remember
// nothing. For sessions and access tokens the ring remembers the claims.
func (k *Key) remembers(kind Kind) bool { return kind == Link && !k.Symmetric() }

// authentic reports whether a compact token carries the key's signature. The signature is passed decoded as well.
func (k *Key) authentic(kind Kind, token, signature []byte) bool {
	if !k.remembers(kind) {
		return k.verifies(token, signature)
	}
	d := sha256.Sum256(token)
	if k.seen.has(d) {
		return true
	}
	if !k.verifies(token, signature) {
		return false
	}
	k.seen.put(d)
	return true
}

func (k *Key) verifies(token, signature []byte) bool {
	signed := token[:bytes.LastIndexByte(token, '.')]
	return k.verifier.Verify(signed, signature, k.public) == nil
}
