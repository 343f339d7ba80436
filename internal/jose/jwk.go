package jose

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// Member is a key of a JWK set, with what our own files say about it. Other readers ignore our members of a JWK (RFC 7517
// section 4).
type Member struct {
	Key         *Key
	Prepared    bool      // the key is published and will sign next
	SignedUntil time.Time // when the key was replaced as the signing key, in whole seconds; zero if that is unknown
}

// The members of a JWK that are ours.
const (
	stateMember       = "magiclink_state"        // "prepared" is the only value
	signedUntilMember = "magiclink_signed_until" // Unix seconds
	statePrepared     = "prepared"
)

// ParseSet reads a JWK set (RFC 7517 section 5) and keeps the order of its keys. Every key needs a kid. Errors never
// quote key material.
func ParseSet(text []byte) ([]Member, error) {
	var values []strictjson.Value
	found := false
	err := strictjson.Object(text, func(name []byte, value strictjson.Value) error {
		if string(name) == "keys" {
			found = value.Elements(func(element strictjson.Value) bool {
				values = append(values, element)
				return true
			})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("not a JWK set: the text %w", err)
	}
	if !found {
		return nil, errors.New(`not a JWK set: it needs a member "keys" that is an array`)
	}
	members := make([]Member, 0, len(values))
	for i, value := range values {
		member, err := parseMember(value.Raw)
		if err != nil {
			return nil, fmt.Errorf("key %d of the JWK set: %w", i+1, err)
		}
		members = append(members, member)
	}
	return members, nil
}

func parseMember(text []byte) (Member, error) {
	key, err := parseKey(text)
	if err != nil {
		return Member{}, err
	}
	member := Member{Key: key}
	return member, strictjson.Object(text, func(name []byte, value strictjson.Value) error {
		switch string(name) {
		case stateMember:
			if member.Prepared = value.Text() == statePrepared; !member.Prepared {
				return fmt.Errorf("its %s is not %q, the only state that this version knows", stateMember, statePrepared)
			}
		case signedUntilMember:
			seconds, ok := value.UnixTime()
			if !ok {
				return fmt.Errorf("its %s is not a time in Unix seconds", signedUntilMember)
			}
			member.SignedUntil = time.Unix(seconds, 0).UTC()
		}
		return nil
	})
}

func parseKey(text []byte) (*Key, error) {
	parsed, err := jwk.ParseKey(text)
	if err != nil {
		return nil, errors.New("not a JWK of a kind that we know (OKP Ed25519, EC P-256, oct)")
	}
	if use := parsed.KeyUsage(); use != "" && use != string(jwk.ForSignature) {
		return nil, errors.New(`its use is not "sig"`)
	}
	if ops := parsed.KeyOps(); len(ops) > 0 && !slices.Contains(ops, jwk.KeyOpSign) && !slices.Contains(ops, jwk.KeyOpVerify) {
		return nil, errors.New("its key_ops are for neither signing nor verifying")
	}
	var raw any
	if err := parsed.Raw(&raw); err != nil {
		return nil, errors.New("its parts do not make a key")
	}
	if parsed.KeyID() == "" {
		return nil, errors.New("it needs an id (kid)")
	}
	key, err := NewKey(parsed.KeyID(), raw)
	if err != nil {
		return nil, err
	}
	if alg := parsed.Algorithm().String(); alg != "" && alg != string(key.algorithm) {
		return nil, fmt.Errorf("its alg is not the %s of its kind of key", key.algorithm)
	}
	return key, key.checkCanonical(text)
}

// checkCanonical compares the members that make the key with those that we would write. The parser accepts other alphabets,
// padding, stray bits and names in other letters. Two parsers could read such a key differently, so it is refused.
func (k *Key) checkCanonical(text []byte) error {
	written, err := k.jwk()
	if err != nil {
		return err
	}
	canonical, err := json.Marshal(written)
	if err != nil {
		return err
	}
	given, want := textMembers(text), textMembers(canonical)
	for _, name := range []string{"kty", "crv", "x", "y", "d", "k"} {
		if given[name] != want[name] {
			return fmt.Errorf("its member %s is not in the canonical form", name)
		}
	}
	return nil
}

// textMembers returns the strings of an object that is known to be well-formed.
func textMembers(object []byte) map[string]string {
	members := map[string]string{}
	_ = strictjson.Object(object, func(name []byte, value strictjson.Value) error {
		members[string(name)] = value.Text()
		return nil
	})
	return members
}

// ErrNotExportable says that the private part of a key is not in this process.
var ErrNotExportable = errors.New("the private part of the key is not in this process")

// MarshalSet writes a JWK set with the keys in this order, each with its private part where it has one. It returns
// ErrNotExportable if a crypto.Signer signs for one of them.
func MarshalSet(members []Member) ([]byte, error) {
	set := struct {
		Keys []jwk.Key `json:"keys"`
	}{Keys: []jwk.Key{}}
	for _, member := range members {
		written, err := member.jwk()
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, written)
	}
	return json.MarshalIndent(set, "", "  ")
}

func (m Member) jwk() (jwk.Key, error) {
	written, err := m.Key.jwk()
	if err == nil && m.Prepared {
		err = written.Set(stateMember, statePrepared)
	}
	if err == nil && !m.SignedUntil.IsZero() {
		err = written.Set(signedUntilMember, m.SignedUntil.Unix())
	}
	return written, err
}

func (k *Key) jwk() (jwk.Key, error) {
	if k.External() {
		return nil, ErrNotExportable
	}
	raw := k.public
	if k.private != nil {
		raw = k.private
	}
	written, err := jwk.FromRaw(raw)
	if err != nil {
		return nil, err
	}
	return written, errors.Join(
		written.Set(jwk.KeyIDKey, k.id),
		written.Set(jwk.AlgorithmKey, jwa.SignatureAlgorithm(k.algorithm)),
		written.Set(jwk.KeyUsageKey, jwk.ForSignature))
}
