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
	HS256 Algorithm = "HS256" // HMAC with a shared secret: a process that can verify can also sign
)

var (
	// ErrNoSigningKey says that a [Keyring] has no key that can sign, because it holds public keys alone.
	ErrNoSigningKey = errors.New("magiclink: the keyring has no signing key: load it with its private key")
	// ErrNotExportable says that a [Keyring] cannot be saved, because its signing key is a [crypto.Signer], whose private
	// part is not in this process. The ring of [Keyring.Public] can be saved.
	ErrNotExportable = errors.New("magiclink: the signing key is a crypto.Signer and cannot be saved: save the ring of Public")

	errNoKeyring = errors.New("magiclink: Keyring is not initialized: use GenerateKeyring, NewKeyring or LoadKeyring")
)

// Keyring holds the one key that signs and all the keys that verify. Each method returns a consistent state, and any number
// of goroutines may call it. Methods that sign or verify never wait for methods that change the ring.
//
// A key is replaced in three steps, so that no link and no session breaks:
//
//  1. [Keyring.Prepare] makes the next key and publishes it. Wait until every process that verifies has it: until each has
//     reloaded the file, and until caches of the JWK set have expired.
//  2. [Keyring.Rotate] lets it sign. The old key keeps verifying.
//  3. [Keyring.Retire] removes the old key. Wait until everything that it signed has expired: links, access tokens, and the
//     longest session that was granted.
//
// Symmetric and asymmetric keys never share a ring. A ring keeps the private parts of the signing key and of the prepared
// key, and drops all others.
//
// Make a Keyring with [GenerateKeyring], [NewKeyring], [LoadKeyring] or [ParseKeyring]. The methods of the zero value and of
// a nil *Keyring return an error, false or nothing. A Keyring must not be copied.
type Keyring struct {
	change sync.Mutex // held while one ring is made from another
	ring   atomic.Pointer[ring]
}

// KeyInfo describes one key of a [Keyring] without its material. At most one of Active and Prepared is set.
type KeyInfo struct {
	ID        string // the "kid" of tokens and JWKs
	Algorithm Algorithm
	Active    bool // the key signs
	Prepared  bool // the key is published and signs after the next Rotate
	// CreatedAt is when GenerateKeyring, Prepare or Rotate made the key, in UTC and whole milliseconds. It is zero for
	// other keys.
	CreatedAt time.Time
	// SignedUntil is when Rotate replaced the key, in UTC and rounded up to a whole second. Until another process has
	// reloaded the ring, it may sign with the old key for longer. It is zero for a key that Rotate has not replaced.
	SignedUntil time.Time
}

// GenerateKeyring makes a ring with one new signing key. It returns an error for an unknown algorithm.
func GenerateKeyring(algorithm Algorithm) (*Keyring, error) {
	key, err := generateKey(algorithm)
	if err != nil {
		return nil, err
	}
	return newKeyring([]jose.Member{{Key: key}})
}

func generateKey(algorithm Algorithm) (*jose.Key, error) {
	key, err := jose.Generate(newID(prefixKey, time.Now()), jose.Algorithm(algorithm))
	if err != nil {
		return nil, fmt.Errorf("magiclink: generate a key: %w", err)
	}
	return key, nil
}

// NewKeyring makes a ring of keys that the caller has. Active signs. It is one of
//
//   - an ed25519.PrivateKey, or an *ecdsa.PrivateKey on P-256;
//   - a [crypto.Signer], such as that of a KMS or an HSM, with such a key: its Public is an ed25519.PublicKey or an
//     *ecdsa.PublicKey on P-256;
//   - a []byte of at least 32 random bytes for HS256;
//   - an ed25519.PublicKey or an *ecdsa.PublicKey: then the ring only verifies.
//
// The verifying keys are of the same types, and only their public parts are kept. They are the keys that have signed
// before, and the key that will sign next.
//
// The id of a key is derived from the key, so that all processes with the same key agree on its id. Key material is copied:
// the caller may change or erase it afterwards.
//
// A crypto.Signer signs while a call waits, from any number of goroutines. For Ed25519 it is called with the text and
// crypto.Hash(0), for P-256 with the SHA-256 digest and crypto.SHA256, and then returns the ASN.1 DER form. Each of its
// signatures is verified before it is used. An error, a panic or a wrong signature of the signer is an error of the call,
// and Issue and Grant then return [ErrUnavailable]. A crypto.Signer knows no context: while it hangs, the call hangs, also after the
// context of the call has ended. Give the client of the KMS a timeout of its own.
//
// NewKeyring returns an error for a nil key, for a type that is not listed, for material that cannot be a real key (a
// constant or repeated secret, a public key of small order, a point that is not on the curve, parts that do not belong
// together), for a key that is given twice, and for symmetric beside asymmetric keys.
func NewKeyring(active any, verifying ...any) (*Keyring, error) {
	members := make([]jose.Member, 0, 1+len(verifying))
	for i, raw := range append([]any{active}, verifying...) {
		key, err := jose.NewKey("", raw)
		if err != nil {
			return nil, fmt.Errorf("magiclink: %s: %w", placeOf(i), err)
		}
		members = append(members, jose.Member{Key: key})
	}
	return newKeyring(members)
}

