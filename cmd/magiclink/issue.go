package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// issueFlags are the flags of the issue command.
type issueFlags struct {
	data    dataDir
	store   storeFlag
	address address
	audit   auditFlag
	in      magiclink.MagicLinkCreate

	supersede bool
}

func (f *issueFlags) declare(set *flag.FlagSet) {
	f.data.declare(set)
	f.store.declare(set)
	f.address.declare(set)
	f.audit.declare(set)
	declareSupersede(set, &f.supersede)
	set.StringVar(&f.in.BusinessID, "business", "", "the business, by its `id`")
	set.StringVar(&f.in.ExternalBusinessID, "external-business", "", "the business, by the tenant's own `id` for it")
	set.StringVar(&f.in.Caller.TenantID, "tenant", "", "the tenant's `id`; needed only where several tenants share an external id")
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
			"serve may run meanwhile. Give the same -addr or -base-url that serve has. The limits of serve do not count here.",
		example: "magiclink issue -external-business acme -email jane@example.com -path /reports",
		flags:   new(issueFlags).declare,
		run:     runIssue,
	}
}

func runIssue(ctx context.Context, p *program, args []string) error {
	var f issueFlags
	words, err := p.parse("issue", f.declare, args)
	if err == nil {
		err = errors.Join(noWords(words), f.check())
	}
	if err != nil {
		return err
	}
	link, err := f.issue(ctx, newPlainLogger(p.stderr))
	if err != nil {
		return flagFaults(err)
	}
	_, err = fmt.Fprintln(p.stdout, link.MagicLink)
	return err
}

func (f *issueFlags) issue(ctx context.Context, logger *slog.Logger) (link magiclink.MagicLinkResponse, err error) {
	config, err := f.data.readConfig()
	if err != nil {
		return link, err
	}
	if f.in.Caller.TenantID == "" {
		ref := magiclink.BusinessRef{ID: f.in.BusinessID, ExternalID: f.in.ExternalBusinessID}
		if f.in.Caller.TenantID, err = config.tenantOf(ref); err != nil {
			return link, err
		}
	}
	businesses, err := config.directory()
	if err != nil {
		return link, err
	}
	trail, err := f.audit.open(logger)
	if err != nil {
		return link, err
	}
	defer func() { err = errors.Join(err, trail.close()) }()
	return withStore(ctx, &f.data, &f.store, func(c magiclink.Config) (magiclink.MagicLinkResponse, error) {
		c.BaseURL, c.Businesses, c.Supersede, c.OnEvent = f.address.baseURL, businesses, f.supersede, trail.onEvent()
		issuer, err := magiclink.New(c)
		if err != nil {
			return magiclink.MagicLinkResponse{}, configFault(err)
		}
		return issuer.Issue(asCLI(ctx), f.in)
	})
}

// check finds what the library would take for "not given".
func (f *issueFlags) check() error {
	switch {
	case f.in.BusinessID == "" && f.in.ExternalBusinessID == "":
		return usagef("say for which business: -business ID or -external-business ID; \"magiclink businesses list\" shows them")
	case f.in.BusinessID != "" && !magiclink.ValidBusinessID(f.in.BusinessID):
		return f.noBusinessID()
	case f.in.TTL == 0:
		return usagef("-ttl must be at least 1")
	case f.in.SessionTimeout == 0:
		return usagef("-session-timeout must be at least 1")
	}
	return f.address.resolve(f.address.addr)
}

// noBusinessID answers -business with a text that is no business id: mostly the tenant's own id, which has a flag of its own.
func (f *issueFlags) noBusinessID() error {
	if strings.HasPrefix(f.in.BusinessID, "biz_") || f.in.ExternalBusinessID != "" {
		return usagef("-business must be \"biz_\" and 22 characters: copy it from \"magiclink businesses list\"")
	}
	return usagef("-business %s is not the id of a business, which begins with biz_: if it is the tenant's own id, "+
		"write -external-business %[1]s", f.in.BusinessID)
}

// flagFaults turns faults of fields into faults of flags.
func flagFaults(err error) error {
	var caller *magiclink.CallerError
	if errors.As(err, &caller) {
		return usagef("-tenant: %s", caller.Reason)
	}
	var fields magiclink.FieldErrors
	if !errors.As(err, &fields) {
		return err
	}
	flags := map[string]string{
		"business_id": "business", "external_business_id": "external-business", "session_timeout": "session-timeout",
	}
	faults := make([]string, 0, len(fields))
	for _, fault := range fields {
		name := fault.Field
		if flags[name] != "" {
			name = flags[name]
		}
		faults = append(faults, "-"+name+" "+fault.Message)
	}
	return usagef("%s", strings.Join(faults, "; "))
}

// configFault turns a fault of the configuration into a fault of the flag that it comes from.
func configFault(err error) error {
	var fault *magiclink.ConfigError
	if !errors.As(err, &fault) {
		return err
	}
	name := map[string]string{
		"BaseURL": "base-url", "Config.BaseURL": "base-url", "App": "app-name", "NewLinkURL": "new-link-url", "Page.App": "app-name", "Page.NewLinkURL": "new-link-url",
		"Supersede": "supersede", "Config.Supersede": "supersede", "Config.Limits": "limit-subject or -limit-tenant",
	}[fault.Field]
	switch {
	case name == "":
		return err
	case name == "supersede" && strings.Contains(fault.Reason, "Options.Indexes"):
		return usagef("-supersede looks for the older links of an address, and Redis lists only what it has indexed: write -redis-index tenant or email")
	}
	return usagef("-%s %s", name, fault.Reason)
}
