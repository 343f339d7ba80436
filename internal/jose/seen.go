package jose

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"
)

const seenBuckets = 1 << 16

// seen remembers links whose signature is known to be right, because the key has made it or has verified it: a page that
// shows a link verifies it before the button is pressed, and most links come back to the process that issued them.
//
// It holds digests and never a token. That a signature is right never changes, and says nothing else: all that depends on
// time, audience or the ring of keys is judged each time, by those who ask.
//
// It is a table of fixed size, four megabytes, made when it is first needed. A digest says in which bucket it may stand. A
// bucket is a cache line, which keeps the latest two.
type seen struct {
	table atomic.Pointer[[seenBuckets]bucket]
	locks [64]sync.Mutex // of a part of the buckets each
}

type digest = [sha256.Size]byte

type bucket [2]digest

// has reports whether the digest was put and not yet pushed out. No digest of a token is all zeros.
func (s *seen) has(d digest) bool {
	table := s.table.Load()
	if table == nil {
		return false
	}
	found, lock := s.bucket(table, d)
	lock.Lock()
	defer lock.Unlock()
	return found[0] == d || found[1] == d
}

func (s *seen) put(d digest) {
	if s.table.Load() == nil {
		s.table.CompareAndSwap(nil, new([seenBuckets]bucket))
	}
	found, lock := s.bucket(s.table.Load(), d)
	lock.Lock()
	defer lock.Unlock()
	if found[0] != d {
		found[0], found[1] = d, found[0]
	}
}

func (s *seen) bucket(table *[seenBuckets]bucket, d digest) (*bucket, *sync.Mutex) {
	n := binary.LittleEndian.Uint32(d[:]) % uint32(len(table))
	return &table[n], &s.locks[n%uint32(len(s.locks))]
}

// remembers reports whether tokens of the kind are worth it. A MAC costs no more than a digest, and of the other kinds the
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
