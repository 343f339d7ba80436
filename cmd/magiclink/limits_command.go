package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"time"

	"github.com/magiclink-go/magiclink"
)

// limitsFlags are the flags of the limits command.
type limitsFlags struct {
	data     dataDir
	store    storeFlag
	server   string
	rates    rateFlags
	rate     rateFlag
	tenant   string
	business string
	external string
	email    string
	client   string
	json     bool
}

func (f *limitsFlags) declare(set *flag.FlagSet) {
	f.data.declare(set)
	f.store.declare(set)
	declareServer(set, &f.server)
	f.rates.declare(set)
	declareJSON(set, &f.json)
	set.StringVar(&f.email, "email", "", "the links for this e-mail `address`")
	set.StringVar(&f.business, "business", "", "the links without an address for this business, by its `id`")
	set.StringVar(&f.external, "external-business", "", "the same, by the tenant's own `id` for the business")
	set.StringVar(&f.tenant, "tenant", "", "the tenant's `id`; alone: the links of the whole tenant")
	set.StringVar(&f.client, "client-address", "", "the redemptions of this client, by its IP `address`")
	set.Var(&f.rate, "rate", "show KEY: the `rate` of the key, as 5/1m")
}

func limitsCommand() *command {
	return &command{
		name:    "limits",
		args:    "show | reset  KEY | -email ADDRESS | -business ID | -tenant ID | -client-address IP [flags]",
		summary: "shows what a limit has left, and resets it",
		long: "show looks at what the limits of serve have left, and takes nothing. reset makes a limit as new: of -email and -business the\n" +
			"one of that subject, of -tenant alone the one of the tenant. A KEY is what show prints, or one of an application.\n" +
			"Give the same -limit-subject, -limit-business, -limit-tenant and -limit-redeem that serve has: the store keeps no rates.\n" +
			"The limits are those of the data directory or of -store, also while serve runs. How often a client of the API has failed to\n" +
			"get an access token is counted in each serve, and is not here. Nor are the limits of the sign-in by mail.\n\n" +
			"With -server the limits are those of links, for the client of MAGICLINK_CLIENT_ID; it needs the scopes auth:read or auth:revoke.\n" +
			"The server knows its rates. show without -email and -business shows the limit of the client's tenant, which cannot be reset there.",
		example: "magiclink limits show -email jane@example.com",
		flags:   new(limitsFlags).declare,
		run:     runLimits,
	}
}

