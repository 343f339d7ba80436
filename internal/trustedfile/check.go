package trustedfile

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// noOwner stands for the owner where the system has none.
const noOwner = -1

// owners are the numbers of the users who may own a file.
type owners []int

func anyTrusted() owners { return owners{0, os.Geteuid()} }
func rootAlone() owners  { return owners{0} }

// facts are what decides whether a file or a directory is trusted.
type facts struct {
	path  string
	mode  fs.FileMode
	owner int
}

func factsOf(path string, info fs.FileInfo) facts {
	return facts{path: path, mode: info.Mode(), owner: ownerOf(info)}
}

func (f facts) ownedBy(owners owners) bool { return slices.Contains(owners, f.owner) }

// checkFile checks an open file.
func (f facts) checkFile(owners owners, secret bool) error {
	if !f.mode.IsRegular() {
		return fmt.Errorf("%s is not a regular file", f.path)
	}
	if f.owner == noOwner {
		return nil
	}
	if err := f.checkOwner(owners); err != nil {
		return err
	}
	mode := f.mode.Perm()
	switch {
	case mode&0o022 != 0:
		return fmt.Errorf("%s has mode %04o, so others can change it: chmod 600 it", f.path, mode)
	case secret && mode&0o037 != 0:
		return fmt.Errorf("%s has mode %04o, so others can read it: chmod 600 it, or mount the secret with mode 0440", f.path, mode)
	case secret && mode&0o040 != 0 && f.owner != 0:
		return fmt.Errorf("%s has mode %04o, so its group can read it: chmod 600 it. "+
			"A group may read only a file of root, such as a mounted secret", f.path, mode)
	}
	return nil
}

// checkFolder checks a directory.
func (f facts) checkFolder(owners owners) error {
	if !f.mode.IsDir() {
		return fmt.Errorf("%s is not a directory", f.path)
	}
	if f.owner == noOwner {
		return nil
	}
	if err := f.checkOwner(owners); err != nil {
		return err
	}
	if mode := f.mode.Perm(); mode&0o002 != 0 && f.mode&fs.ModeSticky == 0 {
		return fmt.Errorf("the directory %s has mode %04o, so others can replace its files: chmod o-w it", f.path, mode)
	}
	return nil
}

func (f facts) checkOwner(owners owners) error {
	if f.ownedBy(owners) {
		return nil
	}
	user := owners[len(owners)-1]
	return fmt.Errorf("%s is owned by user %d, who could change it: chown it to user %d", f.path, f.owner, user)
}
