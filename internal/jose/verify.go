package jose

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// MaxToken is the greatest length of a token in bytes. It is checked before anything is decoded.
const MaxToken = 4096

// ErrInvalid is the one answer to every token that is not ours as it should be. Why it is refused helps only those who
// probe us, so nobody is told.
var ErrInvalid = errors.New("invalid token")

// strict refuses an encoding whose last character has bits that the decoded bytes do not show.
var strict = base64.RawURLEncoding.Strict()

// Verify checks a compact token of the kind against the key that its header names and returns its claims: text that a key
// of ours has signed, and nothing more is said of it. Find is called at most once, with the key id as it stands in the
// header, and returns nil for an unknown one.
func Verify(token string, kind Kind, find func(id string) *Key) (claims []byte, err error) {
	if len(token) > MaxToken || strings.Count(token, ".") != 2 {
		return nil, ErrInvalid
	}
	headerText, rest, _ := strings.Cut(token, ".")
	claimsText, signatureText, _ := strings.Cut(rest, ".")

	// One buffer for all that is decoded, and behind it room to encode each part again.
	buf := make([]byte, 0, 2*len(token))
	headerJSON, ok1 := decode(&buf, headerText)
	claims, ok2 := decode(&buf, claimsText)
	signature, ok3 := decode(&buf, signatureText)
	if !ok1 || !ok2 || !ok3 {
		return nil, ErrInvalid
	}
	header, ok := parseHeader(headerJSON)
	if !ok || header.typ != types[kind] {
		return nil, ErrInvalid
	}
	key := find(header.kid)
	if key == nil || header.alg != string(key.algorithm) {
		return nil, ErrInvalid
	}
	signed := []byte(token[:len(headerText)+1+len(claimsText)])
	if key.verifier.Verify(signed, signature, key.public) != nil {
		return nil, ErrInvalid
	}
	return claims, nil
}

// decode appends the decoded text to buf and returns the new part. It accepts the canonical encoding alone: Go's decoder
// skips line breaks even when strict, so the bytes are encoded again and compared.
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
	again := base64.RawURLEncoding.AppendEncode(out, out[start:])[len(out):]
	return out[start:len(out):len(out)], bytes.Equal(again, []byte(text))
}

type header struct{ alg, kid, typ string }

var errMember = errors.New("member not allowed")

// parseHeader accepts the members that we write and no other: whatever else a header may carry (crit, jwk, jku, x5u, zip,
// b64 …) asks us to do something that we do not do.
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