func runLimits(ctx context.Context, p *program, args []string) (err error) {
	var f limitsFlags
	words, err := p.parse("limits", f.declare, args)
	if err != nil {
		return err
	}
	name, words, err := action(words, []string{"show", "reset"})
	if err != nil {
		return err
	}
	if f.server != "" {
		return f.runRemote(ctx, p, name, words)
	}
	limits, err := f.named(words)
	if err != nil {
		return err
	}
	store, closeStore, err := f.store.openBeside(ctx, &f.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	if name == "show" {
		return f.show(ctx, p, store, limits)
	}
	return f.reset(ctx, p, store, limits)
}

// limit is one key with its rate.
type limit struct {
	what  string
	key   string
	rate  rateFlag
	named bool // by the command line, so that reset resets it
}

// named returns the limits that the command line names.
func (f *limitsFlags) named(words []string) ([]limit, error) {
	subjects := 0
	for _, value := range []string{f.email, f.business + f.external, f.client} {
		if value != "" {
			subjects++
		}
	}
	if f.business != "" && f.external != "" || subjects > 1 || subjects+len(words) > 1 || len(words) == 1 && f.tenant != "" {
		return nil, usagef("name one limit: a KEY, -email, -business, -external-business, -tenant or -client-address")
	}
	switch {
	case len(words) == 1:
		if err := magiclink.CheckLimitKey(words[0]); err != nil {
			return nil, usagef("KEY must have 1 to 256 bytes")
		}
		return []limit{{what: "key", key: words[0], rate: f.rate, named: true}}, nil
	case f.client != "":
		return f.ofClient()
	case subjects == 1 || f.tenant != "":
		return f.ofSubject()
	}
	return nil, usagef("say which limit: a KEY, -email ADDRESS, -business ID, -external-business ID, -tenant ID or -client-address IP")
}

func (f *limitsFlags) ofClient() ([]limit, error) {
	ip, err := netip.ParseAddr(f.client)
	if err != nil {
		return nil, usagef("-client-address must be an IP address, as 192.0.2.7 or 2001:db8::7")
	}
	ip = ip.Unmap().WithZone("")
	return []limit{{what: "redemptions of " + network(ip), key: redeemKey(ip), rate: f.rates.redeem, named: true}}, nil
}

func (f *limitsFlags) ofSubject() ([]limit, error) {
	config, err := f.data.readConfig()
	if err != nil && (f.tenant == "" || f.business+f.external != "") { // a tenant with an address needs no configuration
		return nil, err
	}
	subject := magiclink.Subject{TenantID: f.tenant, Email: f.email}
	what, rate := "links for "+plain(f.email), f.rates.subject
	switch {
	case f.business+f.external != "":
		entry, err := config.business(f.tenant, magiclink.BusinessRef{ID: f.business, ExternalID: f.external})
		if err != nil {
			return nil, err
		}
		subject = magiclink.Subject{TenantID: entry.Tenant, BusinessID: entry.ID, ExternalBusinessID: entry.ExternalID}
		what, rate = "links for "+entry.ID+" without an address", f.rates.business
	case f.tenant == "":
		if subject.TenantID, err = config.onlyTenant(""); err != nil {
			return nil, err
		}
	}
	perSubject, perTenant := magiclink.LimitKeys(subject)
	limits := []limit{{what: "links of the tenant " + plain(subject.TenantID), key: perTenant, rate: f.rates.tenant, named: f.email+f.business+f.external == ""}}
	if !limits[0].named {
		limits = append([]limit{{what: what, key: perSubject, rate: rate, named: true}}, limits...)
	}
	return limits, nil
}

// business returns the one business that is meant, of any tenant or of the named one.
func (c *configFile) business(tenant string, ref magiclink.BusinessRef) (businessEntry, error) {
	if tenant == "" {
		var err error
		if tenant, err = c.tenantOf(ref); err != nil {
			return businessEntry{}, err
		}
	}
	for _, entry := range c.Businesses {
		if entry.Tenant == tenant && (entry.ID == ref.ID || ref.ID == "" && entry.ExternalID == ref.ExternalID) {
			return entry, nil
		}
	}
	return businessEntry{}, fmt.Errorf("the tenant %q has no such business: \"magiclink businesses list\" shows what it has", tenant)
}

// limitRow is what is shown of a limit.
type limitRow struct {
	Limit      string   `json:"limit"`
	Key        *string  `json:"key"` // a server does not tell it
	Rate       *string  `json:"rate"`
	Left       *int     `json:"left"`
	RetryAfter *float64 `json:"retry_after"` // seconds
	Full       *string  `json:"full_at"`
}

func (f *limitsFlags) show(ctx context.Context, p *program, store magiclink.Store, limits []limit) error {
	peeker, ok := magiclink.StoreAs[magiclink.LimitPeeker](store)
	if !ok {
		return errors.New("this store cannot look at a limit without taking from it")
	}
	rows := make([]limitRow, 0, len(limits))
	for _, limit := range limits {
		arrival, err := peeker.Peek(ctx, limit.key)
		if err != nil {
			return err
		}
		rows = append(rows, limit.row(arrival, now()))
	}
	return f.print(p, rows)
}

func (f *limitsFlags) print(p *program, rows []limitRow) error {
	if f.json {
		return printJSON(p.stdout, rows)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(p.stderr, "The server has no limit for these links.")
		return err
	}
	_, err := printTable(p.stdout, []string{"LIMIT", "RATE", "LEFT", "NEXT", "FULL AGAIN", "KEY"}, values(rows), limitCells)
	return err
}

// row says what the number of the key means at this moment.
func (l limit) row(arrival int64, at time.Time) limitRow {
	row := limitRow{Limit: l.what, Key: &l.key}
	if arrival > at.UnixMilli() {
		full := time.UnixMilli(arrival).UTC().Format(time.RFC3339)
		row.Full = &full
	}
	if l.rate.rate == (magiclink.Rate{}) {
		return row
	}
	rate := l.rate.String()
	left, retryAfter := l.rate.rate.Peek(arrival, at)
	seconds := retryAfter.Seconds()
	row.Rate, row.Left, row.RetryAfter = &rate, &left, &seconds
	return row
}

func limitCells(row limitRow) []string {
	left, next := "-", "-"
	if row.Left != nil {
		left, next = fmt.Sprint(*row.Left), "now"
	}
	if row.RetryAfter != nil && *row.RetryAfter > 0 {
		next = "in " + (time.Duration(*row.RetryAfter*1000) * time.Millisecond).Round(time.Second).String()
	}
	rate := "off"
	if row.Rate != nil {
		rate = *row.Rate
	}
	full := "is full"
	if row.Full != nil {
		full = *row.Full
	}
	return []string{row.Limit, rate, left, next, full, cell(text(row.Key))}
}

func (f *limitsFlags) reset(ctx context.Context, p *program, store magiclink.Store, limits []limit) error {
	limiter, ok := magiclink.StoreAs[magiclink.Limiter](store)
	if !ok {
		return errors.New("this store counts no limits")
	}
	for _, limit := range limits {
		if !limit.named {
			continue
		}
		if err := limiter.Reset(ctx, limit.key); err != nil {
			return err
		}
		if err := f.printReset(p, limit.what, &limit.key); err != nil {
			return err
		}
	}
	return nil
}

func (f *limitsFlags) printReset(p *program, what string, key *string) error {
	return printDone(p, f.json, map[string]any{"limit": what, "key": key}, "reset the limit of the "+what)
}
