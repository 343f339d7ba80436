package jose

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// ParseSet reads a JWK set (RFC 7517 section 5) and keeps the order of its keys. Every key needs a kid. Errors never
// quote key material.
func ParseSet(text []byte) ([]*Key, error) {
	var members []strictjson.Value
	found := false
	err := strictjson.Object(text, func(name []byte, value strictjson.Value) error {
		if string(name) == "keys" {
			found = value.Elements(func(member strictjson.Value) bool {
				members = append(members, member)
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
	keys := make([]*Key, 0, len(members))
	for i, member := range members {
		key, err := parseKey(member.Raw)
		if err != nil {
			return nil, fmt.Errorf("key %d of the JWK set: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
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

// checkCanonical holds the members that make the key against those that we would write. The parser takes other alphabets,
// padding, stray bits and names in other letters; what two parsers could read differently is refused.
func (k *Key) checkCanonical(text []byte) error {
	member, err := k.jwk()
	if err != nil {
		return err
	}
	written, err := json.Marshal(member)
	if err != nil {
		return err
	}
	given, want := textMembers(text), textMembers(written)
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

// MarshalSet writes a JWK set with the keys in this order, each with its private part where it has one.
func MarshalSet(keys []*Key) ([]byte, error) {
	set := struct {
		Keys []jwk.Key `json:"keys"`
	}{Keys: []jwk.Key{}}
	for _, key := range keys {
		member, err := key.jwk()
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, member)
	}
	return json.MarshalIndent(set, "", "  ")
}

func (k *Key) jwk() (jwk.Key, error) {
	raw := k.public
	if k.private != nil {
		raw = k.private
	}
	member, err := jwk.FromRaw(raw)
	if err != nil {
		return nil, err
	}
	return member, errors.Join(
		member.Set(jwk.KeyIDKey, k.id),
		member.Set(jwk.AlgorithmKey, jwa.SignatureAlgorithm(k.algorithm)),
		member.Set(jwk.KeyUsageKey, jwk.ForSignature))
}
