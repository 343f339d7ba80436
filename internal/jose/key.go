package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// Algorithm is a signature algorithm by its JWA name (RFC 7518 section 3.1).
type Algorithm string

// The algorithms that we sign with.
const (
	EdDSA Algorithm = "EdDSA" // on Ed25519, RFC 8037
	ES256 Algorithm = "ES256"
	HS256 Algorithm = "HS256"
)

// MinSecret is the least length of an HS256 key in bytes: that of the hash (RFC 7518 section 3.2).
const MinSecret = 32

// maxKeyID bounds a key id, which stands in every token.
const maxKeyID = 128

// Key is one key with its id and the one algorithm that it may be used with. It is immutable, apart from the table of the
// links that it has seen. Make one with NewKey, Generate or ParseSet.
type Key struct {
	id string
	material

	signer   jws.Signer
	verifier jws.Verifier
	headers  [kinds]string // encoded, with the dot behind, one for each kind
	seen     *seen         // shared with the public key that is made from this one
}

// Generate makes a new key from the system's randomness.
func Generate(id string, algorithm Algorithm) (*Key, error) {
	switch algorithm {
	case EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		return NewKey(id, private)
	case ES256:
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		return NewKey(id, private)
	case HS256:
		secret := make([]byte, MinSecret)
		rand.Read(secret) // never fails: see its documentation
		return NewKey(id, secret)
	}
	return nil, fmt.Errorf("unknown algorithm %q; known are EdDSA, ES256 and HS256", algorithm)
}

// NewKey makes a key from raw: an ed25519 key, a pointer to an ecdsa key on P-256, a crypto.Signer with such a public key,
// or the bytes of an HS256 secret. The material is copied. Without an id the key is named after its material. It returns an
// error for material that cannot be a real key.
func NewKey(id string, raw any) (*Key, error) {
	m, err := judge(raw)
	if err != nil {
		return nil, err
	}
	key := &Key{material: m, seen: new(seen)}
	if id == "" {
		id, err = key.name()
	} else {
		err = checkID(id)
	}
	if err != nil {
		return nil, err
	}
	key.id = id
	if key.signer, err = jws.NewSigner(jwa.SignatureAlgorithm(key.algorithm)); err != nil {
		return nil, err
	}
	if key.verifier, err = jws.NewVerifier(jwa.SignatureAlgorithm(key.algorithm)); err != nil {
		return nil, err
	}
	for kind := range kinds {
		key.headers[kind] = key.header(types[kind])
	}
	return key, nil
}

// checkID accepts an id that can stand in a log line and in JSON without escaping.
func checkID(id string) error {
	if len(id) > maxKeyID {
		return fmt.Errorf("a key id (kid) has at most %d bytes", maxKeyID)
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return errors.New("a key id (kid) is printable ASCII without space, quote and backslash")
		}
	}
	return nil
}

// name derives the id of a key: the thumbprint of RFC 7638, or for a secret a MAC under the secret. The MAC reveals no more
// about the secret than a token does.
func (k *Key) name() (string, error) {
	if secret, ok := k.private.([]byte); ok {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte("magiclink key id"))
		return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16]), nil
	}
	public, err := jwk.FromRaw(k.public)
	if err != nil {
		return "", err
	}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(thumbprint), err
}

// ID returns the key's id.
func (k *Key) ID() string { return k.id }

// Algorithm returns the one algorithm of the key.
func (k *Key) Algorithm() Algorithm { return k.algorithm }

// CanSign reports whether the key has its private part or a signer.
func (k *Key) CanSign() bool { return k.private != nil || k.external != nil }

// External reports whether a crypto.Signer signs, so that the private part cannot be written to a file.
func (k *Key) External() bool { return k.external != nil }

// Symmetric reports whether a process that verifies with the key can also sign with it.
func (k *Key) Symmetric() bool { return k.algorithm == HS256 }

// Public returns the key without its private part and its signer. A symmetric key has no public part and is returned as it is.
func (k *Key) Public() *Key {
	if k.Symmetric() {
		return k
	}
	public := *k
	public.private, public.external = nil, nil
	return &public
}

func (k *Key) header(typ string) string {
	header := append([]byte(nil), `{"alg":`...)
	header = strictjson.AppendString(header, string(k.algorithm))
	header = append(header, `,"kid":`...)
	header = strictjson.AppendString(header, k.id)
	header = append(header, `,"typ":`...)
	header = strictjson.AppendString(header, typ)
	header = append(header, '}')
	return base64.RawURLEncoding.EncodeToString(header) + "."
}
