package httpadapter

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// ErrClientNotFound says that a [ClientDirectory] has no such client.
var ErrClientNotFound = errors.New("magiclink: no such client")

// Client is a program that may ask for access tokens.
type Client struct {
	ID           string            // the OAuth client id: 1 to 255 characters of visible ASCII
	SecretSHA256 [sha256.Size]byte // the hash of its secret: see [HashSecret]
	TenantID     string            // the tenant that its tokens are for
	Scopes       []string          // what it may ask for, such as ScopeCreate; a client that asks for nothing gets all of them
	BusinessID   string            // the one business it is confined to; empty means any of the tenant's
}

// HashSecret hashes a client secret for [Client.SecretSHA256]. A plain hash is enough because a secret is at least 128
// random bits, such as those of [crypto/rand.Text]. A password that a person has chosen is no secret in this sense. From the hash nobody can tell
// whether a secret is random: check it where it is made.
func HashSecret(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// ClientDirectory knows the clients. FindClient returns an error that matches [ErrClientNotFound] for an unknown id; every
// other error is an outage. It is called from any number of goroutines.
type ClientDirectory interface {
	FindClient(ctx context.Context, id string) (Client, error)
}

type staticClients map[string]Client

// StaticClients makes a directory from a list. It reports a malformed or repeated client, naming it by its id.
func StaticClients(clients ...Client) (ClientDirectory, error) {
	byID := make(staticClients, len(clients))
	for n, client := range clients {
		if err := client.Validate(); err != nil {
			return nil, fmt.Errorf("magiclink: client %d: %w", n+1, err)
		}
		if _, taken := byID[client.ID]; taken {
			return nil, fmt.Errorf("magiclink: the client id %q stands twice in the list: give each client an id of its own", client.ID)
		}
		client.Scopes = slices.Clone(client.Scopes)
		byID[client.ID] = client
	}
	return byID, nil
}

// Validate returns what is wrong with the client, or nil.
func (c Client) Validate() error {
	switch {
	case c.ID == "" || len(c.ID) > 255 || strings.ContainsFunc(c.ID, notVisible):
		return errors.New("its id must be 1 to 255 characters of visible ASCII")
	case c.SecretSHA256 == [sha256.Size]byte{} || c.SecretSHA256 == HashSecret(""):
		return errors.New("it needs the SHA-256 of a secret")
	case !magiclink.ValidTenantID(c.TenantID):
		return errors.New("its tenant must be at most 255 characters without control characters")
	case c.BusinessID != "" && !magiclink.ValidBusinessID(c.BusinessID):
		return errors.New("its business id is malformed")
	}
	for _, scope := range c.Scopes {
		if !scopeToken(scope) {
			return errors.New("its scopes must be names of visible ASCII without quotes and backslashes")
		}
	}
	return nil
}

// FindClient implements [ClientDirectory].
func (s staticClients) FindClient(_ context.Context, id string) (Client, error) {
	client, ok := s[id]
	if !ok {
		return Client{}, ErrClientNotFound
	}
	return client, nil
}

// scopeToken is the grammar of RFC 6749 section 3.3.
func scopeToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return notVisible(c) || c == '"' || c == '\\' })
}

func notVisible(c rune) bool { return c <= ' ' || c > '~' }
