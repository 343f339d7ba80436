package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"errors"
	"fmt"
	"slices"
)

// material is what a key is made of. It shares no memory with what the caller passed.
type material struct {
	algorithm Algorithm
	private   any           // ed25519.PrivateKey, *ecdsa.PrivateKey or []byte; nil if the private part is elsewhere or unknown
	external  crypto.Signer // signs where the private part is not in this process; nil otherwise
	public    any           // ed25519.PublicKey, *ecdsa.PublicKey or []byte
}

// judge is the one door for key material: new keys, keys of a JWK set and keys of the caller all pass it. It copies the
// material and refuses what cannot be a real key.
func judge(raw any) (material, error) {
	switch raw := raw.(type) {
	case ed25519.PrivateKey:
		return judgeEd25519(raw)
	case ed25519.PublicKey:
		public, err := judgeEd25519Public(raw)
		return material{algorithm: EdDSA, public: public}, err
	case *ecdsa.PrivateKey:
		return judgeP256(raw)
	case *ecdsa.PublicKey:
		public, err := judgeP256Public(raw)
		return material{algorithm: ES256, public: public}, err
	case []byte:
		return judgeSecret(raw)
	case crypto.Signer:
		return judgeSigner(raw)
	}
	return material{}, errKind(raw)
}

func errKind(raw any) error {
	return fmt.Errorf("a key of type %T is not supported: use an Ed25519 key, a pointer to a P-256 key, "+
		"a crypto.Signer of one of them, or a []byte for HS256", raw)
}

func judgeEd25519(raw ed25519.PrivateKey) (material, error) {
	if len(raw) != ed25519.PrivateKeySize {
		return material{}, fmt.Errorf("an Ed25519 private key has %d bytes, this one has %d", ed25519.PrivateKeySize, len(raw))
	}
	private := slices.Clone(raw)
	if weak(private.Seed()) {
		return material{}, errors.New("the seed of the Ed25519 private key is not random: generate a new key")
	}
	if !private.Equal(ed25519.NewKeyFromSeed(private.Seed())) {
		return material{}, errors.New("the private and the public part of the Ed25519 key do not belong together")
	}
	public, err := judgeEd25519Public(ed25519.PublicKey(private[ed25519.SeedSize:]))
	return material{algorithm: EdDSA, private: private, public: public}, err
}

func judgeEd25519Public(raw ed25519.PublicKey) (ed25519.PublicKey, error) {
	if len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("an Ed25519 public key has %d bytes, this one has %d", ed25519.PublicKeySize, len(raw))
	}
	public := slices.Clone(raw)
	return public, checkEdwards([ed25519.PublicKeySize]byte(public))
}

func judgeP256(raw *ecdsa.PrivateKey) (material, error) {
	if raw == nil || raw.D == nil { //nolint:staticcheck // SA1019: Bytes panics without the number
		return material{}, errNotP256
	}
	public, err := judgeP256Public(&raw.PublicKey)
	if err != nil {
		return material{}, err
	}
	scalar, err := raw.Bytes()
	if err != nil {
		return material{}, errors.New("not a P-256 private key")
	}
	if weak(scalar) {
		return material{}, errors.New("the scalar of the P-256 private key is not random: generate a new key")
	}
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		return material{}, errors.New("not a P-256 private key")
	}
	if !private.PublicKey.Equal(public) {
		return material{}, errors.New("the private and the public part of the P-256 key do not belong together")
	}
	return material{algorithm: ES256, private: private, public: public}, nil
}

var errNotP256 = errors.New("an ES256 key must be a key on P-256 with all of its numbers")

func judgeP256Public(raw *ecdsa.PublicKey) (*ecdsa.PublicKey, error) {
	if raw == nil || raw.Curve != elliptic.P256() || raw.X == nil || raw.Y == nil { //nolint:staticcheck // SA1019: Bytes panics without the numbers
		return nil, errNotP256
	}
	point, err := raw.Bytes()
	if err != nil {
		return nil, errors.New("not a point on P-256")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, errors.New("not a point on P-256")
	}
	return public, nil
}

func judgeSecret(raw []byte) (material, error) {
	if len(raw) < MinSecret {
		return material{}, fmt.Errorf("an HS256 key has at least %d bytes, this one has %d", MinSecret, len(raw))
	}
	if weak(raw) {
		return material{}, errors.New("the HS256 key is not random: use 32 bytes of crypto/rand")
	}
	secret := slices.Clone(raw)
	return material{algorithm: HS256, private: secret, public: secret}, nil
}

// minDistinct is how many different values the bytes of a secret have at least.
const minDistinct = 8

// weak reports whether a secret is certainly not random: it has few different bytes, or repeats itself. It finds
// placeholders such as "changeme" four times; it cannot find every secret that somebody has thought up.
//
// 32 random bytes have 7 different values or fewer with a probability below C(256,7)·(7/256)^32 < 2^-122, and repeat
// themselves with a probability below 2^-127. A longer random secret is refused more rarely still. 32 random hexadecimal
// digits, which are also in use, are refused with a probability below C(16,7)·(7/16)^32 < 2^-24.
func weak(secret []byte) bool {
	var seen [256]bool
	distinct := 0
	for _, b := range secret {
		if !seen[b] {
			seen[b] = true
			distinct++
		}
	}
	return distinct < minDistinct || repeats(secret)
}

// repeats reports whether a secret is one shorter text written twice or more, the last time perhaps in part.
func repeats(secret []byte) bool {
	for period := 1; period <= len(secret)/2; period++ {
		if slices.Equal(secret[period:], secret[:len(secret)-period]) {
			return true
		}
	}
	return false
}
