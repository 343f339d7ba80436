//go:build unix

package trustedfile_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/trustedfile"
)

const (
	root = 0
	us   = 1000
	them = 1001
)

// The rules for files and directories, for a process of an ordinary user.
func TestRules(t *testing.T) {
	for name, test := range map[string]struct {
		mode   fs.FileMode
		owner  int
		reads  string // why Read refuses it, or ""
		secret string // why ReadSecret refuses it, or ""
	}{
		"our own":                {0o600, us, "", ""},
		"read only":              {0o400, us, "", ""},
		"executable":             {0o700, us, "", ""},
		"root's":                 {0o600, root, "", ""},
		"a mounted secret":       {0o440, root, "", ""},
		"root's for a group":     {0o640, root, "", ""},
		"ours for a group":       {0o640, us, "", "its group can read it"},
		"for everybody":          {0o644, us, "", "others can read it"},
		"root's for everybody":   {0o444, root, "", "others can read it"},
		"others may execute":     {0o601, us, "", "others can read it"},
		"group may write":        {0o620, us, "others can change it", "others can change it"},
		"group may write root's": {0o660, root, "others can change it", "others can change it"},
		"others may write":       {0o602, us, "others can change it", "others can change it"},
		"somebody else's":        {0o600, them, "chown it to user 1000", "chown it to user 1000"},
		"a pipe":                 {fs.ModeNamedPipe | 0o600, us, "not a regular file", "not a regular file"},
		"a device":               {fs.ModeDevice | 0o600, root, "not a regular file", "not a regular file"},
		"a directory":            {fs.ModeDir | 0o700, us, "not a regular file", "not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			requireReason(t, test.reads, trustedfile.CheckFile(test.mode, test.owner, us, false))
			requireReason(t, test.secret, trustedfile.CheckFile(test.mode, test.owner, us, true))
		})
	}
	for name, test := range map[string]struct {
		mode   fs.FileMode
		owner  int
		reason string
	}{
		"our own":          {0o700, us, ""},
		"umask 002":        {0o775, us, ""},
		"a volume":         {0o775 | fs.ModeSetgid, root, ""},
		"/tmp":             {0o777 | fs.ModeSticky, root, ""},
		"for everybody":    {0o777, us, "chmod o-w"},
		"root's":           {0o755, root, ""},
		"root's for all":   {0o777, root, "chmod o-w"},
		"somebody else's":  {0o700, them, "chown it to user 1000"},
		"sticky of theirs": {0o777 | fs.ModeSticky, them, "chown it to user 1000"},
	} {
		t.Run("directory "+name, func(t *testing.T) {
			requireReason(t, test.reason, trustedfile.CheckFolder(fs.ModeDir|test.mode, test.owner, us))
		})
	}
}

func requireReason(t *testing.T, reason string, err error) {
	t.Helper()
	if reason == "" {
		require.NoError(t, err)
	} else {
		require.ErrorContains(t, err, reason)
	}
}

// reads are all functions that open a file.
var reads = map[string]func(string) error{
	"Read":       func(path string) error { _, err := trustedfile.Read(path); return err },
	"ReadSecret": func(path string) error { _, err := trustedfile.ReadSecret(path); return err },
	"OpenFile": func(path string) error {
		file, err := trustedfile.OpenFile(path, os.O_RDWR, 0o600)
		if err == nil {
			err = file.Close()
		}
		return err
	},
}

func TestReadFiles(t *testing.T) {
	folder := t.TempDir()
	path := write(t, folder, "file", 0o600)
	require.NoError(t, os.Mkdir(filepath.Join(folder, "folder"), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(t.TempDir(), "none"), filepath.Join(folder, "dangling")))
	require.NoError(t, os.Symlink(write(t, t.TempDir(), "outside", 0o600), filepath.Join(folder, "link")))
	require.NoError(t, os.Symlink("../"+filepath.Base(folder)+"/file", filepath.Join(folder, "around")))
	require.NoError(t, os.Symlink("loop", filepath.Join(folder, "loop")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600))
	write(t, folder, "open", 0o602)
	for name, read := range reads {
		require.NoError(t, read(path), name)
		require.ErrorIs(t, read(filepath.Join(folder, "none")), fs.ErrNotExist, name)
		require.ErrorIs(t, read(filepath.Join(folder, "none", "file")), fs.ErrNotExist, name)
		for _, link := range []string{"dangling", "link", "around", "loop"} {
			require.ErrorContains(t, read(filepath.Join(folder, link)), "symbolic link", "%s of %s", name, link)
		}
		for _, refused := range []string{"folder", "pipe", "open", "file/file"} {
			require.Error(t, read(filepath.Join(folder, refused)), "%s of %s", name, refused)
		}
	}
	content, err := trustedfile.ReadSecret(path)
	require.NoError(t, err)
	require.Equal(t, "content", string(content))
}

func TestFoldersOfEverybody(t *testing.T) {
	folder := t.TempDir()
	path := write(t, folder, "file", 0o600)
	require.NoError(t, os.Chmod(folder, 0o777))
	for name, read := range reads {
		require.ErrorContains(t, read(path), "chmod o-w", name)
	}
	require.ErrorContains(t, trustedfile.Replace(path, nil), "chmod o-w")
	require.NoError(t, os.Chmod(folder, 0o777|fs.ModeSticky))
	for name, read := range reads {
		require.NoError(t, read(path), name)
	}
	require.NoError(t, trustedfile.Replace(path, nil))
}

