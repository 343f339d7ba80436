package magiclink

import (
	"errors"
	"fmt"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// ring is one immutable state of a Keyring.
type ring struct {
	keys   []*jose.Key // newest first
	active *jose.Key   // the first key, if it can sign

	verified verified
}

// newRing makes a ring whose first key signs, if it has a private part. The others only verify: their private parts are
// dropped, since what is not there cannot leak.
func newRing(keys []*jose.Key) (*ring, error) {
	r := new(ring)
	for i, key := range keys {
		if key.Symmetric() != keys[0].Symmetric() {
			return nil, errors.New("magiclink: symmetric and asymmetric keys must not share a keyring")
		}
		if r.find(key.ID()) != nil {
			return nil, fmt.Errorf("magiclink: the keyring has two keys with the id %s", key.ID())
		}
		switch {
		case i == 0 && key.CanSign():
			r.active = key
		case i > 0:
			key = key.Public()
		}
		r.keys = append(r.keys, key)
	}
	return r, nil
}

// find returns the key with this id, or nil.
func (r *ring) find(id string) *jose.Key {
	for _, key := range r.keys {
		if key.ID() == id {
			return key
		}
	}
	return nil
}

func (r *ring) symmetric() bool { return len(r.keys) > 0 && r.keys[0].Symmetric() }

func (r *ring) public() ([]*jose.Key, error) {
	if r.symmetric() {
		return nil, errors.New("magiclink: an HS256 keyring has no public keys")
	}
	keys := make([]*jose.Key, 0, len(r.keys))
	for _, key := range r.keys {
		keys = append(keys, key.Public())
	}
	return keys, nil
}
