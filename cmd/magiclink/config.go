package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/trustedfile"
)

// configFile is the content of config.json.
type configFile struct {
	Clients    []clientEntry   `json:"clients"`
	Businesses []businessEntry `json:"businesses"`
	SignIn     *signInEntry    `json:"sign_in,omitempty"` // nil: nobody signs in by mail
}

type clientEntry struct {
	ID           string   `json:"id"`
	SecretSHA256 string   `json:"secret_sha256"`
	Tenant       string   `json:"tenant"`
	Scopes       []string `json:"scopes"`
	BusinessID   *string  `json:"business_id"`
}

type businessEntry struct {
	ID         string `json:"id"`
	Tenant     string `json:"tenant"`
	ExternalID string `json:"external_id"`
}

// knownScopes are the scopes that a client can have.
var knownScopes = []string{httpadapter.ScopeCreate, "auth:read", "auth:revoke"}

// readConfig reads the configuration file.
func readConfig(path string) (*configFile, error) {
	text, err := trustedfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no configuration %s: correct -config, or restore the file from a backup; an empty one is {}, with mode 0600", path)
	}
	if err != nil {
		return nil, adviseOwner(fmt.Errorf("read the configuration: %w", err), path)
	}
	config, err := parseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

// check returns the first fault of the content. It names the member, such as clients[0].secret_sha256.
func (c *configFile) check() error {
	if _, err := c.directory(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for n, client := range c.Clients {
		at := "clients[" + strconv.Itoa(n) + "]"
		if err := c.checkClient(at, client); err != nil {
			return err
		}
		if seen[client.ID] {
			return fmt.Errorf("%s.id %q is the id of another client too: each client needs its own id", at, client.ID)
		}
		seen[client.ID] = true
	}
	return c.checkSignIn()
}

func (c *configFile) checkClient(at string, client clientEntry) error {
	switch {
	case client.ID == "" || len(client.ID) > 255 || !visibleASCII(client.ID):
		return fmt.Errorf("%s.id must be 1 to 255 characters of visible ASCII without spaces", at)
	case client.Tenant == "" || !magiclink.ValidTenantID(client.Tenant):
		return fmt.Errorf("%s.tenant must be 1 to 255 characters without control characters", at)
	}
	if _, err := client.hash(); err != nil {
		return fmt.Errorf("%s.secret_sha256 %w", at, err)
	}
	for n, scope := range client.Scopes {
		if !slices.Contains(knownScopes, scope) {
			return fmt.Errorf("%s.scopes[%d] %q is not a scope: write one of %s", at, n, scope, strings.Join(knownScopes, ", "))
		}
	}
	if client.BusinessID == nil || c.hasBusiness(*client.BusinessID, client.Tenant) {
		return nil
	}
	return fmt.Errorf("%s.business_id must be the id of a business of the tenant %q, or null", at, client.Tenant)
}

func visibleASCII(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' })
}

func (c *configFile) hasBusiness(id, tenant string) bool {
	return slices.ContainsFunc(c.Businesses, func(b businessEntry) bool { return b.ID == id && b.Tenant == tenant })
}

// hash returns the hash of the client's secret.
func (c clientEntry) hash() (sum [32]byte, err error) {
	decoded, err := hex.DecodeString(c.SecretSHA256)
	if err != nil || len(decoded) != len(sum) {
		return sum, fmt.Errorf("must be the SHA-256 of the secret in 64 hexadecimal digits, as \"magiclink clients add\" writes it")
	}
	sum = [32]byte(decoded)
	if sum == httpadapter.HashSecret("") || sum == [32]byte{} {
		return sum, fmt.Errorf("is the hash of an empty secret: make a client with \"magiclink clients add\"")
	}
	return sum, nil
}

// clients returns the clients as the token endpoint looks them up.
func (c *configFile) clients() (httpadapter.ClientDirectory, error) {
	clients := make([]httpadapter.Client, 0, len(c.Clients))
	for n, entry := range c.Clients {
		hash, err := entry.hash()
		if err != nil {
			return nil, fmt.Errorf("clients[%d].secret_sha256 %w", n, err)
		}
		client := httpadapter.Client{ID: entry.ID, SecretSHA256: hash, TenantID: entry.Tenant, Scopes: entry.Scopes}
		if entry.BusinessID != nil {
			client.BusinessID = *entry.BusinessID
		}
		clients = append(clients, client)
	}
	return httpadapter.StaticClients(clients...)
}
