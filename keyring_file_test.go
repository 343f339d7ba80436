package magiclink_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestSaveAndLoad(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "keys.json")
			keys := generate(t, algorithm)
			oldToken := sign(t, keys)
			_, err := keys.Rotate()
			require.NoError(t, err)
			require.NoError(t, keys.Save(path))
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, fs.FileMode(0o600), info.Mode())

			loaded, err := magiclink.LoadKeyring(path)
			require.NoError(t, err)
			require.Equal(t, keys.Keys(), loaded.Keys())
			require.NoError(t, verify(loaded, oldToken))
			require.NoError(t, verify(keys, sign(t, loaded)))

			_, err = loaded.Rotate()
			require.NoError(t, err)
			require.NoError(t, loaded.Save(path), "over the old file")
			require.Equal(t, []string{"keys.json"}, namesIn(t, folder), "no temporary file stays")
			again, err := magiclink.LoadKeyring(path)
			require.NoError(t, err)
			require.Equal(t, loaded.Keys(), again.Keys())
		})
	}
}

// Only the key that signs is saved with its private part.
func TestSaveDropsOldPrivateParts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	keys := generate(t, magiclink.EdDSA)
	_, err := keys.Rotate()
	require.NoError(t, err)
	require.NoError(t, keys.Save(path))
	set := readSet(t, path)
	require.Len(t, set, 2)
	require.Contains(t, set[0], "d")
	require.NotContains(t, set[1], "d")
}

func TestSaveNarrowsTheMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
	require.NoError(t, os.Chmod(path, 0o644))
	require.NoError(t, seededKeyring(t).Save(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

func TestLoadRefusesOpenFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, seededKeyring(t).Save(path))
	for mode, ok := range map[fs.FileMode]bool{
		0o600: true, 0o400: true, 0o700: true, 0o644: false, 0o640: os.Getuid() == 0, 0o440: os.Getuid() == 0, 0o604: false, 0o620: false, 0o602: false,
		0o610: false, 0o601: false, 0o666: false, 0o777: false,
	} {
		t.Run(fmt.Sprintf("%04o", mode), func(t *testing.T) {
			require.NoError(t, os.Chmod(path, mode))
			_, err := magiclink.LoadKeyring(path)
			if ok {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, fmt.Sprintf("%04o", mode))
			require.ErrorContains(t, err, "chmod 600")
			require.Error(t, seededKeyring(t).Reload(path))
		})
	}
}

func TestLoadFaults(t *testing.T) {
	folder := t.TempDir()
	_, err := magiclink.LoadKeyring(filepath.Join(folder, "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)

	_, err = magiclink.LoadKeyring(folder)
	require.Error(t, err, "a folder is no file")

	path := filepath.Join(folder, "keys.json")
	require.NoError(t, os.WriteFile(path, []byte(canary), 0o600))
	_, err = magiclink.LoadKeyring(path)
	require.ErrorContains(t, err, path)
	require.NotContains(t, err.Error(), canary)
}

func TestSaveFaults(t *testing.T) {
	folder := t.TempDir()
	require.ErrorIs(t, seededKeyring(t).Save(filepath.Join(folder, "none", "keys.json")), fs.ErrNotExist)

	taken := filepath.Join(folder, "taken")
	require.NoError(t, os.Mkdir(taken, 0o700))
	err := seededKeyring(t).Save(taken)
	require.Error(t, err)
	require.ErrorContains(t, err, "not a regular file")
	require.Equal(t, []string{"taken"}, namesIn(t, folder), "a failed save leaves no temporary file")
}

func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	writer := generate(t, magiclink.EdDSA)
	require.NoError(t, writer.Save(path))
	reader, err := magiclink.LoadKeyring(path)
	require.NoError(t, err)

	_, err = writer.Rotate()
	require.NoError(t, err)
	token := sign(t, writer)
	require.ErrorIs(t, verify(reader, token), magiclink.ErrInvalidToken)
	require.NoError(t, writer.Save(path))
	require.NoError(t, reader.Reload(path))
	require.NoError(t, verify(reader, token))
	require.Equal(t, writer.Keys(), reader.Keys())

	require.NoError(t, os.WriteFile(path, []byte("{}"), 0o600))
	require.Error(t, reader.Reload(path))
	require.NoError(t, verify(reader, token), "after a fault the ring is as it was")
	require.NoError(t, os.Remove(path))
	require.ErrorIs(t, reader.Reload(path), fs.ErrNotExist)
	require.True(t, reader.CanSign())
}

func namesIn(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// A ring may lose its signing key while an Issuer uses it: it is an outage, and nothing is stored.
func TestIssueAfterTheSigningKeyIsGone(t *testing.T) {
	keys := seededKeyring(t)
	store := new(brokenStore)
	f := newFixture(t, func(c *magiclink.Config) { c.Keys, c.Store = keys, store })
	public, err := keys.Public()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "keys.json")
	require.NoError(t, public.Save(path))
	require.NoError(t, keys.Reload(path))

	_, err = f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
	require.ErrorIs(t, err, magiclink.ErrUnavailable)
	require.ErrorIs(t, err, magiclink.ErrNoSigningKey)
	require.Zero(t, store.calls)
}

// Save and Load do not follow a link that others could have made.
func TestKeyFileBehindALink(t *testing.T) {
	folder := t.TempDir()
	target, link := filepath.Join(t.TempDir(), "keys.json"), filepath.Join(folder, "keys.json")
	require.NoError(t, seededKeyring(t).Save(target))
	require.NoError(t, os.Symlink(target, link))
	_, err := magiclink.LoadKeyring(link)
	require.ErrorContains(t, err, "symbolic link")
	require.ErrorContains(t, seededKeyring(t).Reload(link), "symbolic link")
	require.ErrorContains(t, generate(t, magiclink.ES256).Save(link), "symbolic link")
	loaded, err := magiclink.LoadKeyring(target)
	require.NoError(t, err, "the control")
	require.Equal(t, magiclink.EdDSA, loaded.Keys()[0].Algorithm, "nothing was written through the link")
}

func TestKeyFileInAFolderOfEverybody(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "keys.json")
	require.NoError(t, seededKeyring(t).Save(path))
	require.NoError(t, os.Chmod(folder, 0o777))
	_, err := magiclink.LoadKeyring(path)
	require.ErrorContains(t, err, "chmod o-w")
	require.ErrorContains(t, seededKeyring(t).Save(path), "chmod o-w")
	require.NoError(t, os.Chmod(folder, 0o777|os.ModeSticky))
	_, err = magiclink.LoadKeyring(path)
	require.NoError(t, err)
}
