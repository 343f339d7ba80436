// Package trustedfile reads and replaces files that grant authority: keys, configuration and locks.
//
// A file is trusted if nobody but root and the user of this process can have written it:
//
//   - It is a regular file, root or the user owns it, and neither its group nor others can write it.
//   - Root or the user owns its directory, and others cannot write the directory, unless its sticky bit is set, as in
//     /tmp: there nobody can remove or replace a file of another user. The group may write the directory. Containers mount
//     volumes like that, many systems make directories like that (umask 002), and root chooses who is in a group; the
//     owner of the file is checked in any case.
//   - It is not a symbolic link. Mounted secrets are the exception: Kubernetes mounts keys.json as a link to
//     ..data/keys.json, where ..data is a link, too. Such links are followed if they stay below the directory, and if root
//     owns the directory, the links, all directories on the way and the file.
//
// A secret file, moreover, is readable for its owner alone. Its group may read it if root owns it, as with a secret that is
// mounted with mode 0440.
//
// Where the system has no owners and modes (Windows, Plan 9), only the kind of the file is checked.
package trustedfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Read returns the content of a file that only root and the user of this process can have written. Errors say how to make
// the file acceptable; for a file that is not there the error matches [fs.ErrNotExist].
func Read(path string) ([]byte, error) { return read(path, false) }

// ReadSecret is Read for a file that nobody else may read either.
func ReadSecret(path string) ([]byte, error) { return read(path, true) }

func read(path string, secret bool) ([]byte, error) {
	file, err := open(path, os.O_RDONLY, 0, secret)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	return io.ReadAll(file)
}

// OpenFile opens or creates a file as [os.OpenFile] does, for example a lock. It refuses the files that Read refuses. A flag
// that truncates takes effect before the file is checked, so do not use one.
func OpenFile(path string, flag int, perm fs.FileMode) (*os.File, error) {
	return open(path, flag, perm, false)
}

func open(path string, flag int, perm fs.FileMode, secret bool) (*os.File, error) {
	folder := filepath.Dir(path)
	if err := checkFolder(folder, anyTrusted()); err != nil {
		return nil, err
	}
	target, owners, err := follow(folder, filepath.Base(path), anyTrusted())
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(target, flag|openFlags, perm) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil {
		err = factsOf(path, info).checkFile(owners, secret)
	}
	if err != nil {
		file.Close() //nolint:errcheck,gosec // the first error counts
		return nil, err
	}
	return file, nil
}

func checkFolder(path string, owners owners) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return factsOf(path, info).checkFolder(owners)
}

// maxLinks bounds a chain of links. A mounted secret of Kubernetes has two.
const maxLinks = 8

// follow resolves the links of a mounted secret. It returns the path without links and who may own the file: trusted, or root
// alone where links were followed.
func follow(folder, name string, trusted owners) (path string, allowed owners, err error) {
	for range maxLinks {
		link, err := firstLink(folder, name, trusted)
		if err != nil {
			return "", nil, err
		}
		if link == "" {
			return filepath.Join(folder, name), trusted, nil
		}
		trusted = rootAlone()
		if name, err = throughLink(folder, name, link); err != nil {
			return "", nil, err
		}
	}
	return "", nil, fmt.Errorf("%s has too many symbolic links: name the file itself", filepath.Join(folder, name))
}

// firstLink returns the first part of name that is a link, or "". The directories before it are checked.
func firstLink(folder, name string, owners owners) (string, error) {
	for end := range len(name) + 1 {
		if end < len(name) && !os.IsPathSeparator(name[end]) {
			continue
		}
		path := filepath.Join(folder, name[:end])
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && end == len(name):
			return "", nil // opening the file says so, or creates it
		case err != nil:
			return "", err
		case info.Mode().Type() == fs.ModeSymlink:
			return name[:end], nil
		case end < len(name):
			if err := factsOf(path, info).checkFolder(owners); err != nil {
				return "", err
			}
		}
	}
	return "", nil
}

// throughLink returns name with its link replaced by the target of the link. The target must lie below the folder, and root
// must own the folder and the link.
func throughLink(folder, name, link string) (string, error) {
	path := filepath.Join(folder, link)
	target, err := os.Readlink(path)
	if err != nil {
		return "", err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	root := rootAlone()
	next := filepath.Join(filepath.Dir(link), target, name[len(link):])
	if filepath.IsAbs(target) || !filepath.IsLocal(next) || !factsOf(path, info).ownedBy(root) || checkFolder(folder, root) != nil {
		return "", fmt.Errorf("%s is a symbolic link: name the file that it leads to (%s)", path, target)
	}
	return next, nil
}
