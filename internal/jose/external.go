package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
)

var (
	errNilSigner    = errors.New("the crypto.Signer is a nil pointer")
	errBadSignature = errors.New("the crypto.Signer returned a signature that its public key does not verify")
)

// judgeSigner takes a signer whose private part is elsewhere, such as in a KMS or an HSM.
func judgeSigner(raw crypto.Signer) (material, error) {
	if isNil(raw) {
		return material{}, errNilSigner
	}
	if pointer, ok := raw.(*ed25519.PrivateKey); ok {
		return judgeEd25519(*pointer)
	}
	public, err := publicOf(raw)
	if err != nil {
		return material{}, err
	}
	switch public.(type) {
	case ed25519.PublicKey, *ecdsa.PublicKey:
	default:
		return material{}, fmt.Errorf("a crypto.Signer with a public key of type %T is not supported: "+
			"use a signer with an ed25519.PublicKey or an *ecdsa.PublicKey on P-256", public)
	}
	m, err := judge(public)
	m.external = raw
	return m, err
}

// isNil reports whether the interface holds a nil value, on which a method would panic.
func isNil(signer crypto.Signer) bool {
	value := reflect.ValueOf(signer)
	switch value.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return value.IsNil()
	}
	return false
}

func publicOf(signer crypto.Signer) (public crypto.PublicKey, err error) {
	defer contain(&err)
	return signer.Public(), nil
}

// contain turns a panic of a foreign signer into an error.
func contain(err *error) {
	if recover() != nil { // the value may hold anything, and is in no error
		*err = errors.New("the crypto.Signer panicked")
	}
}

// signExternally returns the signature in the form of RFC 7518. The signer is code and hardware that we do not know, and
// a link with a wrong signature would only fail in the hands of the user: so each signature is verified before it leaves.
func (k *Key) signExternally(text []byte) ([]byte, error) {
	signature, err := callSigner(k.external, k.algorithm, text)
	if err != nil {
		return nil, err
	}
	if k.algorithm == ES256 {
		if signature, err = fixedWidth(signature); err != nil {
			return nil, err
		}
	}
	if k.verifier.Verify(text, signature, k.public) != nil {
		return nil, errBadSignature
	}
	return signature, nil
}

// callSigner passes a copy of the text, so that a signer that keeps or changes its input does no harm.
func callSigner(signer crypto.Signer, algorithm Algorithm, text []byte) (signature []byte, err error) {
	defer contain(&err)
	if algorithm == ES256 {
		digest := sha256.Sum256(text)
		return signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	return signer.Sign(rand.Reader, bytes.Clone(text), crypto.Hash(0))
}
