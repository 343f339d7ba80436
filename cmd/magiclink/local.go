package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// localOperator works on the store of an installation, beside a serve that may be running.
type localOperator struct {
	flags  *whereFlags
	store  magiclink.Store
	issuer *magiclink.Issuer
	ends   *magiclink.Sessions
}

// newLocal needs no key of the installation, because seeing and ending signs nothing: the core gets a key that is thrown away.
func newLocal(flags *whereFlags, store magiclink.Store, trail *auditTrail) (*localOperator, error) {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		return nil, err
	}
	config := magiclink.Config{
		BaseURL: "http://localhost/magic", Keys: keys, Store: store, Businesses: magiclink.AnyBusiness, Now: now, OnEvent: trail.onEvent(),
	}
	issuer, err := magiclink.New(config)
	if err != nil {
		return nil, err
	}
	sessions, err := magiclink.NewSessions(config)
	if err != nil {
		return nil, err
	}
	return &localOperator{flags: flags, store: store, issuer: issuer, ends: sessions}, nil
}

// tenants returns the tenants to look at: the one that was named, or those of the configuration.
func (o *localOperator) tenants() ([]string, error) {
	if o.flags.tenant != "" {
		return []string{o.flags.tenant}, nil
	}
	config, err := o.flags.data.readConfig()
	if err != nil {
		return nil, fmt.Errorf("the tenants are those of the configuration; name one with -tenant, or: %w", err)
	}
	tenants := config.tenants()
	if len(tenants) == 0 {
		return nil, errors.New("the configuration has no tenant: name one with -tenant")
	}
	return tenants, nil
}

// one returns the subject with its tenant: what ends links must not guess.
func (o *localOperator) one(subject magiclink.Subject) (magiclink.Subject, error) {
	if subject.TenantID != "" {
		return subject, nil
	}
	config, err := o.flags.data.readConfig()
	if err != nil {
		return subject, err
	}
	if ref := (magiclink.BusinessRef{ID: subject.BusinessID, ExternalID: subject.ExternalBusinessID}); ref != (magiclink.BusinessRef{}) {
		subject.TenantID, err = config.tenantOf(ref)
		return subject, err
	}
	subject.TenantID, err = config.onlyTenant("")
	return subject, err
}

func (o *localOperator) links(ctx context.Context, query linkQuery) iter.Seq2[linkRow, error] {
	return func(yield func(linkRow, error) bool) {
		for link, err := range o.records(ctx, query) {
			if !yield(rowOf(link), err) || err != nil {
				return
			}
		}
	}
}

func (o *localOperator) sessions(ctx context.Context, query linkQuery) iter.Seq2[sessionRow, error] {
	query.state = magiclink.StateSession
	return func(yield func(sessionRow, error) bool) {
		for link, err := range o.records(ctx, query) {
			if !yield(sessionRowOf(link), err) || err != nil {
				return
			}
		}
	}
}

// records merges the links of all tenants, newest first.
func (o *localOperator) records(ctx context.Context, query linkQuery) iter.Seq2[magiclink.Link, error] {
	return func(yield func(magiclink.Link, error) bool) {
		tenants, err := o.tenants()
		if err != nil {
			yield(magiclink.Link{}, err)
			return
		}
		lists := make([]*tenantList, 0, len(tenants))
		for _, tenant := range tenants {
			lists = append(lists, o.list(tenant, query))
		}
		for n := 0; query.most == 0 || n < query.most; {
			link, found, err := newest(ctx, lists)
			switch {
			case err != nil:
				yield(link, err)
				return
			case !found:
				return
			case query.state == magiclink.StateSession && !now().Before(sessionEnd(link)): // a session ends at a whole second
				continue
			}
			if n++; !yield(link, nil) {
				return
			}
		}
	}
}

func (o *localOperator) list(tenant string, query linkQuery) *tenantList {
	subject := query.subject
	subject.TenantID = ""
	return &tenantList{issuer: o.issuer, caller: magiclink.Caller{TenantID: tenant}, query: magiclink.ListQuery{
		Subject: subject, State: query.state, IssuedFrom: query.since, IssuedBefore: query.until, Limit: query.pageSize(magiclink.MaxListLimit),
	}}
}

// newest takes the newest link off the lists.
func newest(ctx context.Context, lists []*tenantList) (link magiclink.Link, found bool, err error) {
	var from *tenantList
	for _, list := range lists {
		if err := list.fill(ctx); err != nil {
			return link, false, err
		}
		if len(list.page) > 0 && (from == nil || list.page[0].ID > from.page[0].ID) {
			from = list
		}
	}
	if from == nil {
		return link, false, nil
	}
	link, from.page = from.page[0], from.page[1:]
	return link, true, nil
}

// tenantList reads the links of one tenant page by page.
type tenantList struct {
	issuer *magiclink.Issuer
	caller magiclink.Caller
	query  magiclink.ListQuery
	page   []magiclink.Link
	ended  bool
}

// fill reads the next page if the last one is used up.
func (l *tenantList) fill(ctx context.Context) (err error) {
	if len(l.page) > 0 || l.ended {
		return nil
	}
	if l.page, err = l.issuer.List(ctx, l.caller, l.query); err != nil {
		return err
	}
	l.ended = len(l.page) < l.query.Limit
	if len(l.page) > 0 {
		l.query.Before = l.page[len(l.page)-1].ID
	}
	return nil
}

func (o *localOperator) link(ctx context.Context, id string) (linkRow, error) {
	link, err := o.get(ctx, id)
	return rowOf(link), err
}

// get finds the tenant of the link by the link: an operator of the installation need not know it.
func (o *localOperator) get(ctx context.Context, id string) (magiclink.Link, error) {
	tenant := o.flags.tenant
	if tenant == "" {
		record, err := o.store.Get(ctx, id)
		if err != nil && !errors.Is(err, magiclink.ErrNotFound) {
			return magiclink.Link{}, err
		}
		tenant = record.TenantID
	}
	return o.issuer.Get(ctx, magiclink.Caller{TenantID: tenant}, id)
}

func (o *localOperator) revoke(ctx context.Context, id string) error {
	link, err := o.get(ctx, id)
	if err != nil {
		return err
	}
	return o.issuer.Revoke(ctx, link.TenantID, id)
}

func (o *localOperator) revokeAll(ctx context.Context, subject magiclink.Subject) (int, error) {
	subject, err := o.one(subject)
	if err != nil {
		return 0, err
	}
	return o.issuer.RevokeAll(ctx, magiclink.Caller{TenantID: subject.TenantID}, subject)
}

var errNoSession = errors.New("no session has come from this link: nobody has used it; \"magiclink links revoke\" ends the link")

func (o *localOperator) endSession(ctx context.Context, id string) error {
	link, err := o.get(ctx, linkPrefix+strings.TrimPrefix(id, sessionPrefix))
	if err != nil {
		return err
	}
	if link.ConsumedAt.IsZero() {
		return errNoSession
	}
	return o.ends.End(ctx, magiclink.Session{ID: sessionIDOf(link.ID), MagicLinkID: link.ID, Subject: link.Subject})
}

// tenants returns the tenants of the clients and the businesses, sorted.
func (c *configFile) tenants() []string {
	tenants := make([]string, 0, len(c.Clients)+len(c.Businesses))
	for _, client := range c.Clients {
		tenants = append(tenants, client.Tenant)
	}
	for _, business := range c.Businesses {
		tenants = append(tenants, business.Tenant)
	}
	slices.SortFunc(tenants, cmp.Compare[string])
	return slices.Compact(tenants)
}
