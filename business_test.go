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
		"by id":                         {in{Caller: caller("one", ""), BusinessID: businessA}, businessA, nil},
		"by external id":                {in{Caller: caller("one", ""), ExternalBusinessID: "shop"}, businessA, nil},
		"same external, other tenant":   {in{Caller: caller("two", ""), ExternalBusinessID: "shop"}, businessB, nil},
		"by both":                       {in{Caller: caller("one", ""), BusinessID: businessA, ExternalBusinessID: "shop"}, businessA, nil},
		"scoped":                        {in{Caller: caller("one", businessA), BusinessID: businessA}, businessA, nil},
		"scoped by external id":         {in{Caller: caller("one", businessA), ExternalBusinessID: "shop"}, businessA, nil},
		"other tenant's id":             {in{Caller: caller("one", ""), BusinessID: businessB}, "", magiclink.ErrBusinessNotFound},
		"other tenant's external id":    {in{Caller: caller("two", ""), ExternalBusinessID: "second"}, "", magiclink.ErrBusinessNotFound},
		"other tenant's by both":        {in{Caller: caller("two", ""), BusinessID: businessA, ExternalBusinessID: "second"}, "", magiclink.ErrBusinessNotFound},
		"unknown tenant":                {in{Caller: caller("none", ""), BusinessID: businessA}, "", magiclink.ErrBusinessNotFound},
		"no tenant":                     {in{BusinessID: businessA}, "", magiclink.ErrBusinessNotFound},
		"external in another case":      {in{Caller: caller("one", ""), ExternalBusinessID: "SHOP"}, "", magiclink.ErrBusinessNotFound},
		"scoped to another":             {in{Caller: caller("one", second), BusinessID: businessA}, "", magiclink.ErrBusinessForbidden},
		"external, scoped to another":   {in{Caller: caller("one", second), ExternalBusinessID: "shop"}, "", magiclink.ErrBusinessForbidden},
		"both, scoped to another":       {in{Caller: caller("one", second), BusinessID: businessA, ExternalBusinessID: "shop"}, "", magiclink.ErrBusinessForbidden},
		"403 before 404":                {in{Caller: caller("one", businessA), BusinessID: businessB}, "", magiclink.ErrBusinessForbidden},
		"scope and name of 404":         {in{Caller: caller("one", businessB), BusinessID: businessB}, "", magiclink.ErrBusinessNotFound},
		"unknown external, scoped":      {in{Caller: caller("one", businessA), ExternalBusinessID: "none"}, "", magiclink.ErrBusinessNotFound},
		"outage by id":                  {in{Caller: caller("down", ""), BusinessID: businessA}, "", magiclink.ErrUnavailable},
		"outage by external id":         {in{Caller: caller("down", ""), ExternalBusinessID: "shop"}, "", magiclink.ErrUnavailable},
		"outage by both":                {in{Caller: caller("down", ""), BusinessID: businessA, ExternalBusinessID: "shop"}, "", magiclink.ErrUnavailable},
		"outage, scoped to the same id": {in{Caller: caller("down", businessA), BusinessID: businessA}, "", magiclink.ErrUnavailable},
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
		"before the scope: 403": {Caller: caller("one", businessB), BusinessID: businessA, ExternalBusinessID: "second"},
	} {
		t.Run(name, func(t *testing.T) {
			in.Caller.TenantID = "one"
			_, err := f.Issue(t.Context(), in)
			require.Equal(t, []string{"external_business_id:same_business"}, fieldsOf(t, err))
		})
	}
}

// Without a directory nobody knows whose businesses are whose. So there is one tenant, and no caller is confined.
func TestWithoutDirectory(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.Businesses = nil })
	for _, in := range []magiclink.MagicLinkCreate{
		{BusinessID: businessA}, {ExternalBusinessID: "shop"}, {BusinessID: businessA, ExternalBusinessID: "shop"},
	} {
		_, err := f.Issue(t.Context(), in)
		require.NoError(t, err, "the control: a caller without tenant and scope passes")
		for name, by := range map[string]magiclink.Caller{
			"tenant": caller("one", ""), "scope": caller("", businessA), "both": caller("one", businessA), "another": caller("", businessB),
		} {
			in.Caller = by
			response, err := f.Issue(t.Context(), in)
			var refused *magiclink.CallerError
			require.ErrorAs(t, err, &refused, name)
			require.Contains(t, refused.Reason, "Config.Businesses", "it says what to do")
			require.NotErrorIs(t, err, magiclink.ErrUnavailable)
			require.Zero(t, response)
			require.Equal(t, magiclink.ReasonInvalidCaller, f.told.last(t).Reason)
		}
	}
}

