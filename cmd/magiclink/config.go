package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// configFile is the content of config.json.
type configFile struct {
	Clients    []clientEntry   `json:"clients"`
	Businesses []businessEntry `json:"businesses"`
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

func readConfig(path string) (*configFile, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the path is the operator's own
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	config, err := parseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config, nil
}

// parseConfig reads the file strictly: a misspelt member is a fault and not a setting that silently has no effect.
// Errors name the member, such as clients[0].secret_sha256.
func parseConfig(text []byte) (*configFile, error) {
	var config configFile
	err := members("", text, map[string]func(string, strictjson.Value) error{
		"clients": list(func(at string, value strictjson.Value) error {
			client, err := parseClient(at, value)
			config.Clients = append(config.Clients, client)
			return err
		}),
		"businesses": list(func(at string, value strictjson.Value) error {
			business, err := parseBusiness(at, value)
			config.Businesses = append(config.Businesses, business)
			return err
		}),
	})
	if err != nil {
		return nil, err
	}
	return &config, config.check()
}

func parseClient(at string, value strictjson.Value) (c clientEntry, err error) {
	err = members(at, value.Raw, map[string]func(string, strictjson.Value) error{
		"id":            text(&c.ID),
		"secret_sha256": text(&c.SecretSHA256),
		"tenant":        text(&c.Tenant),
		"scopes": list(func(at string, value strictjson.Value) error {
			var scope string
			err := text(&scope)(at, value)
			c.Scopes = append(c.Scopes, scope)
			return err
		}),
		"business_id": func(at string, value strictjson.Value) error {
			if value.Kind == strictjson.Null {
				return nil
			}
			c.BusinessID = new(string)
			return text(c.BusinessID)(at, value)
		},
	})
	return c, err
}

func parseBusiness(at string, value strictjson.Value) (b businessEntry, err error) {
	err = members(at, value.Raw, map[string]func(string, strictjson.Value) error{
		"id":          text(&b.ID),
		"tenant":      text(&b.Tenant),
		"external_id": text(&b.ExternalID),
	})
	return b, err
}

// members reads an object whose members are all known.
func members(at string, object []byte, known map[string]func(string, strictjson.Value) error) error {
	err := strictjson.Object(object, func(name []byte, value strictjson.Value) error {
		path := string(name)
		if at != "" {
			path = at + "." + path
		}
		read, ok := known[string(name)]
		if !ok {
			return fmt.Errorf("unknown member %q", path)
		}
		return read(path, value)
	})
	var syntax *strictjson.SyntaxError
	if errors.Is(err, strictjson.ErrNotObject) || errors.As(err, &syntax) {
		return fmt.Errorf("%s %w", or(at, "it"), err)
	}
	return err
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

func text(to *string) func(string, strictjson.Value) error {
	return func(at string, value strictjson.Value) error {
		if value.Kind != strictjson.String {
			return fmt.Errorf("%s must be a string", at)
		}
		*to = value.Text()
		return nil
	}
}

func list(element func(string, strictjson.Value) error) func(string, strictjson.Value) error {
	return func(at string, value strictjson.Value) error {
		n, fault := 0, error(nil)
		isList := value.Elements(func(value strictjson.Value) bool {
			fault = element(at+"["+strconv.Itoa(n)+"]", value)
			n++
			return fault == nil
		})
		if !isList && fault == nil {
			return fmt.Errorf("%s must be a list", at)
		}
		return fault
	}
}

// check holds the entries against each other.
func (c *configFile) check() error {
	if _, err := c.directory(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for n, client := range c.Clients {
		at := "clients[" + strconv.Itoa(n) + "]"
		if seen[client.ID] {
			return fmt.Errorf("%s.id is the id of another client, too", at)
		}
		seen[client.ID] = true
		if err := c.checkClient(at, client); err != nil {
			return err
		}
	}
	return nil
}

func (c *configFile) checkClient(at string, client clientEntry) error {
	if hash, err := hex.DecodeString(client.SecretSHA256); err != nil || len(hash) != 32 {
		return fmt.Errorf("%s.secret_sha256 must be the SHA-256 of the secret, 64 hexadecimal digits", at)
	}
	if client.Tenant == "" {
		return fmt.Errorf("%s.tenant is missing", at)
	}
	entry, err := client.client()
	if err == nil {
		err = entry.Validate()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	if client.BusinessID == nil {
		return nil
	}
	for _, business := range c.Businesses {
		if business.ID == *client.BusinessID && business.Tenant == client.Tenant {
			return nil
		}
	}
	return fmt.Errorf("%s.business_id is not the id of a business of the tenant", at)
}

func (c clientEntry) client() (httpadapter.Client, error) {
	client := httpadapter.Client{ID: c.ID, TenantID: c.Tenant, Scopes: c.Scopes}
	if c.BusinessID != nil {
		client.BusinessID = *c.BusinessID
	}
	_, err := hex.Decode(client.SecretSHA256[:], []byte(c.SecretSHA256))
	return client, err
}

func (c *configFile) clients() (httpadapter.ClientDirectory, error) {
	clients := make([]httpadapter.Client, 0, len(c.Clients))
	for _, entry := range c.Clients {
		client, err := entry.client()
		if err != nil {
			return nil, err
		}
		clients = append(clients, client)
	}
	return httpadapter.StaticClients(clients...)
}

func (c *configFile) write(path string) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	// O_EXCL: a file that has appeared in the meantime is somebody's work.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // G304: the operator's own
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the configuration: %w", err), os.Remove(path))
	}
	return nil
}
