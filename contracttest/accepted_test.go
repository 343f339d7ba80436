package contracttest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// The positive control of every other table here: the request that they spoil is accepted.
func TestAcceptsTheGoodRequest(t *testing.T) {
	s := newService(t)
	s.expect(t, s.good(t), created)
	require.Equal(t, []string{"t1", acme, "acme"}, lastOwner(t, s))
}

func TestAcceptsAndPersistsEveryField(t *testing.T) {
	s := newService(t)
	for _, row := range []struct {
		name, body string
		record     magiclink.Record
	}{
		{"the defaults", goodBody, magiclink.Record{SessionTimeout: 24 * time.Hour, ExpiresAt: noon.Add(5 * time.Minute)}},
		{
			"all fields",
			`{"business_id":"` + acme + `","external_business_id":"acme","ttl":15,"session_timeout":7948800,` +
				`"email":"Jane@EXAMPLE.com","path":"/reports?y=1#top"}`,
			magiclink.Record{
				SessionTimeout: 7948800 * time.Second, ExpiresAt: noon.Add(15 * time.Minute),
				Subject: magiclink.Subject{Email: "Jane@example.com"}, Path: "/reports?y=1#top",
			},
		},
		{
			"nulls where the schema has them", `{"business_id":"` + acme + `","external_business_id":null,"path":null}`,
			magiclink.Record{SessionTimeout: 24 * time.Hour, ExpiresAt: noon.Add(5 * time.Minute)},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.expect(t, s.good(t, body(row.body)), created)
			kept := s.store.kept()
			got := kept[len(kept)-1]
			require.Equal(t, row.record.SessionTimeout, got.SessionTimeout)
			require.Equal(t, row.record.ExpiresAt, got.ExpiresAt)
			require.Equal(t, row.record.Email, got.Email)
			require.Equal(t, row.record.Path, got.Path)
			require.Equal(t, []string{"t1", acme, "acme"}, lastOwner(t, s))
		})
	}
}

func TestLinkHasTheConfiguredOriginWhateverTheRequestSays(t *testing.T) {
	s := newService(t)
	s.run(t, []trial{
		{"X-Forwarded-Host", header("X-Forwarded-Host", "evil.example"), created},
		{"X-Forwarded-Proto", header("X-Forwarded-Proto", "http"), created},
		{"Forwarded", header("Forwarded", "host=evil.example;proto=http"), created},
		{"X-Original-URL", header("X-Original-URL", "https://evil.example/"), created},
		{"Origin", header("Origin", "https://evil.example"), created},
	})
}

// lastOwner returns tenant, business id and external id of the last record.
func lastOwner(tb testing.TB, s *service) []string {
	tb.Helper()
	kept := s.store.kept()
	require.NotEmpty(tb, kept)
	last := kept[len(kept)-1]
	return []string{last.TenantID, last.BusinessID, last.ExternalBusinessID}
}
