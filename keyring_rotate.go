package magiclink

import (
	"errors"
	"time"

	"github.com/magiclink-go/magiclink/internal/jose"
)

var (
	errExternalKey = errors.New("magiclink: the signing key is a crypto.Signer, which has to be replaced where it was made: " +
		"make the next key there, pass its public key to NewKeyring as a verifying key, and later pass it as the active key")
	errRetireActive = errors.New("magiclink: this key signs: rotate first, then retire it")
	errUnknownKey   = errors.New("magiclink: the keyring has no key with this id: see Keys")
)

// Prepare makes the next signing key, of the signing key's algorithm, and returns its id. The key verifies and is published
// in [Keyring.PublicJWKS], and does not sign before [Keyring.Rotate]. If a key is prepared already, Prepare changes nothing
// and returns the id of that key. The change is in memory: [Keyring.Save] writes it to a file.
//
// It returns [ErrNoSigningKey] if the ring only verifies, and an error if the signing key is a [crypto.Signer].
func (k *Keyring) Prepare() (id string, err error) {
	err = k.update(func(r *ring) ([]jose.Member, error) {
		if r.prepared != nil {
			id = r.prepared.ID()
			return r.members, nil
		}
		key, err := r.successor()
		if err != nil {
			return nil, err
		}
		id = key.ID()
		members := []jose.Member{r.members[0], {Key: key, Prepared: true}}
		return append(members, r.members[1:]...), nil
	})
	return id, err
}

// Rotate lets the prepared key sign and returns its id. Without a prepared key it makes a new key, which other processes and
// caches of the JWK set do not know yet. The key that signed before keeps verifying; its private part is dropped. The change
// is in memory: [Keyring.Save] writes it to a file.
//
// It returns [ErrNoSigningKey] if the ring only verifies, and an error if the signing key is a [crypto.Signer].
func (k *Keyring) Rotate() (id string, err error) {
	err = k.update(func(r *ring) ([]jose.Member, error) {
		next := r.prepared
		if next == nil {
			var err error
			if next, err = r.successor(); err != nil {
				return nil, err
			}
		}
		id = next.ID()
		replaced := jose.Member{Key: r.active, SignedUntil: nextSecond(time.Now())}
		members := []jose.Member{{Key: next}, replaced}
		for _, member := range r.members[1:] {
			if member.Key != next {
				members = append(members, member)
			}
		}
		return members, nil
	})
	return id, err
}

// Retire removes a key that does not sign: everything that it signed is invalid from now on. A prepared key can be removed
// too. The change is in memory: [Keyring.Save] writes it to a file.
//
// It returns an error for the signing key, which has to be replaced by [Keyring.Rotate] first, for the only key of a ring, and
// for an unknown id.
func (k *Keyring) Retire(id string) error {
	return k.update(func(r *ring) ([]jose.Member, error) {
		key := r.find(id)
		if key == nil {
			return nil, errUnknownKey
		}
		if key == r.active {
			return nil, errRetireActive
		}
		var members []jose.Member
		for _, member := range r.members {
			if member.Key != key {
				members = append(members, member)
			}
		}
		if len(members) == 0 {
			return nil, errors.New("magiclink: this is the last key of the keyring: a keyring needs a key")
		}
		return members, nil
	})
}

// update replaces the state by one with the members that change returns. After an error the state is as before.
func (k *Keyring) update(change func(*ring) ([]jose.Member, error)) error {
	if _, err := k.ready(); err != nil {
		return err
	}
	k.change.Lock()
	defer k.change.Unlock()
	members, err := change(k.load())
	if err != nil {
		return err
	}
	next, err := newRing(members)
	if err != nil {
		return err
	}
	k.ring.Store(next)
	return nil
}

// successor makes a key like the signing key.
func (r *ring) successor() (*jose.Key, error) {
	switch {
	case r.active == nil:
		return nil, ErrNoSigningKey
	case r.active.External():
		return nil, errExternalKey
	}
	return generateKey(Algorithm(r.active.Algorithm()))
}

// nextSecond rounds up to a whole second.
func nextSecond(t time.Time) time.Time {
	return t.UTC().Add(time.Second - time.Nanosecond).Truncate(time.Second)
}
