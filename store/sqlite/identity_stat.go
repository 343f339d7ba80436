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
	info, err := os.Stat(path)
	if err != nil {
		return fileID{}, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, errors.New("the system tells no inode")
	}
	return fileID{device: uint64(stat.Dev), inode: uint64(stat.Ino)}, nil
}
