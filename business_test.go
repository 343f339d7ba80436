package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// directory maps tenants to their businesses. An entry without an id stands for an outage.
type directory map[string][]magiclink.Business

var errDirectory = errors.New("the directory is down")

func (d directory) FindBusiness(_ context.Context, tenant string, ref magiclink.BusinessRef) (magiclink.Business, error) {
	if (ref.ID == "") == (ref.ExternalID == "") {
		return magiclink.Business{}, errors.New("a reference has exactly one id")
	}
	for _, business := range d[tenant] {
		switch {
		case business.ID == "":
			return magiclink.Business{}, errDirectory
		case ref.ID != "" && ref.ID == business.ID, ref.ExternalID != "" && ref.ExternalID == business.ExternalID:
			return business, nil
		}
	}
	return magiclink.Business{ID: businessA}, fmt.Errorf("asked for %v: %w", ref, magiclink.ErrBusinessNotFound)
}

// Two tenants use one external id, each for a business of its own.
var twoTenants = directory{
	"one":  {{ID: businessA, ExternalID: "shop"}, {ID: "biz_3333333333333333333333", ExternalID: "second"}},
	"two":  {{ID: businessB, ExternalID: "shop"}},
	"down": {{}},
}

func TestBusinessDirectory(t *testing.T) {
	const second = "biz_3333333333333333333333"
	type in = magiclink.MagicLinkCreate
	for name, test := range map[string]struct {
		in   in
		want string // the business id of the record
		err  error
	}{
		"by id":                         {in{TenantID: "one", BusinessID: businessA}, businessA, nil},
		"by external id":                {in{TenantID: "one", ExternalBusinessID: "shop"}, businessA, nil},
		"same external, other tenant":   {in{TenantID: "two", ExternalBusinessID: "shop"}, businessB, nil},
		"by both":                       {in{TenantID: "one", BusinessID: businessA, ExternalBusinessID: "shop"}, businessA, nil},
		"scoped":                        {in{TenantID: "one", BusinessID: businessA, ScopedBusinessID: businessA}, businessA, nil},
		"scoped by external id":         {in{TenantID: "one", ExternalBusinessID: "shop", ScopedBusinessID: businessA}, businessA, nil},
		"other tenant's id":             {in{TenantID: "one", BusinessID: businessB}, "", magiclink.ErrBusinessNotFound},
		"other tenant's external id":    {in{TenantID: "two", ExternalBusinessID: "second"}, "", magiclink.ErrBusinessNotFound},
		"other tenant's by both":        {in{TenantID: "two", BusinessID: businessA, ExternalBusinessID: "second"}, "", magiclink.ErrBusinessNotFound},
		"unknown tenant":                {in{TenantID: "none", BusinessID: businessA}, "", magiclink.ErrBusinessNotFound},
		"no tenant":                     {in{BusinessID: businessA}, "", magiclink.ErrBusinessNotFound},
		"external in another case":      {in{TenantID: "one", ExternalBusinessID: "SHOP"}, "", magiclink.ErrBusinessNotFound},
		"scoped to another":             {in{TenantID: "one", BusinessID: businessA, ScopedBusinessID: second}, "", magiclink.ErrBusinessForbidden},
		"external, scoped to another":   {in{TenantID: "one", ExternalBusinessID: "shop", ScopedBusinessID: second}, "", magiclink.ErrBusinessForbidden},
		"both, scoped to another":       {in{TenantID: "one", BusinessID: businessA, ExternalBusinessID: "shop", ScopedBusinessID: second}, "", magiclink.ErrBusinessForbidden},
		"403 before 404":                {in{TenantID: "one", BusinessID: businessB, ScopedBusinessID: businessA}, "", magiclink.ErrBusinessForbidden},
		"scope and name of 404":         {in{TenantID: "one", BusinessID: businessB, ScopedBusinessID: businessB}, "", magiclink.ErrBusinessNotFound},
		"unknown external, scoped":      {in{TenantID: "one", ExternalBusinessID: "none", ScopedBusinessID: businessA}, "", magiclink.ErrBusinessNotFound},
		"outage by id":                  {in{TenantID: "down", BusinessID: businessA}, "", magiclink.ErrUnavailable},
		"outage by external id":         {in{TenantID: "down", ExternalBusinessID: "shop"}, "", magiclink.ErrUnavailable},
		"outage by both":                {in{TenantID: "down", BusinessID: businessA, ExternalBusinessID: "shop"}, "", magiclink.ErrUnavailable},
		"outage, scoped to the same id": {in{TenantID: "down", BusinessID: businessA, ScopedBusinessID: businessA}, "", magiclink.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *magiclink.Config) { c.Businesses = twoTenants })
			response, err := f.Issue(t.Context(), test.in)
			if test.err != nil {
				require.ErrorIs(t, err, test.err)
				require.Zero(t, response)
				if errors.Is(test.err, magiclink.ErrUnavailable) {
					require.ErrorIs(t, err, errDirectory)
				}
				return
			}
			require.NoError(t, err)
			record, err := f.store.Get(t.Context(), response.MagicLinkID)
			require.NoError(t, err)
			require.Equal(t, test.want, record.BusinessID)
			require.Equal(t, "shop", record.ExternalBusinessID, "the directory knows the other name")
		})
	}
}

