package magiclink

import (
	"errors"
	"fmt"

	"github.com/magiclink-go/magiclink/internal/jose"
	"github.com/magiclink-go/magiclink/internal/trustedfile"
)

// ParseKeyring reads a JWK set (RFC 7517 section 5) of OKP Ed25519, EC P-256 or oct keys, each with a kid. The first key
// signs if it has its private part; the others verify, and their private parts are dropped. So a set that [Keyring.Save] has
// written comes back as it was, and a set of public keys makes a ring that only verifies. Only a key that Save has marked
// is a prepared key. Errors name a key by its place in the set and never quote its material.
func ParseKeyring(jwks []byte) (*Keyring, error) {
	members, err := jose.ParseSet(jwks)
	if err != nil {
		return nil, fmt.Errorf("magiclink: %w", err)
	}
	if len(members) == 0 {
		return nil, errors.New("magiclink: the JWK set holds no key")
	}
	return newKeyring(members)
}

// LoadKeyring reads the file that [Keyring.Save] has written, or another JWK set that [ParseKeyring] reads. For a file that
// is not there the error matches [fs.ErrNotExist].
//
// Everybody who can read or change a key file can sign in as anybody. LoadKeyring therefore checks the file. It must be a regular file of mode 0600 or less that root or the user of this process owns. A file that root owns may
// also be readable for its group (0440), as a mounted secret is. Root or the user must own the directory, and others must
// not be able to write it, unless its sticky bit is set. A symbolic link is refused, but for the links of a secret that
// Kubernetes mounts: links below the directory, which root owns like the file and all directories on the way. On Windows
// none of this is checked. The error says what to change.
func LoadKeyring(path string) (*Keyring, error) {
	text, err := trustedfile.ReadSecret(path)
	if err != nil {
		return nil, fmt.Errorf("magiclink: load the keys: %w", err)
	}
	k, err := ParseKeyring(text)
	if err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, path)
	}
	return k, nil
}

// Reload replaces the keys by those of the file, in one step. With it a running process follows a change that another
// process has saved. On an error, which is one of [LoadKeyring], the ring stays as it is.
func (k *Keyring) Reload(path string) error {
	if _, err := k.ready(); err != nil {
		return err
	}
	k.change.Lock() // of two that reload, the one that has read last comes last
	defer k.change.Unlock()
	loaded, err := LoadKeyring(path)
	if err != nil {
		return err
	}
	k.ring.Store(loaded.load())
	return nil
}

// ReloadJWKS replaces the keys by those of a JWK set that [Keyring.Save] has written, in one step: Reload for a process that has
// read the file itself. On an error, which is one of [ParseKeyring], the ring stays as it is.
func (k *Keyring) ReloadJWKS(jwks []byte) error {
	if _, err := k.ready(); err != nil {
		return err
	}
	loaded, err := ParseKeyring(jwks)
	if err != nil {
		return err
	}
	k.change.Lock()
	defer k.change.Unlock()
	k.ring.Store(loaded.load())
	return nil
}

// Save writes all keys, with the private parts that the ring has, as a JWK set to a file with mode 0600. The file is replaced
// in one step: after a crash it holds the old set or the new set, never a part. The directory must exist and be one that
// [LoadKeyring] accepts. Save does not write through a symbolic link and does not replace a file of another user.
//
// It returns [ErrNotExportable] if the signing key is a [crypto.Signer].
func (k *Keyring) Save(path string) error {
	if _, err := k.ready(); err != nil {
		return err
	}
	k.change.Lock() // of two that save, the one that changed the ring last comes last
	defer k.change.Unlock()
	text, err := jose.MarshalSet(k.load().members)
	if errors.Is(err, jose.ErrNotExportable) {
		return ErrNotExportable
	}
	if err == nil {
		err = trustedfile.Replace(path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("magiclink: save the keys: %w", err)
	}
	return nil
}
