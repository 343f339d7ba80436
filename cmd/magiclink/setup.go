package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// The client and the business of a first start.
const (
	firstClient   = "dev"
	firstTenant   = "dev"
	firstBusiness = "acme"
)

// credentials are those of the client that a first start has made.
type credentials struct {
	id, secret string
	given      bool // by the environment, so whoever reads the output has them
}

// prepareKeys loads the keyring, and makes one where there is none.
func (d *dataDir) prepareKeys() (*magiclink.Keyring, error) {
	keys, err := magiclink.LoadKeyring(d.keysPath())
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	keys, err = magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		return nil, err
	}
	return keys, keys.Save(d.keysPath())
}

// prepareConfig reads the configuration. Where there is none it makes one and returns the credentials of its client,
// which are kept nowhere else. A file that was named has to be there.
func (d *dataDir) prepareConfig(getenv func(string) string) (*configFile, *credentials, error) {
	_, err := os.Stat(d.configPath())
	if err == nil || d.config != "" || !errors.Is(err, fs.ErrNotExist) {
		config, err := readConfig(d.configPath())
		return config, nil, err
	}
	client, err := firstCredentials(getenv)
	if err != nil {
		return nil, nil, err
	}
	hash := httpadapter.HashSecret(client.secret)
	config := &configFile{
		Clients: []clientEntry{{
			ID: client.id, SecretSHA256: hex.EncodeToString(hash[:]), Tenant: firstTenant,
			Scopes: []string{httpadapter.ScopeCreate},
		}},
		Businesses: []businessEntry{{
			ID: magiclink.NewBusinessID(time.Now()), Tenant: firstTenant, ExternalID: firstBusiness,
		}},
	}
	if err := config.check(); err != nil {
		return nil, nil, fmt.Errorf("MAGICLINK_CLIENT_ID cannot be used: %w", err)
	}
	return config, client, config.write(d.configPath())
}

func firstCredentials(getenv func(string) string) (*credentials, error) {
	id, secret := getenv("MAGICLINK_CLIENT_ID"), getenv("MAGICLINK_CLIENT_SECRET")
	switch {
	case id == "" && secret == "":
		return &credentials{id: firstClient, secret: rand.Text()}, nil
	case id == "" || secret == "":
		return nil, usagef("MAGICLINK_CLIENT_ID and MAGICLINK_CLIENT_SECRET go together: set both or neither")
	}
	return &credentials{id: id, secret: secret, given: true}, nil
}
