package jose

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// ErrCannotSign says that a key has neither a private part nor a signer.
var ErrCannotSign = errors.New("the key cannot sign: it has no private part")

// AppendSigned appends the compact token of the kind, with the claims as its payload, signed by the key. The bytes that buf
// already holds are not signed. It returns ErrCannotSign, or the error of the key's signer.
func (k *Key) AppendSigned(buf []byte, kind Kind, claims []byte) ([]byte, error) {
	if !k.CanSign() {
		return nil, ErrCannotSign
	}
	start := len(buf)
	buf = append(buf, k.headers[kind]...)
	buf = base64.RawURLEncoding.AppendEncode(buf, claims)
	signature, err := k.signature(buf[start:])
	if err != nil {
		return nil, err
	}
	buf = base64.RawURLEncoding.AppendEncode(append(buf, '.'), signature)
	if k.remembers(kind) {
		k.seen.put(sha256.Sum256(buf[start:]))
	}
	return buf, nil
}

func (k *Key) signature(text []byte) ([]byte, error) {
	if k.external != nil {
		return k.signExternally(text)
	}
	return k.signer.Sign(text, k.private)
}
