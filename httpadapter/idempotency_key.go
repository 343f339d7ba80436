package httpadapter

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
)

const maxIdempotencyKey = 255 // characters

var errIdempotencyKey = errors.New("the Idempotency-Key must be 1 to 255 characters of visible ASCII, in one header")

// idempotencyKey returns the key of a request, or "" if it has none.
func idempotencyKey(header http.Header) (string, error) {
	keys := header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return "", nil
	}
	if len(keys) > 1 || keys[0] == "" || len(keys[0]) > maxIdempotencyKey || strings.ContainsFunc(keys[0], notVisible) {
		return "", errIdempotencyKey
	}
	return keys[0], nil
}

// redeemedByKey returns the "by" of a redemption with this key, or "" without one. The hash keeps keys out of the store, and
// the text in front keeps it apart from every other hash. It includes the token, so that a key that is used for several
// links, or that is easy to guess, cannot be found from what is stored. It includes the proof, too: a link that is tied to a flow is not used again
// without what it was used with.
func redeemedByKey(asked redeemBody, key string) string {
	if key == "" {
		return ""
	}
	flow, code := sha256.Sum256([]byte(asked.proof.Flow)), sha256.Sum256([]byte(asked.proof.Code))
	hash := sha256.Sum256([]byte("magiclink idempotency key\x00" + string(flow[:]) + string(code[:]) + asked.token + "\x00" + key))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}
