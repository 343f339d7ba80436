package contracttest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// named is a body that names a business by either id; an empty one is left out.
func named(id, external string) spoil {
	switch {
	case external == "":
		return body(`{"business_id":"` + id + `"}`)
	case id == "":
		return body(`{"external_business_id":"` + external + `"}`)
	}
	return body(`{"business_id":"` + id + `","external_business_id":"` + external + `"}`)
}

// asking has the token changed and the body name a business.
func (s *service) asking(tb testing.TB, id, external string, change ...func(*magiclink.AccessToken)) request {
	tb.Helper()
	return s.good(tb, named(id, external), bearer(s.access(tb, change...)))
}

func scopedTo(id string) func(*magiclink.AccessToken) {
	return func(a *magiclink.AccessToken) { a.BusinessID = id }
}

func ofTenant(id string) func(*magiclink.AccessToken) {
	return func(a *magiclink.AccessToken) { a.TenantID = id }
}

func TestBusinessOfTheTenant(t *testing.T) {
	s := newService(t)
	disagree := fields("external_business_id:same_business")
	for _, row := range []struct {
		name, id, external string
		want               want
	}{
		{"by its id", acme, "", created},
		{"by the tenant's id", "", "globex", created},
		{"by both", acme, "acme", created},
		{"by the ids of two", acme, "globex", disagree},
		{"known and unknown", acme, "nobody", disagree},
		{"unknown and known", nobody, "acme", disagree},
		{"foreign and own", other, "acme", disagree},
		{"both unknown", nobody, "nobody", notFound},
		{"unknown id", nobody, "", notFound},
		{"unknown external id", "", "nobody", notFound},
		{"foreign id", other, "", notFound},
		{"an external id in capitals", "", "ACME", notFound},
		{"an external id with a space", "", "acme ", notFound},
	} {
		t.Run(row.name, func(t *testing.T) { s.expect(t, s.asking(t, row.id, row.external), row.want) })
	}
}

func TestTenantsShareNothing(t *testing.T) {
	s := newService(t)
	s.expect(t, s.asking(t, "", "acme"), created)
	require.Equal(t, []string{"t1", acme, "acme"}, lastOwner(t, s))
	s.expect(t, s.asking(t, "", "acme", ofTenant("t2")), created)
	require.Equal(t, []string{"t2", other, "acme"}, lastOwner(t, s))
	for _, tenant := range []string{"t2", "t3", "", "T1"} {
		t.Run("tenant "+tenant, func(t *testing.T) {
			s.expect(t, s.asking(t, acme, "", ofTenant(tenant)), notFound)
			s.expect(t, s.asking(t, "", "globex", ofTenant(tenant)), notFound)
		})
	}
}

// A caller that names a foreign business does not learn that the business exists.
func TestForeignAndUnknownBusinessesLookTheSame(t *testing.T) {
	s := newService(t)
	unknown := s.expect(t, s.asking(t, nobody, ""), notFound)
	foreign := s.expect(t, s.asking(t, other, ""), notFound)
	require.Equal(t, string(unknown.body), string(foreign.body))
	unknown.header.Del("Date")
	foreign.header.Del("Date")
	require.Equal(t, unknown.header, foreign.header)
	s.expect(t, s.asking(t, other, "", ofTenant("t2")), created)
}

func TestTokenScopedToOneBusiness(t *testing.T) {
	s := newService(t)
	for _, row := range []struct {
		name, scope, id, external string
		want                      want
	}{
		{"the same, by its id", acme, acme, "", created},
		{"the same, by the tenant's id", acme, "", "acme", created},
		{"the same, by both", acme, acme, "acme", created},
		{"another, by its id", acme, globex, "", otherBusiness},
		{"another, by the tenant's id", acme, "", "globex", otherBusiness},
		{"another, by both", acme, globex, "globex", otherBusiness},
		{"an unknown one", acme, nobody, "", otherBusiness},
		{"a foreign one", acme, other, "", otherBusiness},
		{"scoped to a foreign one, asks for it", other, other, "", notFound},
		{"scoped to an unknown one, asks for it", nobody, nobody, "", notFound},
		{"scoped to an unknown one, asks for a known one", nobody, acme, "", otherBusiness},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.expect(t, s.asking(t, row.id, row.external, scopedTo(row.scope)), row.want)
		})
	}
}

func TestAnyBusinessIsTaken(t *testing.T) {
	s := newService(t, func(o *options) { o.core.Businesses = magiclink.AnyBusiness })
	s.expect(t, s.asking(t, nobody, ""), created)
	s.expect(t, s.asking(t, nobody, "anything"), created)
	require.Equal(t, []string{"t1", nobody, "anything"}, lastOwner(t, s))
	s.expect(t, s.asking(t, acme, "", scopedTo(acme)), created)
	s.expect(t, s.asking(t, acme, "", scopedTo(globex)), otherBusiness)
	s.expect(t, s.asking(t, "", "acme", scopedTo(acme)), otherBusiness) // nothing to compare it with
}
