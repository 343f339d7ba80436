package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/magiclink-go/magiclink"
)

// businessesFlags are the flags of the businesses command.
type businessesFlags struct {
	data   dataDir
	tenant string
	id     string
	json   bool
}

func (f *businessesFlags) declare(set *flag.FlagSet) {
	f.data.declare(set)
	declareJSON(set, &f.json)
	set.StringVar(&f.tenant, "tenant", "", "add: the tenant's `id` (default: that of the only tenant in the configuration)")
	set.StringVar(&f.id, "id", "", "add: the business `id` (default: a new one)")
}

func businessesCommand() *command {
	return &command{
		name:    "businesses",
		args:    "list | add EXTERNAL-ID | remove ID [flags]",
		summary: "lists, adds and removes the businesses that links are issued for",
		long: "Changes the businesses in config.json. A business is a customer of a tenant. add takes the tenant's own id for the\n" +
			"business and prints the new business id. remove takes either id. A running serve follows within a second.",
		example: "magiclink businesses add acme",
		flags:   new(businessesFlags).declare,
		run:     runBusinesses,
	}
}

func runBusinesses(_ context.Context, p *program, args []string) error {
	var f businessesFlags
	words, err := p.parse("businesses", f.declare, args)
	if err != nil {
		return err
	}
	return runList(p, words, "say which business: magiclink businesses", f.list, f.add, f.remove)
}

func (f *businessesFlags) list(p *program) error {
	config, err := f.data.readConfig()
	if err != nil {
		return err
	}
	if f.json {
		return printJSON(p.stdout, append([]businessEntry{}, config.Businesses...))
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tTENANT\tEXTERNAL ID")
	for _, business := range config.Businesses {
		fmt.Fprintf(table, "%s\t%s\t%s\n", business.ID, business.Tenant, business.ExternalID)
	}
	return table.Flush()
}

func (f *businessesFlags) add(p *program, externalID string) error {
	entry := businessEntry{ID: f.id, ExternalID: externalID}
	if entry.ID == "" {
		entry.ID = magiclink.NewBusinessID(time.Now())
	}
	err := changeConfig(&f.data, func(config *configFile) error {
		var err error
		if entry.Tenant, err = config.onlyTenant(f.tenant); err != nil {
			return err
		}
		if err := entry.check("business"); err != nil {
			return usageError{err}
		}
		if same := config.sameBusiness(entry); same != nil {
			return fmt.Errorf("there is such a business already: %s, external id %q", same.ID, same.ExternalID)
		}
		config.Businesses = append(config.Businesses, entry)
		return nil
	})
	if err != nil {
		return err
	}
	if f.json {
		return printJSON(p.stdout, entry)
	}
	_, err = fmt.Fprintln(p.stdout, entry.ID)
	return err
}

// sameBusiness returns the business that has one of the ids of a new one, or nil.
func (c *configFile) sameBusiness(entry businessEntry) *businessEntry {
	n := slices.IndexFunc(c.Businesses, func(b businessEntry) bool {
		return b.ID == entry.ID || b.Tenant == entry.Tenant && b.ExternalID == entry.ExternalID
	})
	if n < 0 {
		return nil
	}
	return &c.Businesses[n]
}

func (f *businessesFlags) remove(p *program, name string) error {
	removed := ""
	err := changeConfig(&f.data, func(config *configFile) error {
		var matches []businessEntry
		for _, business := range config.Businesses {
			if (business.ID == name || business.ExternalID == name) && (f.tenant == "" || business.Tenant == f.tenant) {
				matches = append(matches, business)
			}
		}
		switch {
		case len(matches) == 0:
			return fmt.Errorf("there is no business %q: \"magiclink businesses list\" shows the businesses", name)
		case len(matches) > 1:
			return usagef("several tenants have a business %q: name the tenant with -tenant, or write the business id", name)
		}
		removed = matches[0].ID
		if entry := config.SignIn; entry != nil && entry.Tenant == matches[0].Tenant && entry.ExternalBusinessID == matches[0].ExternalID {
			return fmt.Errorf("people sign in to this business by mail: remove the member sign_in from the configuration, or change it, first")
		}
		config.Businesses = slices.DeleteFunc(config.Businesses, func(b businessEntry) bool { return b.ID == removed })
		return config.checkConfined(removed)
	})
	if err == nil {
		_, err = fmt.Fprintf(p.stdout, "removed the business %s; links that were issued for it stay valid until they expire\n", removed)
	}
	return err
}

// checkConfined finds a client that is confined to a business that is removed.
func (c *configFile) checkConfined(business string) error {
	for _, client := range c.Clients {
		if client.BusinessID != nil && *client.BusinessID == business {
			return fmt.Errorf("the client %q is confined to this business: remove the client first", client.ID)
		}
	}
	return nil
}