// placeOf names an argument of NewKeyring.
func placeOf(i int) string {
	if i == 0 {
		return "the active key"
	}
	return fmt.Sprintf("verifying key %d", i)
}

func newKeyring(members []jose.Member) (*Keyring, error) {
	r, err := newRing(members)
	if err != nil {
		return nil, err
	}
	k := new(Keyring)
	k.ring.Store(r)
	return k, nil
}

// CanSign reports whether the ring has a key that signs.
func (k *Keyring) CanSign() bool { return k.load().active != nil }

// Keys lists the keys: first the signing key, then the prepared key, then the others from the newest to the oldest.
func (k *Keyring) Keys() []KeyInfo {
	r := k.load()
	infos := make([]KeyInfo, 0, len(r.members))
	for _, member := range r.members {
		infos = append(infos, KeyInfo{
			ID:          member.Key.ID(),
			Algorithm:   Algorithm(member.Key.Algorithm()),
			Active:      member.Key == r.active,
			Prepared:    member.Prepared,
			CreatedAt:   idTime(prefixKey, member.Key.ID()),
			SignedUntil: member.SignedUntil,
		})
	}
	return infos
}

// Public returns a ring with the public keys alone. It verifies what this ring signs, and signs nothing: a process that only
// redeems needs no more. The prepared key is among the keys. The new ring does not follow later changes of this one.
//
// It returns an error for an HS256 ring, since a symmetric key has no public part.
func (k *Keyring) Public() (*Keyring, error) {
	r, err := k.ready()
	if err != nil {
		return nil, err
	}
	members, err := r.public()
	if err != nil {
		return nil, err
	}
	return newKeyring(members)
}

// PublicJWKS returns the public keys as a JWK set (RFC 7517 section 5), for a jwks_uri and for [ParseKeyring] elsewhere. The
// prepared key is among the keys and is not marked. An HS256 ring has no public keys: its set is empty.
func (k *Keyring) PublicJWKS() ([]byte, error) {
	r, err := k.ready()
	if err != nil {
		return nil, err
	}
	if r.symmetric() {
		return jose.MarshalSet(nil)
	}
	members, err := r.public()
	if err != nil {
		return nil, err
	}
	return jose.MarshalSet(members)
}

func (k *Keyring) sign(kind jose.Kind, claims []byte) (string, error) {
	// Header, payload and signature in base64url, with room for the longest key id.
	buf, err := k.appendSigned(make([]byte, 0, 2*len(claims)+320), kind, claims)
	return string(buf), err
}

func (k *Keyring) appendSigned(buf []byte, kind jose.Kind, claims []byte) ([]byte, error) {
	r, err := k.ready()
	if err != nil {
		return nil, err
	}
	if r.active == nil {
		return nil, ErrNoSigningKey
	}
	buf, err = r.active.AppendSigned(buf, kind, claims)
	if err != nil {
		return nil, fmt.Errorf("magiclink: sign: %w", err)
	}
	return buf, nil
}

// ready returns the state of a Keyring that a constructor has made.
func (k *Keyring) ready() (*ring, error) {
	if r := k.load(); len(r.keys) > 0 {
		return r, nil
	}
	return nil, errNoKeyring
}

// load returns the state, which is empty for a Keyring that no constructor has made.
func (k *Keyring) load() *ring {
	if k != nil {
		if r := k.ring.Load(); r != nil {
			return r
		}
	}
	return new(ring)
}