func TestAnyBusiness(t *testing.T) {
	type in = magiclink.MagicLinkCreate
	for name, test := range map[string]struct {
		in  in
		err error
	}{
		"no caller":           {in{BusinessID: businessA, ExternalBusinessID: "shop"}, nil},
		"tenant":              {in{Caller: caller("one", ""), BusinessID: businessA, ExternalBusinessID: "shop"}, nil},
		"scope, by id":        {in{Caller: caller("one", businessA), BusinessID: businessA}, nil},
		"scope, no tenant":    {in{Caller: caller("", businessA), BusinessID: businessA}, nil},
		"scope of another":    {in{Caller: caller("one", businessB), BusinessID: businessA}, magiclink.ErrBusinessForbidden},
		"scope, external id":  {in{Caller: caller("one", businessA), ExternalBusinessID: "shop"}, magiclink.ErrBusinessForbidden},
		"scope, both ids":     {in{Caller: caller("one", businessA), BusinessID: businessA, ExternalBusinessID: "shop"}, magiclink.ErrBusinessForbidden},
		"another, both ids":   {in{Caller: caller("one", businessB), BusinessID: businessA, ExternalBusinessID: "shop"}, magiclink.ErrBusinessForbidden},
		"no tenant, external": {in{Caller: caller("", businessA), ExternalBusinessID: "shop"}, magiclink.ErrBusinessForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *magiclink.Config) { c.Businesses = magiclink.AnyBusiness })
			response, err := f.Issue(t.Context(), test.in)
			require.Equal(t, test.err, err)
			if err != nil {
				require.Zero(t, response)
				return
			}
			require.Equal(t, magiclink.Subject{
				TenantID: test.in.Caller.TenantID, BusinessID: test.in.BusinessID, ExternalBusinessID: test.in.ExternalBusinessID,
			}, f.record(t, response.MagicLinkID).Subject, "the ids are taken as they are")
		})
	}
}

// A malformed Caller is a fault of the application and not of the input. It is refused before the input is checked.
func TestMalformedCaller(t *testing.T) {
	long := repeat("ü", 255)
	for name, test := range map[string]struct {
		caller magiclink.Caller
		ok     bool
	}{
		"255 characters":    {caller(long, ""), true},
		"256 characters":    {caller(long+"x", ""), false},
		"control":           {caller("a\x00b", ""), false},
		"line break":        {caller("a\nb", ""), false},
		"not UTF-8":         {caller("\xff", ""), false},
		"business":          {caller("t", businessA), true},
		"business \"*\"":    {caller("t", "*"), false},
		"short business":    {caller("t", businessA[:25]), false},
		"id of a link":      {caller("t", "mlk_"+businessA[4:]), false},
		"business in front": {caller("", businessA+" "), false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			good := magiclink.MagicLinkCreate{Caller: test.caller, BusinessID: businessA}
			_, err := f.Issue(t.Context(), good)
			if test.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorAs(t, err, new(*magiclink.CallerError))
			_, err = f.Issue(t.Context(), magiclink.MagicLinkCreate{Caller: test.caller, TTL: -1})
			require.ErrorAs(t, err, new(*magiclink.CallerError))
			_, err = f.IssueJSON(t.Context(), test.caller, []byte(withID(`"ttl":5`)))
			require.ErrorAs(t, err, new(*magiclink.CallerError))
			for _, event := range f.told.events {
				require.Equal(t, magiclink.ReasonInvalidCaller, event.Reason)
			}
		})
	}
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
		"control":          {magiclink.Business{ID: businessA, ExternalID: "a\nb"}, magiclink.MagicLinkCreate{BusinessID: businessA}, false},
		"not UTF-8":        {magiclink.Business{ID: businessA, ExternalID: "\xff"}, magiclink.MagicLinkCreate{BusinessID: businessA}, false},
		"256 characters":   {magiclink.Business{ID: businessA, ExternalID: repeat("x", 256)}, magiclink.MagicLinkCreate{BusinessID: businessA}, false},
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
	_, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{Caller: caller("down", businessB), BusinessID: businessA})
	require.ErrorIs(t, err, magiclink.ErrBusinessForbidden)
}
