package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// clientsFlags are the flags of the clients command.
type clientsFlags struct {
	data     dataDir
	tenant   string
	scopes   listFlag
	business string
	json     bool
}

func (f *clientsFlags) declare(set *flag.FlagSet) {
	f.data.declare(set)
	declareJSON(set, &f.json)
	set.StringVar(&f.tenant, "tenant", "", "add: the tenant's `id` (default: that of the only tenant in the configuration)")
	set.Var(&f.scopes, "scope", "add: a `scope` that the client may ask for; give it several times for several (default auth:create)")
	set.StringVar(&f.business, "business", "", "add: the `id` of the one business that the client is confined to")
}

func clientsCommand() *command {
	return &command{
		name:    "clients",
		args:    "list | add ID | remove ID [flags]",
		summary: "lists, adds and removes the programs that may ask for access tokens",
		long: "Changes the clients in config.json. add makes a client with a random secret and prints the secret once: the file keeps\n" +
			"its hash alone. A running serve follows within a second. remove takes effect for new access tokens: a token that the\n" +
			"client has got already stays valid until it expires.\n" +
			"The scopes: auth:create issues links, auth:read lists links and sessions with their addresses, and\n" +
			"shows limits; auth:revoke ends links and sessions, and resets limits.",
		example: "magiclink clients add crm -tenant acme-inc -scope auth:create",
		flags:   new(clientsFlags).declare,
		run:     runClients,
	}
}

func runClients(_ context.Context, p *program, args []string) error {
	var f clientsFlags
	words, err := p.parse("clients", f.declare, args)
	if err != nil {
		return err
	}
	return runList(p, words, "say which client: magiclink clients", f.list, f.add, f.remove)
}

func (f *clientsFlags) list(p *program) error {
	config, err := f.data.readConfig()
	if err != nil {
		return err
	}
	if f.json {
		return printJSON(p.stdout, listedClients(config.Clients))
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tTENANT\tSCOPES\tBUSINESS")
	for _, client := range listedClients(config.Clients) {
		business := "any"
		if client.BusinessID != nil {
			business = *client.BusinessID
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", client.ID, client.Tenant, strings.Join(client.Scopes, " "), business)
	}
	return table.Flush()
}

// listedClient is a client without its hash.
type listedClient struct {
	ID         string   `json:"id"`
	Tenant     string   `json:"tenant"`
	Scopes     []string `json:"scopes"`
	BusinessID *string  `json:"business_id"`
	Secret     string   `json:"secret,omitempty"` // of a client that was just added
}

func listedClients(entries []clientEntry) []listedClient {
	clients := make([]listedClient, 0, len(entries))
	for _, entry := range entries {
		clients = append(clients, entry.listed())
	}
	return clients
}

func (c clientEntry) listed() listedClient {
	return listedClient{ID: c.ID, Tenant: c.Tenant, Scopes: append([]string{}, c.Scopes...), BusinessID: c.BusinessID}
}

func (f *clientsFlags) add(p *program, id string) error {
	secret := rand.Text() // 130 bits
	entry := clientEntry{ID: id, SecretSHA256: hashText(secret), Tenant: f.tenant, Scopes: f.scopes.values}
	if len(entry.Scopes) == 0 {
		entry.Scopes = []string{httpadapter.ScopeCreate}
	}
	if f.business != "" {
		entry.BusinessID = &f.business
	}
	warning := ""
	err := changeConfig(&f.data, func(config *configFile) error {
		var err error
		if entry.Tenant, err = config.onlyTenant(f.tenant); err != nil {
			return err
		}
		warning = config.withoutBusiness(entry)
		return config.addClient(entry)
	})
	if err != nil {
		return err
	}
	fmt.Fprint(p.stderr, warning)
	if f.json {
		added := entry.listed()
		added.Secret = secret
		return printJSON(p.stdout, added)
	}
	fmt.Fprintln(p.stderr, "Keep this secret: it is shown once, and the configuration has its hash alone.")
	_, err = fmt.Fprintln(p.stdout, secret)
	return err
}

// withoutBusiness warns of a client that can issue no link, because its tenant has no business. A business may be added later.
func (c *configFile) withoutBusiness(client clientEntry) (warning string) {
	has := slices.ContainsFunc(c.Businesses, func(b businessEntry) bool { return b.Tenant == client.Tenant })
	if has || !slices.Contains(client.Scopes, httpadapter.ScopeCreate) {
		return ""
	}
	return fmt.Sprintf("Warning: the tenant %q has no business, so the client can issue no link: "+
		"run \"magiclink businesses add EXTERNAL-ID -tenant %[1]s\", or correct -tenant\n", client.Tenant)
}

// addClient reports the faults of a new entry as faults of the command line.
func (c *configFile) addClient(entry clientEntry) error {
	if slices.ContainsFunc(c.Clients, func(other clientEntry) bool { return other.ID == entry.ID }) {
		return fmt.Errorf("there is a client %q already: to replace its secret, remove it and add it again", entry.ID)
	}
	if err := c.checkClient("client", entry); err != nil {
		return usageError{err}
	}
	c.Clients = append(c.Clients, entry)
	return nil
}

func (f *clientsFlags) remove(p *program, id string) error {
	err := changeConfig(&f.data, func(config *configFile) error {
		before := len(config.Clients)
		config.Clients = slices.DeleteFunc(config.Clients, func(c clientEntry) bool { return c.ID == id })
		if len(config.Clients) == before {
			return fmt.Errorf("there is no client %q: \"magiclink clients list\" shows the clients", id)
		}
		return nil
	})
	if err == nil {
		_, err = fmt.Fprintf(p.stdout, "removed the client %s; its access tokens stay valid until they expire\n", id)
	}
	return err
}

// onlyTenant returns the tenant that was named, or else the only tenant of the configuration.
func (c *configFile) onlyTenant(named string) (string, error) {
	tenants := c.tenants()
	if named == "" && len(tenants) != 1 {
		return "", usagef("say which tenant: -tenant %s", cmp.Or(strings.Join(tenants, ", or -tenant "), "ID"))
	}
	if named == "" {
		named = tenants[0]
	}
	return named, nil
}

func hashText(secret string) string {
	hash := httpadapter.HashSecret(secret)
	return hex.EncodeToString(hash[:])
}
