package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/magiclink-go/magiclink"
)

// directory finds the businesses of the configuration.
type directory map[tenantRef]magiclink.Business

// tenantRef is what a tenant calls one of its businesses.
type tenantRef struct {
	tenant string
	ref    magiclink.BusinessRef
}

// FindBusiness implements [magiclink.BusinessDirectory].
func (d directory) FindBusiness(_ context.Context, tenantID string, ref magiclink.BusinessRef) (magiclink.Business, error) {
	business, ok := d[tenantRef{tenantID, ref}]
	if !ok {
		return magiclink.Business{}, magiclink.ErrBusinessNotFound
	}
	return business, nil
}

func (c *configFile) directory() (directory, error) {
	d, owners := directory{}, map[string]bool{}
	for n, entry := range c.Businesses {
		at := "businesses[" + strconv.Itoa(n) + "]"
		if err := entry.check(at); err != nil {
			return nil, err
		}
		if owners[entry.ID] {
			return nil, fmt.Errorf("%s.id is the id of another business too: each business needs its own id", at)
		}
		owners[entry.ID] = true
		business := magiclink.Business{ID: entry.ID, ExternalID: entry.ExternalID}
		d[tenantRef{entry.Tenant, magiclink.BusinessRef{ID: entry.ID}}] = business
		if entry.ExternalID == "" {
			continue
		}
		external := tenantRef{entry.Tenant, magiclink.BusinessRef{ExternalID: entry.ExternalID}}
		if _, taken := d[external]; taken {
			return nil, fmt.Errorf("%s.external_id is the id of another business of the tenant too: each business needs its own", at)
		}
		d[external] = business
	}
	return d, nil
}

func (b businessEntry) check(at string) error {
	switch {
	case !magiclink.ValidBusinessID(b.ID):
		return fmt.Errorf(`%s.id must be a business id: "biz_" and 22 characters, as "magiclink businesses add" makes it`, at)
	case b.Tenant == "" || !magiclink.ValidTenantID(b.Tenant):
		return fmt.Errorf("%s.tenant must be 1 to 255 characters without control characters", at)
	case utf8.RuneCountInString(b.ExternalID) > 255 || strings.ContainsFunc(b.ExternalID, unicode.IsControl):
		return fmt.Errorf("%s.external_id must be at most 255 characters without control characters", at)
	}
	return nil
}

// tenantOf returns the tenant of the one business that ref names, for an operator who need not know tenants.
func (c *configFile) tenantOf(ref magiclink.BusinessRef) (string, error) {
	tenants := map[string]bool{}
	tenant := ""
	for _, entry := range c.Businesses {
		if ref.ID == entry.ID || ref.ID == "" && ref.ExternalID == entry.ExternalID {
			tenants[entry.Tenant] = true
			tenant = entry.Tenant
		}
	}
	switch len(tenants) {
	case 0:
		return "", fmt.Errorf("the configuration has no business %q: "+
			"\"magiclink businesses list\" shows what it has", cmp.Or(ref.ID, ref.ExternalID))
	case 1:
		return tenant, nil
	}
	return "", fmt.Errorf("several tenants have a business %q: name one with -tenant", ref.ExternalID)
}
