package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// A link is issued: to send to somebody, not to log.
func Example() {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		fmt.Println(err)
		return
	}
	issuer, err := magiclink.New(magiclink.Config{
		BaseURL: "https://app.example.com/magic",
		Keys:    keys,
		Store:   memory.New(), // a service keeps its links in store/sqlite
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := issuer.Issue(context.Background(), magiclink.MagicLinkCreate{
		BusinessID: "biz_GA6EG2qFxA97NZHtxeLPUy",
		Email:      "jane@example.com",
		Path:       "/reports",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.HasPrefix(response.MagicLink, "https://app.example.com/magic/reports?token="))
	fmt.Println(response.MagicLinkID[:4], len(response.MagicLinkID))
	fmt.Println(time.Until(response.ExpiresAt) <= 5*time.Minute)
	// Output:
	// true
	// mlk_ 26
	// true
}

// All faults of a configuration are reported at once.
func ExampleNew() {
	_, err := magiclink.New(magiclink.Config{
		BaseURL:           "http://app.example.com/magic",
		Store:             memory.New(),
		MaxSessionTimeout: 365 * 24 * time.Hour,
	})
	var faults magiclink.ConfigErrors
	if errors.As(err, &faults) {
		for _, fault := range faults {
			fmt.Println(fault)
		}
	}
	// Output:
	// BaseURL must begin with https://; http:// is for loopback hosts alone
	// Keys is required: make one with GenerateKeyring or LoadKeyring
	// MaxSessionTimeout must be at most 7948800 seconds, the maximum of the spec
}

func ExampleGenerateKeyring() {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range keys.Keys() {
		fmt.Println(key.Algorithm, key.Active)
	}
	_, err = magiclink.GenerateKeyring("RS256")
	fmt.Println(err)
	// Output:
	// EdDSA true
	// magiclink: generate a key: unknown algorithm "RS256"; known are EdDSA, ES256 and HS256
}

// Every process that is given the same key agrees on its id.
func ExampleNewKeyring() {
	secret := []byte("32 random bytes, from a key vault")
	keys, err := magiclink.NewKeyring(secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := magiclink.NewKeyring(secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(keys.Keys()[0].ID == again.Keys()[0].ID)
	_, err = magiclink.NewKeyring(secret[:31])
	fmt.Println(err)
	// Output:
	// true
	// magiclink: an HS256 key has at least 32 bytes, this one has 31
}

// A service makes its keys when it starts for the first time, and finds them there afterwards.
func ExampleLoadKeyring() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "keys.json")

	for range 2 {
		keys, err := magiclink.LoadKeyring(path)
		if errors.Is(err, os.ErrNotExist) {
			fmt.Println("no keys yet")
			keys, err = magiclink.GenerateKeyring(magiclink.EdDSA)
			if err == nil {
				err = keys.Save(path)
			}
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(len(keys.Keys()), keys.CanSign())
	}
	// Output:
	// no keys yet
	// 1 true
	// 1 true
}

// A process that only redeems is given the public keys.
func ExampleParseKeyring() {
	keys, err := magiclink.ParseKeyring([]byte(`{"keys": [{
		"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "2026-03",
		"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
	}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(keys.Keys()[0].ID, keys.CanSign())
	_, err = magiclink.ParseKeyring([]byte(`{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "kid": "b"}]}`))
	fmt.Println(err)
	// Output:
	// 2026-03 false
	// magiclink: not a JWK set: the text is not valid JSON: duplicate member name at byte 55
}

// Rotating breaks no link: the old key verifies until it is retired, when all that it signed has expired.
func ExampleKeyring_Rotate() {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		fmt.Println(err)
		return
	}
	old := keys.Keys()[0].ID
	id, err := keys.Rotate()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range keys.Keys() {
		fmt.Println(key.ID == id, key.ID == old, key.Active)
	}
	fmt.Println(keys.Retire(id))
	fmt.Println(keys.Retire(old), len(keys.Keys()))
	// Output:
	// true false true
	// false true false
	// magiclink: this key signs: rotate first, then retire it
	// <nil> 1
}

// Every field that breaks its rule is reported, by its JSON name.
func ExampleFieldErrors() {
	var in magiclink.MagicLinkCreate
	err := in.UnmarshalJSON([]byte(`{"ttl": 20, "email": "jane@localhost", "path": "//evil.example"}`))
	var faults magiclink.FieldErrors
	if errors.As(err, &faults) {
		for fault := range faults.All() {
			fmt.Println(fault.Field, fault.Rule)
		}
		fmt.Println(faults[1].Message)
	}
	// Output:
	// business_id required_without
	// ttl max
	// email email
	// path localpath
	// must be at most 15
}
