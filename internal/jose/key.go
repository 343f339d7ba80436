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

// Key is one key with its id and the one algorithm that it may be used with. It is immutable, but for what it remembers.
type Key struct {
	id        string
	algorithm Algorithm
	private   any // ed25519.PrivateKey, *ecdsa.PrivateKey or []byte; nil in a key that can only verify
	public    any // ed25519.PublicKey, *ecdsa.PublicKey or []byte

	signer   jws.Signer
	verifier jws.Verifier
	headers  [kinds]string // encoded, with the dot behind: they never change, so they are made once
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

// NewKey wraps a raw key: an ed25519 key, a pointer to an ecdsa key on P-256, or the bytes of an HS256 secret. The raw
// key must not be changed afterwards. Without an id the key is named after itself.
func NewKey(id string, raw any) (*Key, error) {
	key := &Key{seen: new(seen)}
	err := key.set(raw)
	if err != nil {
		return nil, err
	}
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

// checkID keeps a key id to what may stand in a log line and in JSON as it is.
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

// name derives the id of a key: its thumbprint (RFC 7638), or a MAC under a secret, which tells nothing about the secret
// that a token does not tell.
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

func (k *Key) set(raw any) error {
	switch raw := raw.(type) {
	case ed25519.PrivateKey:
		if len(raw) != ed25519.PrivateKeySize || !raw.Equal(ed25519.NewKeyFromSeed(raw.Seed())) {
			return errors.New("not an Ed25519 private key")
		}
		k.algorithm, k.private, k.public = EdDSA, raw, raw.Public()
	case ed25519.PublicKey:
		if len(raw) != ed25519.PublicKeySize {
			return errors.New("not an Ed25519 public key")
		}
		k.algorithm, k.public = EdDSA, raw
	case *ecdsa.PrivateKey:
		if err := checkECDSA(raw); err != nil {
			return err
		}
		k.algorithm, k.private, k.public = ES256, raw, &raw.PublicKey
	case *ecdsa.PublicKey:
		if err := checkPoint(raw); err != nil {
			return err
		}
		k.algorithm, k.public = ES256, raw
	case []byte:
		if len(raw) < MinSecret {
			return fmt.Errorf("an HS256 key has at least %d bytes, this one has %d", MinSecret, len(raw))
		}
		k.algorithm, k.private, k.public = HS256, raw, raw
	default:
		return fmt.Errorf("a key of type %T is not supported; supported are Ed25519, P-256 and HS256 keys", raw)
	}
	return nil
}

func checkPoint(public *ecdsa.PublicKey) error {
	// Half-made keys make ECDH panic.
	if public == nil || public.Curve != elliptic.P256() || public.X == nil || public.Y == nil { //nolint:staticcheck // SA1019: see above
		return errors.New("an ES256 key is on P-256")
	}
	if _, err := public.ECDH(); err != nil {
		return errors.New("not a point on P-256")
	}
	return nil
}

// checkECDSA refuses a private part that does not belong to the public one: its signatures would verify nowhere.
func checkECDSA(private *ecdsa.PrivateKey) error {
	if private == nil || private.D == nil { //nolint:staticcheck // SA1019: as in checkPoint
		return errors.New("an ES256 key is on P-256")
	}
	if err := checkPoint(&private.PublicKey); err != nil {
		return err
	}
	scalar, err := private.ECDH()
	if err != nil {
		return errors.New("not a P-256 private key")
	}
	point, err := private.PublicKey.ECDH()
	if err != nil || !scalar.PublicKey().Equal(point) {
		return errors.New("the private and the public part of the ES256 key do not belong together")
	}
	return nil
}

// ID returns the key's id.
func (k *Key) ID() string { return k.id }

// Algorithm returns the one algorithm of the key.
func (k *Key) Algorithm() Algorithm { return k.algorithm }

// CanSign reports whether the key has its private part.
func (k *Key) CanSign() bool { return k.private != nil }

// Symmetric reports whether whoever can verify with the key can sign with it.
func (k *Key) Symmetric() bool { return k.algorithm == HS256 }

// Public returns the key without its private part. A symmetric key has no public part and is returned as it is.
func (k *Key) Public() *Key {
	if k.Symmetric() {
		return k
	}
	public := *k
	public.private = nil
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
