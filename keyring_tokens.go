package magiclink

import (
	"crypto/sha256"
	"sync"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// verifiedGeneration is how many tokens a generation of verified remembers; two generations are kept.
const verifiedGeneration = 2048

// verified remembers the claims of tokens whose signature is right, since clients and browsers send the same token again
// and again. It holds digests and never a token. It belongs to one ring, so no entry outlives a change of the keys. Times,
// issuer and audience are judged anew each time.
//
// Each kind of token has its own entries. Links have none: their key remembers that their signature is right.
type verified struct {
	mu       sync.Mutex
	new, old map[verifiedKey]*claims
}

type verifiedKey struct {
	kind   jose.Kind
	digest [sha256.Size]byte
}

// keyOf copies the token to the stack, since every request brings one. A token that does not fit is copied to the heap.
func keyOf(kind jose.Kind, token string) verifiedKey {
	var room [768]byte
	return verifiedKey{kind: kind, digest: sha256.Sum256(append(room[:0], token...))}
}

// get returns the claims, or nil. The caller must not change them.
func (v *verified) get(key verifiedKey) *claims {
	v.mu.Lock()
	defer v.mu.Unlock()
	if found := v.new[key]; found != nil {
		return found
	}
	found := v.old[key]
	if found != nil {
		v.add(key, found) // an entry in use moves to the new generation
	}
	return found
}

func (v *verified) put(key verifiedKey, c *claims) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.add(key, c)
}

// add drops the old generation when the new one is full. The caller holds the lock.
func (v *verified) add(key verifiedKey, c *claims) {
	if v.new == nil || len(v.new) >= verifiedGeneration {
		v.new, v.old = make(map[verifiedKey]*claims), v.new
	}
	v.new[key] = c
}
