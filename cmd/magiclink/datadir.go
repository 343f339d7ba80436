package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// dataDir is the directory that holds everything that one installation owns.
type dataDir struct {
	path   string
	config string // of the configuration file; empty means the one in the directory
}

func (d *dataDir) declare(set *flag.FlagSet) {
	set.StringVar(&d.path, "data", "./magiclink-data", "the data `directory`")
	set.StringVar(&d.config, "config", "", "the configuration `file` (default DATA/config.json)")
}

func (d *dataDir) keysPath() string     { return filepath.Join(d.path, "keys.json") }
func (d *dataDir) databasePath() string { return filepath.Join(d.path, "magiclink.db") }

func (d *dataDir) configPath() string {
	if d.config != "" {
		return d.config
	}
	return filepath.Join(d.path, "config.json")
}

// make creates the directory, for its owner alone.
func (d *dataDir) make() error {
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	return nil
}

// lock keeps other magiclink processes from changing the files of the directory at the same time.
func (d *dataDir) lock() (unlock func() error, err error) {
	unlock, err = lockFile(filepath.Join(d.path, ".lock"))
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	return unlock, nil
}

// locked calls change while no other process changes the files.
func (d *dataDir) locked(change func() error) error {
	unlock, err := d.lock()
	if err != nil {
		return err
	}
	return errors.Join(change(), unlock())
}

// exists tells a directory that serve has set up from one that is not there, which is mostly a mistyped name.
func (d *dataDir) exists() error {
	if _, err := os.Stat(d.keysPath()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not a data directory (it has no keys.json): run \"magiclink serve\" once, or give -data", d.path)
	}
	return nil
}

func (d *dataDir) keys() (*magiclink.Keyring, error) {
	if err := d.exists(); err != nil {
		return nil, err
	}
	return magiclink.LoadKeyring(d.keysPath())
}

// database opens the store of a directory that was set up before.
func (d *dataDir) database() (*sqlite.Store, error) {
	if err := d.exists(); err != nil {
		return nil, err
	}
	return sqlite.Open(d.databasePath())
}
