package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// dataDir is the directory that holds everything that one installation owns.
type dataDir struct {
	path     string
	keysFile string // empty means keys.json in the directory
	config   string // the configuration file; empty means config.json in the directory
}

func (d *dataDir) declare(set *flag.FlagSet) {
	set.StringVar(&d.path, "data", "./magiclink-data", "the data `directory`")
	set.StringVar(&d.keysFile, "keys", "", "the key `file` (default DATA/keys.json)")
	set.StringVar(&d.config, "config", "", "the configuration `file` (default DATA/config.json)")
}

// filesNamed reports whether keys and configuration lie elsewhere.
func (d *dataDir) filesNamed() bool { return d.keysFile != "" && d.config != "" }

func (d *dataDir) databasePath() string { return filepath.Join(d.path, "magiclink.db") }

func (d *dataDir) keysPath() string {
	if d.keysFile != "" {
		return d.keysFile
	}
	return filepath.Join(d.path, "keys.json")
}

// markerPath is the file that is there while a first start is not finished.
func (d *dataDir) markerPath() string { return filepath.Join(d.path, ".first-start") }

func (d *dataDir) configPath() string {
	if d.config != "" {
		return d.config
	}
	return filepath.Join(d.path, "config.json")
}

// make creates the directory, for its owner alone, and refuses one that others can change.
func (d *dataDir) make() error {
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w: name another one with -data, or let the user of this process write there", err)
	}
	return checkDirectory(d.path)
}

// lockBeside keeps other magiclink processes from changing the file, and those beside it, at the same time.
func lockBeside(path string) (unlock func() error, err error) {
	unlock, err = lockFile(filepath.Join(filepath.Dir(path), ".lock"))
	if err != nil {
		return nil, adviseOwner(fmt.Errorf("lock the directory of %s: %w", path, err), filepath.Dir(path))
	}
	return unlock, nil
}

// locked calls change while no other process changes the file.
func locked(path string, change func() error) error {
	unlock, err := lockBeside(path)
	if err != nil {
		return err
	}
	return errors.Join(change(), unlock())
}

// found is which files of an installation are in the data directory.
type found struct{ keys, config, database bool }

func (d *dataDir) look() (found, error) {
	var f found
	for path, there := range map[string]*bool{
		filepath.Join(d.path, "keys.json"): &f.keys, filepath.Join(d.path, "config.json"): &f.config, d.databasePath(): &f.database,
	} {
		_, err := os.Lstat(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return found{}, adviseOwner(err, d.path)
		}
		*there = err == nil
	}
	return f, nil
}

// lost returns an error if a file is missing that an earlier start has made. Nothing replaces it silently: with new keys
// every link and session becomes invalid, and with a new configuration every client.
func (d *dataDir) lost(f found) error {
	switch {
	case !f.keys && d.keysFile == "":
		return fmt.Errorf("%s is missing, although this directory was set up before: restore it from a backup; to begin with a new "+
			"key run \"magiclink keys rotate -force\", which makes every link, session and access token so far invalid", d.keysPath())
	case !f.config && d.config == "" && d.unfinished():
		return fmt.Errorf("%s is missing, since the first start here has not finished: run \"magiclink serve\" again, which finishes it; "+
			"if this directory was set up before, restore the file from a backup", d.configPath())
	case !f.config && d.config == "":
		return fmt.Errorf("%s is missing, although this directory was set up before: restore it from a backup; to begin with an "+
			"empty one write {} into it, chmod 600 it, and run \"magiclink clients add\" and \"magiclink businesses add\"", d.configPath())
	}
	return nil
}

// unfinished reports whether a first start has begun and not finished.
func (d *dataDir) unfinished() bool {
	_, err := os.Lstat(d.markerPath())
	return err == nil
}

// checkSetUp tells a directory that serve has set up from one that is not there, which is mostly a mistyped name.
func (d *dataDir) checkSetUp() error {
	if _, err := os.Lstat(d.path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no directory %s: run \"magiclink serve\" once, or give the data directory with -data", d.path)
	}
	if err := checkDirectory(d.path); err != nil {
		return err
	}
	f, err := d.look()
	switch {
	case err != nil:
		return err
	case f == found{}:
		return fmt.Errorf("%s is not a data directory: run \"magiclink serve\" once, or give the data directory with -data", d.path)
	case !f.keys && d.keysFile == "":
		return d.lost(f)
	}
	return nil
}

func (d *dataDir) keys() (*magiclink.Keyring, error) {
	if err := d.checkKeys(); err != nil {
		return nil, err
	}
	return d.readKeys()
}

// checkKeys tells a mistyped data directory from one that has keys.
func (d *dataDir) checkKeys() error {
	if d.keysFile != "" {
		return nil
	}
	return d.checkSetUp()
}

// readKeys reads the key file.
func (d *dataDir) readKeys() (*magiclink.Keyring, error) {
	keys, err := magiclink.LoadKeyring(d.keysPath())
	if errors.Is(err, fs.ErrNotExist) && d.keysFile != "" {
		return nil, fmt.Errorf("there is no key file %s: correct -keys, or make one with \"magiclink keys rotate -force -keys %[1]s\"", d.keysFile)
	}
	if err != nil && strings.HasSuffix(err.Error(), "(in "+d.keysPath()+")") {
		return nil, fmt.Errorf("%w: restore the file from a backup; to begin with a new key, remove it and run \"magiclink keys rotate -force\", "+
			"which makes every link, session and access token so far invalid", err)
	}
	return keys, adviseOwner(err, cmp.Or(d.keysFile, d.path))
}

// readConfig reads the configuration of a directory that was set up before.
func (d *dataDir) readConfig() (*configFile, error) {
	if d.config != "" {
		return readConfig(d.config)
	}
	if err := d.checkSetUp(); err != nil {
		return nil, err
	}
	f, err := d.look()
	if err == nil {
		err = d.lost(f)
	}
	if err != nil {
		return nil, err
	}
	return readConfig(d.configPath())
}

// openDatabase refuses database files that others could have put there.
func (d *dataDir) openDatabase() (*sqlite.Store, error) {
	if err := checkDatabase(d.databasePath()); err != nil {
		return nil, err
	}
	store, err := sqlite.Open(d.databasePath())
	return store, adviseOwner(adviseDatabase(err), d.path)
}

// adviseDatabase says what to do about a file that cannot be opened. The types of these errors need cgo.
func adviseDatabase(err error) error {
	switch {
	case err == nil:
		return nil
	case strings.HasSuffix(err.Error(), "file is not a database"):
		return fmt.Errorf("%w: restore it from a backup; or move it away with its files -wal and -shm, and \"magiclink serve\" makes an empty one, "+
			"in which every link and session so far is unknown", err)
	case strings.Contains(err.Error(), "belongs to another application"):
		return fmt.Errorf("%w; for this command name another directory with -data, or move the file away and restore the database from a backup", err)
	}
	return err
}

// hasDatabase reports whether a database was made in the directory before.
func (d *dataDir) hasDatabase() bool {
	info, err := os.Lstat(d.databasePath())
	return err == nil && info.Size() > 0
}
