package jose

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// MaxToken is the greatest length of a token in bytes. It is checked before anything is decoded.
const MaxToken = 4096

// ErrInvalid is the one answer to every token that is refused. It gives no reason, because a reason would help an attacker
// alone.
var ErrInvalid = errors.New("invalid token")

// strict refuses an encoding whose last character has bits that the decoded bytes do not show.
var strict = base64.RawURLEncoding.Strict()

// Verify checks a compact token of the kind against the key of keys that its header names, and returns its payload. The
// payload is text that this key has signed; Verify does not read it.
func Verify(token string, kind Kind, keys []*Key) (claims []byte, err error) {
	if len(token) > MaxToken || strings.Count(token, ".") != 2 {
		return nil, ErrInvalid
	}
	headerText, rest, _ := strings.Cut(token, ".")
	claimsText, signatureText, _ := strings.Cut(rest, ".")

	key := keyFor(headerText, kind, keys)
	buf := append(make([]byte, 0, 2*len(token)), token...) // with room for the decoded parts
	claims, ok1 := decode(&buf, claimsText)
	signature, ok2 := decode(&buf, signatureText)
	if key == nil || !ok1 || !ok2 {
		return nil, ErrInvalid
	}
	if !key.authentic(kind, buf[:len(token)], signature) {
		return nil, ErrInvalid
	}
	return claims, nil
}

// keyFor returns the key that a header names. It returns nil if there is no such key, or if the header does not suit the kind
// and the key. A header that one of the keys has written is recognised without parsing.
func keyFor(text string, kind Kind, keys []*Key) *Key {
	for _, key := range keys {
		if written := key.headers[kind]; text == written[:len(written)-1] {
			return key
		}
	}
	decoded, ok := decode(new([]byte), text)
	if !ok {
		return nil
	}
	header, ok := parseHeader(decoded)
	if !ok || header.typ != types[kind] {
		return nil
	}
	for _, key := range keys {
		if key.id == header.kid && string(key.algorithm) == header.alg {
			return key
		}
	}
	return nil
}

// decode appends the decoded text to buf and returns the new part. It accepts only the canonical encoding. Go's strict
// decoder skips line breaks, so decode compares the length of the text as well.
func decode(buf *[]byte, text string) ([]byte, bool) {
	if text == "" {
		return nil, false
	}
	start := len(*buf)
	out, err := strict.AppendDecode(*buf, []byte(text))
	if err != nil {
		return nil, false
	}
	*buf = out
	return out[start:len(out):len(out)], len(text) == strict.EncodedLen(len(out)-start)
}

type header struct{ alg, kid, typ string }

var errMember = errors.New("member not allowed")

// parseHeader accepts the members that we write and no other. Every other member (crit, jwk, jku, x5u, zip, b64 …) asks for
// something that we do not do.
func parseHeader(text []byte) (h header, ok bool) {
	err := strictjson.Object(text, func(name []byte, value strictjson.Value) error {
		if value.Kind != strictjson.String {
			return errMember
		}
		switch string(name) {
		case "alg":
			h.alg = value.Text()
		case "kid":
			h.kid = value.Text()
		case "typ":
			h.typ = value.Text()
		default:
			return errMember
		}
		return nil
	})
	return h, err == nil && h.alg != "" && h.kid != "" && h.typ != ""
}
