//go:build unix && !(linux && (amd64 || arm64))

package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// fileID tells one file from every other.
type fileID struct{ device, inode uint64 }

func identify(path string) (fileID, error) {
	found, err := lookAtDirectory(path)
	return found.id, err
}

func lookAtDirectory(path string) (directory, error) {
	info, err := os.Stat(path)
	if err != nil {
		return directory{}, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return directory{}, errors.New("the system tells no inode")
	}
	return directory{
		id:      fileID{device: uint64(stat.Dev), inode: uint64(stat.Ino)},
		changed: info.ModTime().UnixNano(),
	}, nil
}
