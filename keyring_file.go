package magiclink

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// ParseKeyring reads a JWK set (RFC 7517 section 5) of OKP Ed25519, EC P-256 or oct keys, each with a kid. The first key
// signs if it has its private part; the others verify. So a set written by [Keyring.Save] comes back as it was, and a
// set of public keys gives a ring that only verifies. Errors name the key by its place and never quote its material.
func ParseKeyring(jwks []byte) (*Keyring, error) {
	keys, err := jose.ParseSet(jwks)
	if err != nil {
		return nil, fmt.Errorf("magiclink: %w", err)
	}
	if len(keys) == 0 {
		return nil, errors.New("magiclink: the JWK set holds no key")
	}
	return newKeyring(keys)
}

// LoadKeyring reads the file that [Keyring.Save] wrote. It refuses a file that others than its owner may read or write.
// For a file that is not there the error matches [fs.ErrNotExist].
func LoadKeyring(path string) (*Keyring, error) {
	text, err := readPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("magiclink: load the keys: %w", err)
	}
	k, err := ParseKeyring(text)
	if err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, path)
	}
	return k, nil
}

// Reload replaces the keys by those of the file, in one step: a running process follows a rotation that another one
// made. On an error, which is one of [LoadKeyring], the ring stays as it is.
func (k *Keyring) Reload(path string) error {
	loaded, err := LoadKeyring(path)
	if err != nil {
		return err
	}
	k.change.Lock()
	defer k.change.Unlock()
	k.ring.Store(loaded.load())
	return nil
}

var errEmptyKeyring = errors.New("magiclink: save the keys: the keyring is empty")

// Save writes all keys, private parts included, as a JWK set to a file with mode 0600. The file is replaced in one step:
// after a crash there is the old set or the new one, never a part. The directory must exist. An empty ring is not saved.
func (k *Keyring) Save(path string) error {
	if k == nil {
		return errEmptyKeyring
	}
	k.change.Lock() // of two that save, the one that changed the ring last comes last
	defer k.change.Unlock()
	keys := k.load().keys
	if len(keys) == 0 {
		return errEmptyKeyring
	}
	text, err := jose.MarshalSet(keys)
	if err == nil {
		err = replaceFile(path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("magiclink: save the keys: %w", err)
	}
	return nil
}

func readPrivate(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	// Windows has no such modes: there a file takes its rights from its folder.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s has mode %04o: others could read or change it; chmod 600 it", path, mode)
	}
	return io.ReadAll(file)
}

// replaceFile writes beside the file, syncs, and renames over it. The directory is synced too: a rename is an entry in it.
func replaceFile(path string, text []byte) (err error) {
	folder := filepath.Dir(path)
	temporary, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*") // made with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(temporary.Name()) //nolint:errcheck,gosec // the first error is the one that counts
		}
	}()
	_, err = temporary.Write(text)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	if err = os.Rename(temporary.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" { // where a folder cannot be synced
		return nil
	}
	folder, err := os.Open(path) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