func TestBothIDsNameOneBusiness(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.Businesses = twoTenants })
	for name, in := range map[string]magiclink.MagicLinkCreate{
		"two businesses":        {BusinessID: businessA, ExternalBusinessID: "second"},
		"unknown external id":   {BusinessID: businessA, ExternalBusinessID: "none"},
		"another tenant's id":   {BusinessID: businessB, ExternalBusinessID: "shop"},
		"before the scope: 403": {BusinessID: businessA, ExternalBusinessID: "second", ScopedBusinessID: businessB},
	} {
		t.Run(name, func(t *testing.T) {
			in.TenantID = "one"
			_, err := f.Issue(t.Context(), in)
			require.Equal(t, []string{"external_business_id:same_business"}, fieldsOf(t, err))
		})
	}
}

func TestWithoutDirectory(t *testing.T) {
	f := newFixture(t)
	_, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{ExternalBusinessID: "shop"})
	require.NoError(t, err)
	_, err = f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA, ScopedBusinessID: businessA})
	require.NoError(t, err)

	_, err = f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA, ScopedBusinessID: businessB})
	require.ErrorIs(t, err, magiclink.ErrBusinessForbidden)
	_, err = f.Issue(t.Context(), magiclink.MagicLinkCreate{ExternalBusinessID: "shop", ScopedBusinessID: businessA})
	require.ErrorIs(t, err, magiclink.ErrBusinessForbidden, "nobody can say which business this is")
}

// answer is a directory that gives one answer to everything.
type answer struct{ business magiclink.Business }

func (a answer) FindBusiness(context.Context, string, magiclink.BusinessRef) (magiclink.Business, error) {
	return a.business, nil
}

func TestDirectoryThatAnswersNonsense(t *testing.T) {
	for name, test := range map[string]struct {
		business magiclink.Business
		in       magiclink.MagicLinkCreate
		ok       bool
	}{
		"right":            {magiclink.Business{ID: businessA}, magiclink.MagicLinkCreate{BusinessID: businessA}, true},
		"right, external":  {magiclink.Business{ID: businessA}, magiclink.MagicLinkCreate{ExternalBusinessID: "x"}, true},
		"another business": {magiclink.Business{ID: businessB}, magiclink.MagicLinkCreate{BusinessID: businessA}, false},
		"no id":            {magiclink.Business{}, magiclink.MagicLinkCreate{ExternalBusinessID: "x"}, false},
		"malformed id":     {magiclink.Business{ID: "7"}, magiclink.MagicLinkCreate{ExternalBusinessID: "x"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *magiclink.Config) { c.Businesses = answer{test.business} })
			response, err := f.Issue(t.Context(), test.in)
			if !test.ok {
				require.ErrorIs(t, err, magiclink.ErrUnavailable)
				return
			}
			require.NoError(t, err)
			record, err := f.store.Get(t.Context(), response.MagicLinkID)
			require.NoError(t, err)
			require.Equal(t, test.in.ExternalBusinessID, record.ExternalBusinessID)
		})
	}
}

// The checks run in the order of the contract: which business the caller may issue for is known without the directory.
func TestScopeIsCheckedBeforeTheOutage(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.Businesses = twoTenants })
	_, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{TenantID: "down", BusinessID: businessA, ScopedBusinessID: businessB})
	require.ErrorIs(t, err, magiclink.ErrBusinessForbidden)
}
