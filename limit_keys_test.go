package magiclink_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// The keys that LimitKeys names are those that Issue counts under: after their Reset the limit is as new.
func TestLimitKeysAreThoseOfIssue(t *testing.T) {
	for name, in := range map[string]magiclink.MagicLinkCreate{
		"an address":          {Email: "Jane@EXAMPLE.com", ExternalBusinessID: "acme"},
		"a business":          {ExternalBusinessID: "acme"},
		"a tenant's business": {ExternalBusinessID: "acme", Caller: magiclink.Caller{TenantID: "t1"}},
	} {
		t.Run(name, func(t *testing.T) {
			store, keys := memory.New(), seededKeyring(t)
			once := magiclink.Rate{Burst: 1, Every: time.Hour}
			issuer, err := magiclink.New(magiclink.Config{
				BaseURL: "https://app.example.com/magic", Keys: keys, Store: store, Businesses: magiclink.AnyBusiness,
				Limits: magiclink.Limits{PerSubject: once, PerBusiness: once, PerTenant: magiclink.Rate{Burst: 2, Every: time.Hour}},
			})
			require.NoError(t, err)
			_, err = issuer.Issue(t.Context(), in)
			require.NoError(t, err)
			_, err = issuer.Issue(t.Context(), in)
			require.ErrorIs(t, err, magiclink.ErrLimited)

			subject := magiclink.Subject{TenantID: in.Caller.TenantID, Email: strings.ToLower(in.Email), ExternalBusinessID: "acme"}
			perSubject, perTenant := magiclink.LimitKeys(subject)
			for _, key := range []string{perSubject, perTenant} {
				arrival, err := store.Peek(t.Context(), key)
				require.NoError(t, err)
				require.NotZero(t, arrival)
			}
			require.NoError(t, store.Reset(t.Context(), perSubject))
			_, err = issuer.Issue(t.Context(), in)
			require.NoError(t, err)
			require.NoError(t, store.Reset(t.Context(), perSubject))
			_, err = issuer.Issue(t.Context(), in)
			require.ErrorIs(t, err, magiclink.ErrLimited, "the tenant's limit")
			require.NoError(t, store.Reset(t.Context(), perSubject))
			require.NoError(t, store.Reset(t.Context(), perTenant))
			_, err = issuer.Issue(t.Context(), in)
			require.NoError(t, err)
		})
	}
}
