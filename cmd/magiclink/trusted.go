package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkDirectory refuses a data directory in which other users could put files.
func checkDirectory(path string) error {
	info, err := os.Lstat(filepath.Clean(path)) // with a slash behind it a link would be followed
	switch {
	case err != nil:
		return err
	case info.Mode().Type() == fs.ModeSymlink:
		return fmt.Errorf("the data directory %s is a symbolic link: give the directory that it leads to with -data", path)
	case !info.IsDir():
		return fmt.Errorf("the data directory %s is not a directory: give another one with -data", path)
	}
	// The group may write here, as in a volume that a container mounts; each file is checked by itself.
	return judgeOwner(path, info, 0o002, "chmod 700 "+path)
}

// checkDatabase refuses database files that other users can write, also a journal, which SQLite would roll back into the
// database. It does not open the files: closing a descriptor would drop the locks that SQLite holds in this process.
func checkDatabase(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		name := path + suffix
		info, err := os.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is not a regular file: put the database file itself there", name)
		}
		if err := judgeOwner(name, info, 0o022, "chmod 600 "+name); err != nil {
			return err
		}
	}
	return nil
}
