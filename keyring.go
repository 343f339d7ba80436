package magiclink

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// Algorithm is a signature algorithm by its JWA name (RFC 7518 section 3.1, RFC 8037 section 3.1).
type Algorithm string

// The algorithms of a [Keyring].
const (
	EdDSA Algorithm = "EdDSA" // Ed25519: the default choice; fast, and verified with public keys alone
	ES256 Algorithm = "ES256" // ECDSA on P-256, where a policy asks for a NIST curve
	HS256 Algorithm = "HS256" // HMAC with a shared secret: whoever can verify can also sign
)

// ErrNoSigningKey says that a [Keyring] holds no key that it could sign with.
var ErrNoSigningKey = errors.New("magiclink: the keyring has no signing key")

// Keyring holds the one key that signs and all the keys that verify. What the first ones signed stays valid while they
// stay in the ring, so a key is replaced without breaking a link: [Keyring.Rotate] now, [Keyring.Retire] when everything
// that the old key signed has expired.
//
// Symmetric and asymmetric keys never share a ring. Of an asymmetric key that no longer signs the private part is thrown
// away. The zero value is an empty ring: it verifies nothing and signs nothing. A Keyring must not be copied; all its
// methods may be called from any number of goroutines, and those that verify never wait for one that changes it.
type Keyring struct {
	change sync.Mutex // held while one ring is made from another
	ring   atomic.Pointer[ring]
}

// KeyInfo describes one key of a [Keyring] without its material.
type KeyInfo struct {
	ID        string // the "kid" of tokens and JWKs
	Algorithm Algorithm
	Active    bool      // it is the key that signs
	CreatedAt time.Time // UTC, to the millisecond; zero for a key that a Keyring did not generate
}

// GenerateKeyring makes a ring with one new signing key. It returns an error for an unknown algorithm.
func GenerateKeyring(algorithm Algorithm) (*Keyring, error) {
	key, err := generateKey(algorithm)
	if err != nil {
		return nil, err
	}
	return newKeyring([]*jose.Key{key})
}

func generateKey(algorithm Algorithm) (*jose.Key, error) {
	key, err := jose.Generate(newID(prefixKey, time.Now()), jose.Algorithm(algorithm))
	if err != nil {
		return nil, fmt.Errorf("magiclink: generate a key: %w", err)
	}
	return key, nil
}

// NewKeyring makes a ring that signs with a key from elsewhere: an ed25519.PrivateKey, an *ecdsa.PrivateKey on P-256, or a
// []byte of at least 32 random bytes for HS256. With an ed25519.PublicKey or an *ecdsa.PublicKey it only verifies.
// The key id is derived from the key, so every process that is given the same key agrees on it.
// The key must not be changed afterwards.
func NewKeyring(key any) (*Keyring, error) {
	made, err := jose.NewKey("", key)
	if err != nil {
		return nil, fmt.Errorf("magiclink: %w", err)
	}
	return newKeyring([]*jose.Key{made})
}

func newKeyring(keys []*jose.Key) (*Keyring, error) {
	r, err := newRing(keys)
	if err != nil {
		return nil, err
	}
	k := new(Keyring)
	k.ring.Store(r)
	return k, nil
}

// CanSign reports whether the ring has a key that signs.
func (k *Keyring) CanSign() bool { return k.load().active != nil }

// Rotate generates a new signing key of the same algorithm, keeps the ones so far for verifying, and returns the new
// key's id. It returns [ErrNoSigningKey] if there is no signing key to replace.
// The change is in memory: [Keyring.Save] makes it last.
func (k *Keyring) Rotate() (id string, err error) {
	k.change.Lock()
	defer k.change.Unlock()
	old := k.load()
	if old.active == nil {
		return "", ErrNoSigningKey
	}
	key, err := generateKey(Algorithm(old.active.Algorithm()))
	if err != nil {
		return "", err
	}
	next, err := newRing(append([]*jose.Key{key}, old.keys...))
	if err != nil {
		return "", err
	}
	k.ring.Store(next)
	return key.ID(), nil
}

// Retire removes a key that no longer signs: from now on what it signed is invalid. It refuses the signing key, which has
// to be rotated first, and an unknown id.
func (k *Keyring) Retire(id string) error {
	k.change.Lock()
	defer k.change.Unlock()
	old := k.load()
	if old.find(id) == nil {
		return errors.New("magiclink: the keyring has no key with this id")
	}
	if old.active != nil && old.active.ID() == id {
		return errors.New("magiclink: this key signs: rotate first, then retire it")
	}
	var keys []*jose.Key
	for _, key := range old.keys {
		if key.ID() != id {
			keys = append(keys, key)
		}
	}
	next, err := newRing(keys)
	if err != nil {
		return err
	}
	k.ring.Store(next)
	return nil
}

// Keys lists the keys, the signing key first and then from the newest to the oldest.
func (k *Keyring) Keys() []KeyInfo {
	r := k.load()
	infos := make([]KeyInfo, 0, len(r.keys))
	for _, key := range r.keys {
		infos = append(infos, KeyInfo{
			ID:        key.ID(),
			Algorithm: Algorithm(key.Algorithm()),
			Active:    key == r.active,
			CreatedAt: idTime(prefixKey, key.ID()),
		})
	}
	return infos
}

// Public returns a ring with the public keys alone: it verifies what this one signs, and signs nothing. It is what a
// process that only redeems needs. A symmetric key has no public part, so for an HS256 ring Public returns an error.
// The new ring does not follow later changes of this one.
func (k *Keyring) Public() (*Keyring, error) {
	keys, err := k.load().public()
	if err != nil {
		return nil, err
	}
	return newKeyring(keys)
}

// PublicJWKS returns the public keys as a JWK set (RFC 7517 section 5), for a jwks_uri and for [ParseKeyring] elsewhere.
// An HS256 ring has no public keys: its set is empty.
func (k *Keyring) PublicJWKS() ([]byte, error) {
	r := k.load()
	if r.symmetric() {
		return jose.MarshalSet(nil)
	}
	keys, err := r.public()
	if err != nil {
		return nil, err
	}
	return jose.MarshalSet(keys)
}

func (k *Keyring) sign(kind jose.Kind, claims []byte) (string, error) {
	// Header, payload and signature in base64url, with room for the longest key id.
	buf, err := k.appendSigned(make([]byte, 0, 2*len(claims)+320), kind, claims)
	return string(buf), err
}

func (k *Keyring) appendSigned(buf []byte, kind jose.Kind, claims []byte) ([]byte, error) {
	key := k.load().active
	if key == nil {
		return nil, ErrNoSigningKey
	}
	buf, err := key.AppendSigned(buf, kind, claims)
	if err != nil {
		return nil, fmt.Errorf("magiclink: sign: %w", err)
	}
	return buf, nil
}

func (k *Keyring) load() *ring {
	if k != nil {
		if r := k.ring.Load(); r != nil {
			return r
		}
	}
	return new(ring)
}
