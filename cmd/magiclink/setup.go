package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/trustedfile"
)

// The client and the business of a first start.
const (
	firstClient   = "dev"
	firstTenant   = "dev"
	firstBusiness = "acme"
)

// The environment's client.
const (
	clientIDVariable     = "MAGICLINK_CLIENT_ID"
	clientSecretVariable = "MAGICLINK_CLIENT_SECRET"
)

// credentials are those of a client.
type credentials struct {
	id, secret string
	given      bool // by the environment, so the operator has them
}

// beginFirstStart reports whether this is a first start, or one that was not finished. It marks a first start until
// finishFirstStart, so that files that are missing later are known as lost.
func (d *dataDir) beginFirstStart() (first bool, err error) {
	_, err = os.Lstat(d.markerPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	marked := err == nil
	f, err := d.look()
	if err != nil {
		return false, err
	}
	if marked && (f.keys || d.keysFile != "" || !f.database) { // the keys are made first: with a database and without keys they were lost
		return true, nil
	}
	if f != (found{}) {
		return false, d.lost(f)
	}
	return true, trustedfile.Replace(d.markerPath(), nil)
}

func (d *dataDir) finishFirstStart() error {
	return os.Remove(d.markerPath())
}

// loadKeys loads the keyring. A first start makes one where there is none. A file that was named must be there.
func (d *dataDir) loadKeys(first bool) (*magiclink.Keyring, error) {
	keys, err := d.readKeys()
	if first && errors.Is(err, fs.ErrNotExist) {
		return newKeys(d)
	}
	return keys, err
}

func newKeys(d *dataDir) (*magiclink.Keyring, error) {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		return nil, err
	}
	return keys, keys.Save(d.keysPath())
}

// loadConfig reads the configuration. A first start makes one where there is none and returns the credentials of its
// client, which are kept nowhere else; it does not write the file yet. A file that was named must be there.
func (d *dataDir) loadConfig(first bool, getenv func(string) string) (*configFile, *credentials, error) {
	given, err := givenCredentials(getenv)
	if err != nil {
		return nil, nil, err
	}
	_, err = os.Lstat(d.configPath())
	if first && d.config == "" && errors.Is(err, fs.ErrNotExist) {
		if given == nil {
			given = &credentials{id: firstClient, secret: rand.Text()}
		}
		config, err := firstConfig(given)
		return config, given, err
	}
	config, err := readConfig(d.configPath())
	if err != nil {
		return nil, nil, err
	}
	return config, nil, config.checkGiven(given, d.configPath())
}

func firstConfig(client *credentials) (*configFile, error) {
	config := &configFile{
		Clients: []clientEntry{{
			ID: client.id, SecretSHA256: hashText(client.secret), Tenant: firstTenant, Scopes: knownScopes,
		}},
		Businesses: []businessEntry{{
			ID: magiclink.NewBusinessID(time.Now()), Tenant: firstTenant, ExternalID: firstBusiness,
		}},
	}
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w", clientIDVariable, err)
	}
	return config, nil
}

// givenCredentials returns the client of the environment, or nil.
func givenCredentials(getenv func(string) string) (*credentials, error) {
	id, secret := getenv(clientIDVariable), getenv(clientSecretVariable)
	switch {
	case id == "" && secret == "":
		return nil, nil
	case id == "" || secret == "":
		return nil, usagef("%s and %s belong together: set both or neither", clientIDVariable, clientSecretVariable)
	}
	if err := checkSecret(secret); err != nil {
		return nil, fmt.Errorf("%s %w", clientSecretVariable, err)
	}
	return &credentials{id: id, secret: secret, given: true}, nil
}

// checkGiven holds the client of the environment against the file: a secret that was changed in the environment alone has
// no effect, and must not seem to have one.
func (c *configFile) checkGiven(given *credentials, path string) error {
	if given == nil {
		return nil
	}
	for _, client := range c.Clients {
		if client.ID != given.id {
			continue
		}
		if hash, err := client.hash(); err == nil && hash == httpadapter.HashSecret(given.secret) {
			return nil
		}
		return fmt.Errorf("%s is not the secret of the client %q in %s: set the secret of the first start, or unset both variables; "+
			"to change the secret, run \"magiclink clients remove\" and \"magiclink clients add\"", clientSecretVariable, given.id, path)
	}
	return fmt.Errorf("%s names the client %q, which %s does not have: unset %s and %s, or add the client with \"magiclink clients add\"",
		clientIDVariable, given.id, path, clientIDVariable, clientSecretVariable)
}
