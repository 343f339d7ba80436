package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// issueFlags are the flags of the issue command.
type issueFlags struct {
	data    dataDir
	address address
	in      magiclink.MagicLinkCreate
}

func (f *issueFlags) declare(set *flag.FlagSet) {
	f.data.declare(set)
	f.address.declare(set)
	set.StringVar(&f.in.BusinessID, "business", "", "the business, by its `id`")
	set.StringVar(&f.in.ExternalBusinessID, "external-business", "", "the business, by the tenant's own `id` for it")
	set.StringVar(&f.in.TenantID, "tenant", "", "the tenant's `id`; needed only where several tenants share an external id")
	set.StringVar(&f.in.Email, "email", "", "the user's e-mail `address`")
	set.StringVar(&f.in.Path, "path", "", "the local `path` to arrive at")
	set.IntVar(&f.in.TTL, "ttl", 5, "how many `minutes` the link can be used, 1 to 15")
	set.IntVar(&f.in.SessionTimeout, "session-timeout", 86400, "how many `seconds` the session lasts, 1 to 7948800")
}

func issueCommand() *command {
	return &command{
		name:    "issue",
		args:    "-business ID [flags]",
		summary: "issues a link and prints it",
		long: "Issues a link from the data directory that serve uses, and prints the link alone on standard output.\n" +
			"Serve may be running meanwhile. Give the same -addr or -base-url that serve has.",
		example: "magiclink issue -external-business acme -email jane@example.com -path /reports",
		flags:   new(issueFlags).declare,
		run:     runIssue,
	}
}

func runIssue(ctx context.Context, p *program, args []string) (err error) {
	var f issueFlags
	if err := p.parseAll("issue", f.declare, args); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	keys, err := f.data.keys()
	if err != nil {
		return err
	}
	config, err := readConfig(f.data.configPath())
	if err != nil {
		return err
	}
	if f.in.TenantID == "" {
		ref := magiclink.BusinessRef{ID: f.in.BusinessID, ExternalID: f.in.ExternalBusinessID}
		if f.in.TenantID, err = config.tenantOf(ref); err != nil {
			return err
		}
	}
	store, err := f.data.database()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	businesses, err := config.directory()
	if err != nil {
		return err
	}
	issuer, err := magiclink.New(magiclink.Config{
		BaseURL: f.address.baseURL, Keys: keys, Store: store, Businesses: businesses,
	})
	if err != nil {
		return err
	}
	link, err := issuer.Issue(ctx, f.in)
	if err != nil {
		return flagFaults(err)
	}
	_, err = fmt.Fprintln(p.stdout, link.MagicLink)
	return err
}

// check finds what the library would take for "not given".
func (f *issueFlags) check() error {
	switch {
	case f.in.BusinessID == "" && f.in.ExternalBusinessID == "":
		return usagef("-business or -external-business is missing")
	case f.in.TTL == 0:
		return usagef("-ttl must be at least 1")
	case f.in.SessionTimeout == 0:
		return usagef("-session-timeout must be at least 1")
	}
	return f.address.resolve(f.address.addr)
}

// flagFaults turns faults of fields into faults of flags.
func flagFaults(err error) error {
	var fields magiclink.FieldErrors
	if !errors.As(err, &fields) {
		return err
	}
	flags := map[string]string{
		"business_id": "business", "external_business_id": "external-business", "session_timeout": "session-timeout",
		"TenantID": "tenant",
	}
	var faults []string
	for fault := range fields.All() {
		faults = append(faults, "-"+or(flags[fault.Field], fault.Field)+" "+fault.Message)
	}
	return usagef("%s", strings.Join(faults, "; "))
}
