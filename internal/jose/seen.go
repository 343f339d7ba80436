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
	seenLocks   = 64 // each for a part of the buckets
)

// seen remembers links whose signature is known to be right, because the key has made it or has verified it: a page that
// shows a link verifies it before the button is pressed, and most links come back to the process that issued them.
//
// It holds digests and never a token. That a signature is right never changes, and says nothing else: all that depends on
// time, audience or the ring of keys is judged each time, by those who ask.
//
// It is a table of one megabyte, made when it is first needed: small enough for the cache of a processor, since waiting for
// memory would cost as much as the digest. A bucket is a cache line, which keeps the latest four.
type seen struct {
	table atomic.Pointer[[seenBuckets]bucket]
	locks [seenLocks]sync.Mutex
}

type bucket [4]half

// half is half a digest. To pass for a token that is remembered, a forgery has to agree with one of four halves in the bucket
// that its own digest chooses: 2^126 attempts, as many as forging the signature takes. An empty place holds zeros, which are
// no easier to meet.
type half [sha256.Size / 2]byte

// has reports whether the digest was put and not yet pushed out.
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

// remembers reports whether tokens of the kind are worth it. A MAC costs hardly more than a digest, and of the other kinds the
// claims are remembered where they are read.
func (k *Key) remembers(kind Kind) bool { return kind == Link && !k.Symmetric() }

// authentic reports whether a compact token carries the key's signature, which is given decoded, too.
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
