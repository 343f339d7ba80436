//go:build unix

package sqlite

import (
	"fmt"
	"os"
	"syscall"
)

// checkNames refuses a file with several names, which are hard links. SQLite keeps the log beside the name by which it opens the
// file, so processes that use two names have two logs: each accepts every link once, and what they write damages the file. SQLite
// follows symbolic links.
func checkNames(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink > 1 {
		return fmt.Errorf("the file has %d names (hard links), and SQLite would keep a log beside each: remove all names but one, "+
			"which \"find -samefile\" shows; a hard link is no backup", stat.Nlink)
	}
	return nil
}
