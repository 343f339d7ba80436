package jose

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// ErrCannotSign says that a key has no private part.
var ErrCannotSign = errors.New("the key cannot sign: it has no private part")

// AppendSigned appends the compact token of the kind, with the claims as its payload, signed by the key. What stood in
// buf before is not signed.
func (k *Key) AppendSigned(buf []byte, kind Kind, claims []byte) ([]byte, error) {
	if k.private == nil {
		return nil, ErrCannotSign
	}
	start := len(buf)
	buf = append(buf, k.headers[kind]...)
	buf = base64.RawURLEncoding.AppendEncode(buf, claims)
	signature, err := k.signer.Sign(buf[start:], k.private)
	if err != nil {
		return nil, err
	}
	buf = base64.RawURLEncoding.AppendEncode(append(buf, '.'), signature)
	if k.remembers(kind) {
		k.seen.put(sha256.Sum256(buf[start:]))
	}
	return buf, nil
}
