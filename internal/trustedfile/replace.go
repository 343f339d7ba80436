package trustedfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Replace writes a file with mode 0600 in one step: after a crash the file has its old content or the new one, never a part.
// The directory must exist and be one that Read accepts. A file that exists already must be a regular file of root or of the
// user of this process; its mode does not matter.
func Replace(path string, content []byte) error {
	folder := filepath.Dir(path)
	if err := checkFolder(folder, anyTrusted()); err != nil {
		return err
	}
	if err := checkReplaced(path); err != nil {
		return err
	}
	temporary, err := writeBeside(path, content)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		os.Remove(temporary) //nolint:errcheck,gosec // the first error counts
		return err
	}
	removeLeft(path)
	return syncFolder(folder) // a rename is an entry of the directory
}

// The names of temporary files have a form of their own, so that removeLeft takes no copy of somebody for one.
func prefix(path string) string { return "." + filepath.Base(path) + "." }

const suffix = ".new"

// leftAfter is how old a temporary file is that nobody writes any more.
const leftAfter = time.Hour

// removeLeft removes the temporary files of processes that were killed. They may hold a key that was retired since. What cannot
// be removed is left for the next time.
func removeLeft(path string) {
	folder := filepath.Dir(path)
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, prefix(path)) || !strings.HasSuffix(name, suffix) {
			continue
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > leftAfter {
			os.Remove(filepath.Join(folder, name)) //nolint:errcheck,gosec // see above
		}
	}
}

func checkReplaced(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f := factsOf(path, info)
	switch {
	case f.mode.Type() == fs.ModeSymlink:
		return fmt.Errorf("%s is a symbolic link: name the file that it leads to", path)
	case !f.mode.IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	case f.owner == noOwner:
		return nil
	}
	return f.checkOwner(anyTrusted())
}

// writeBeside writes and syncs a temporary file in the directory of path and returns its name.
func writeBeside(path string, content []byte) (name string, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), prefix(path)+"*"+suffix) // with mode 0600
	if err != nil {
		return "", err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		os.Remove(file.Name()) //nolint:errcheck,gosec // the first error counts
		return "", err
	}
	return file.Name(), nil
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" { // which cannot sync a directory
		return nil
	}
	folder, err := os.Open(path) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
