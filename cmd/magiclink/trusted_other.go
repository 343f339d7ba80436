//go:build !unix

package main

import "io/fs"

// judgeOwner accepts everything where files have neither owners nor modes of this kind.
func judgeOwner(string, fs.FileInfo, fs.FileMode, string) error { return nil }

// adviseOwner adds nothing there.
func adviseOwner(err error, _ string) error { return err }

// lockFile does nothing where there is no flock: do not start two processes on a fresh directory at once there.
func lockFile(string) (unlock func() error, err error) {
	return func() error { return nil }, nil
}
