package magiclink

import (
	"errors"
	"fmt"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// ring is one immutable state of a Keyring.
type ring struct {
	members  []jose.Member // the signing key, the prepared key, then the newest first
	keys     []*jose.Key   // those of members
	active   *jose.Key     // the first key, if it can sign
	prepared *jose.Key     // the key that signs next, or nil

	verified verified
}

// newRing makes a ring whose first key signs if it can. Of a key that neither signs nor is prepared only the public part is
// kept.
func newRing(members []jose.Member) (*ring, error) {
	r := new(ring)
	for i, member := range members {
		if member.Key.Symmetric() != members[0].Key.Symmetric() {
			return nil, errors.New("magiclink: symmetric and asymmetric keys must not share a keyring: remove one kind")
		}
		if r.find(member.Key.ID()) != nil {
			return nil, fmt.Errorf("magiclink: the keyring has two keys with the id %s: remove one", member.Key.ID())
		}
		switch {
		case member.Prepared:
			if err := r.prepare(member.Key); err != nil {
				return nil, err
			}
		case i == 0 && member.Key.CanSign():
			r.active = member.Key
		case i > 0:
			member.Key = member.Key.Public()
		}
		r.members = append(r.members, member)
		r.keys = append(r.keys, member.Key)
	}
	return r, nil
}

func (r *ring) prepare(key *jose.Key) error {
	switch {
	case r.active == nil:
		return errors.New("magiclink: a prepared key must follow a signing key: the first key of the set signs")
	case r.prepared != nil:
		return errors.New("magiclink: the keyring has two prepared keys: remove one")
	case !key.CanSign():
		return errors.New("magiclink: the prepared key has no private part: remove the key, or its magiclink_state")
	}
	r.prepared = key
	return nil
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

// public returns the public parts alone, without what our own files say about the keys.
func (r *ring) public() ([]jose.Member, error) {
	if r.symmetric() {
		return nil, errors.New("magiclink: an HS256 keyring has no public keys: use EdDSA or ES256 to share public keys")
	}
	members := make([]jose.Member, 0, len(r.keys))
	for _, key := range r.keys {
		members = append(members, jose.Member{Key: key.Public()})
	}
	return members, nil
}