// A secret as Kubernetes mounts it: keys.json -> ..data/keys.json, ..data -> ..2026_03_14. All of it is root's.
func TestMountedSecret(t *testing.T) {
	if os.Geteuid() != root {
		t.Skip("needs root to make root's files")
	}
	mount := func(t *testing.T) (folder, path string) {
		t.Helper()
		folder = t.TempDir()
		version := filepath.Join(folder, "..2026_03_14")
		require.NoError(t, os.Mkdir(version, 0o755))
		write(t, version, "keys.json", 0o440)
		require.NoError(t, os.Symlink("..2026_03_14", filepath.Join(folder, "..data")))
		path = filepath.Join(folder, "keys.json")
		require.NoError(t, os.Symlink("..data/keys.json", path))
		require.NoError(t, os.Chmod(folder, 0o777|fs.ModeSticky))
		return folder, path
	}
	for name, spoil := range map[string]func(folder string) error{
		"the first link":  func(folder string) error { return os.Lchown(filepath.Join(folder, "keys.json"), them, them) },
		"the second link": func(folder string) error { return os.Lchown(filepath.Join(folder, "..data"), them, them) },
		"the directory":   func(folder string) error { return os.Chown(filepath.Join(folder, "..2026_03_14"), them, them) },
		"the mount":       func(folder string) error { return os.Chown(folder, them, them) },
		"the file": func(folder string) error {
			return os.Chown(filepath.Join(folder, "..2026_03_14", "keys.json"), them, them)
		},
		"an open directory": func(folder string) error { return os.Chmod(filepath.Join(folder, "..2026_03_14"), 0o777) },
	} {
		t.Run(name, func(t *testing.T) {
			folder, path := mount(t)
			require.NoError(t, spoil(folder))
			_, err := trustedfile.ReadSecret(path)
			require.Error(t, err)
			// Nor does it help that the process is theirs: behind a link all must be root's.
			_, may, err := trustedfile.Follow(folder, "keys.json", them)
			require.False(t, may)
			require.Equal(t, name == "the file", err == nil, "of the file only the owner counts, which is checked once it is open")
		})
	}
	folder, path := mount(t)
	content, err := trustedfile.ReadSecret(path)
	require.NoError(t, err, "the control")
	require.Equal(t, "content", string(content))
	require.ErrorContains(t, trustedfile.Replace(path, nil), "symbolic link")
	target, may, err := trustedfile.Follow(folder, "keys.json", them)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(folder, "..2026_03_14", "keys.json"), target)
	require.False(t, may)
	_, may, err = trustedfile.Follow(filepath.Dir(target), filepath.Base(path), them)
	require.NoError(t, err)
	require.True(t, may, "without a link the file may be theirs")
}

// Files of other users are refused on the disk as they are in the table.
func TestFilesOfOthers(t *testing.T) {
	if os.Geteuid() != root {
		t.Skip("needs root to give files away")
	}
	folder := t.TempDir()
	path := write(t, folder, "file", 0o600)
	require.NoError(t, os.Chown(path, them, them))
	for name, read := range reads {
		require.ErrorContains(t, read(path), fmt.Sprintf("chown it to user %d", os.Geteuid()), name)
	}
	require.ErrorContains(t, trustedfile.Replace(path, nil), "chown")
}

func TestOpenFileCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	for range 2 {
		file, err := trustedfile.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		require.NoError(t, err)
		require.NoError(t, file.Close())
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

func TestReplace(t *testing.T) {
	folder := t.TempDir()
	path := write(t, folder, "file", 0o644)
	require.NoError(t, trustedfile.Replace(path, []byte("new")))
	content, err := trustedfile.ReadSecret(path)
	require.NoError(t, err)
	require.Equal(t, "new", string(content))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "folder"), 0o700))
	require.Error(t, trustedfile.Replace(filepath.Join(folder, "folder"), nil))
	require.ErrorIs(t, trustedfile.Replace(filepath.Join(folder, "none", "file"), nil), fs.ErrNotExist)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 2, "no temporary file stays")
}

// What a killed process has left beside the file is removed by a later one: it may hold a key that was retired since. Copies of
// somebody are left alone, and so is what may be in the making.
func TestReplaceRemovesWhatAKilledProcessHasLeft(t *testing.T) {
	folder := t.TempDir()
	path := write(t, folder, "keys.json", 0o600)
	kept := []string{"keys.json", ".keys.json.bak", ".keys.json.20261127", ".keys.json.2.new", ".other.json.1.new", "keys.json.1.new"}
	long := time.Now().Add(-2 * time.Hour)
	for _, name := range append(kept, ".keys.json.1.new") {
		left := write(t, folder, name, 0o600)
		if name != ".keys.json.2.new" {
			require.NoError(t, os.Chtimes(left, long, long))
		}
	}
	require.NoError(t, trustedfile.Replace(path, []byte("new")))
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	require.ElementsMatch(t, kept, names)
}

func write(t *testing.T, folder, name string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(folder, name)
	require.NoError(t, os.WriteFile(path, []byte("content"), mode))
	require.NoError(t, os.Chmod(path, mode))
	return path
}
