package magiclink_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/magiclink-go/magiclink"
)

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
	_, err = magiclink.NewKeyring(secret[:31]) // too short
	fmt.Println(err != nil)
	// Output:
	// true
	// true
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

// A running process follows a rotation that another process has made. On an error the keys stay as they are: try again later.
func ExampleKeyring_Reload() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "keys.json")
	theirs, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err == nil {
		err = theirs.Save(path)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	ours, err := magiclink.LoadKeyring(path) // an Issuer and a Redeemer have this Keyring in their Config
	if err != nil {
		fmt.Println(err)
		return
	}

	if _, err = theirs.Rotate(); err == nil {
		err = theirs.Save(path)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(ours.Keys()), "key before")
	err = ours.Reload(path) // for example at every SIGHUP, or once a minute
	fmt.Println(len(ours.Keys()), "keys after", err)
	err = ours.Reload(filepath.Join(folder, "missing.json"))
	fmt.Println(len(ours.Keys()), "keys still", errors.Is(err, os.ErrNotExist))
	// Output:
	// 1 key before
	// 2 keys after <nil>
	// 2 keys still true
}
