package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/magiclink-go/magiclink"
)

// signInEntry says who may sign in by mail, and to which business their links belong.
type signInEntry struct {
	Tenant             string   `json:"tenant"`
	ExternalBusinessID string   `json:"external_business_id"`
	Domains            []string `json:"domains,omitempty"`
	Development        bool     `json:"development,omitempty"` // instead of Domains: every address, in development alone
}

// everyDomain lets every address in.
const everyDomain = "*"

const whatDomains = `such as "domains": ["example.com"], or ["*"], which lets every address in`

// checkSignIn returns the first fault of the member sign_in.
func (c *configFile) checkSignIn() error {
	entry := c.SignIn
	switch {
	case entry == nil:
		return nil
	case entry.Tenant == "" || !magiclink.ValidTenantID(entry.Tenant):
		return fmt.Errorf("sign_in.tenant must be 1 to 255 characters without control characters")
	case entry.ExternalBusinessID == "" || !c.hasExternal(entry.Tenant, entry.ExternalBusinessID):
		return fmt.Errorf("sign_in.external_business_id must be the external id of a business of the tenant %q, as \"magiclink businesses list\" shows them", entry.Tenant)
	case entry.Development && entry.Domains != nil:
		return fmt.Errorf("sign_in.development stands in place of sign_in.domains: remove one of the two")
	case !entry.Development && len(entry.Domains) == 0:
		return fmt.Errorf("sign_in.domains must say whose addresses may sign in, %s", whatDomains)
	}
	for n, domain := range entry.Domains {
		if err := checkDomain(domain, len(entry.Domains)); err != nil {
			return fmt.Errorf("sign_in.domains[%s] %w", strconv.Itoa(n), err)
		}
	}
	return nil
}

func checkDomain(domain string, of int) error {
	switch {
	case domain == everyDomain && of > 1:
		return fmt.Errorf("lets every address in: let it stand alone, or remove it")
	case domain == everyDomain:
		return nil
	case domain != strings.ToLower(domain):
		return fmt.Errorf("must be in lower case: write %q", strings.ToLower(domain))
	case !magiclink.ValidEmail("someone@" + domain):
		return fmt.Errorf("%q is not what stands behind the @ of an address: write it as example.com", domain)
	}
	return nil
}

func (c *configFile) hasExternal(tenant, externalID string) bool {
	return slices.ContainsFunc(c.Businesses, func(b businessEntry) bool { return b.Tenant == tenant && b.ExternalID == externalID })
}

// admits reports whether a person with this address may sign in. Only whole domains are compared: example.com is not mail.example.com.
func (e *signInEntry) admits(address string) bool {
	if e.Development || slices.Contains(e.Domains, everyDomain) {
		return true
	}
	domain := strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
	return slices.Contains(e.Domains, domain)
}

// who describes in words who may sign in.
func (e *signInEntry) who() string {
	switch {
	case e.Development:
		return "every address, in development"
	case slices.Contains(e.Domains, everyDomain):
		return "every address"
	}
	return "addresses of " + strings.Join(e.Domains, ", ")
}

// sampleSignIn returns a member sign_in that this configuration could have, as a line of JSON.
func (l *liveConfig) sampleSignIn(development bool) string {
	first := tenantRef{firstTenant, magiclink.BusinessRef{ExternalID: firstBusiness}} // where there is no business, "magiclink help config" tells
	businesses := l.now.Load().businesses
	if _, ok := businesses[first]; !ok {
		for at := range businesses {
			if at.ref.ExternalID != "" && (!ok || at.tenant+"/"+at.ref.ExternalID < first.tenant+"/"+first.ref.ExternalID) {
				first, ok = at, true
			}
		}
	}
	entry := signInEntry{Tenant: first.tenant, ExternalBusinessID: first.ref.ExternalID, Development: development}
	if !development {
		entry.Domains = []string{"example.com"}
	}
	text, _ := json.Marshal(entry) // of strings, which never fails
	return `"sign_in": ` + string(text)
}
