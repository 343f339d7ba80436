package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// exampleConfig is the smallest Config that serves all three constructors.
func exampleConfig() (magiclink.Config, error) {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	return magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: keys, Store: memory.New()}, err
}

func ExampleIssuer_Issue() {
	config, err := exampleConfig() // BaseURL, Keys and Store
	if err != nil {
		fmt.Println(err)
		return
	}
	issuer, err := magiclink.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := issuer.Issue(context.Background(), magiclink.MagicLinkCreate{
		BusinessID: "biz_GA6EG2qFxA97NZHtxeLPUy",
		Email:      "jane@example.com",
		Path:       "/reports",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.HasPrefix(response.MagicLink, "https://app.example.com/magic/reports?token="))
	fmt.Println(response.MagicLinkID[:4], len(response.MagicLinkID))
	fmt.Println(time.Until(response.ExpiresAt) <= 5*time.Minute)
	// Output:
	// true
	// mlk_ 26
	// true
}

// A link that went to the wrong person is taken back. A session that came from it ends as well.
func ExampleIssuer_Revoke() {
	config, err := exampleConfig() // BaseURL, Keys and Store
	if err != nil {
		fmt.Println(err)
		return
	}
	issuer, err := magiclink.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	redeemer, err := magiclink.NewRedeemer(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	response, err := issuer.Issue(ctx, magiclink.MagicLinkCreate{ExternalBusinessID: "app", Email: "jane@example.con"})
	if err != nil {
		fmt.Println(err)
		return
	}
	const tenant = "" // an application with one tenant
	fmt.Println(issuer.Revoke(ctx, tenant, response.MagicLinkID))
	_, err = redeemer.Redeem(ctx, magiclink.TokenOf(response.MagicLink))
	fmt.Println(err)
	// Output:
	// <nil>
	// magiclink: the link was revoked
}

// customers knows the businesses of each tenant by the tenant's own id. A service looks into its database instead.
type customers map[string]map[string]string

// FindBusiness looks only among the businesses of the tenant, so that no tenant can name a business of another tenant.
func (c customers) FindBusiness(_ context.Context, tenantID string, ref magiclink.BusinessRef) (magiclink.Business, error) {
	for external, id := range c[tenantID] {
		if id == ref.ID || external == ref.ExternalID {
			return magiclink.Business{ID: id, ExternalID: external}, nil
		}
	}
	return magiclink.Business{}, magiclink.ErrBusinessNotFound
}

// A platform with several tenants has a directory: each tenant issues links for its own businesses alone.
func ExampleBusinessDirectory() {
	config, err := exampleConfig() // BaseURL, Keys and Store
	if err != nil {
		fmt.Println(err)
		return
	}
	config.Businesses = customers{
		"bakers":  {"shop-7": "biz_GA6EG2qFxA97NZHtxeLPUy"},
		"brewers": {"pub-1": "biz_2kPn8QxYw2TzB4vR7sHd3e"},
	}
	issuer, err := magiclink.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, external := range []string{"shop-7", "pub-1"} {
		_, err := issuer.Issue(context.Background(), magiclink.MagicLinkCreate{
			Caller:             magiclink.Caller{TenantID: "bakers"}, // from what authenticated the caller
			ExternalBusinessID: external,
		})
		fmt.Println(external, err, errors.Is(err, magiclink.ErrBusinessNotFound))
	}
	// Output:
	// shop-7 <nil> false
	// pub-1 magiclink: the tenant has no such business true
}

// A service removes what nobody needs any more, for as long as it runs:
//
//	go magiclink.PurgeEvery(ctx, store, 10*time.Minute, logger)
func ExamplePurgeEvery() {
	ctx, stop := context.WithCancel(context.Background()) // a service: signal.NotifyContext
	defer stop()
	store := oneRound{memory.New(), stop}
	expired := magiclink.Record{ID: "mlk_GA6EG2qFxA97NZHtxeLPUy", ExpiresAt: time.Now().Add(-time.Hour)}
	if err := store.Create(ctx, expired); err != nil {
		fmt.Println(err)
		return
	}

	magiclink.PurgeEvery(ctx, store, 10*time.Minute, slog.Default())

	_, err := store.Get(context.Background(), expired.ID)
	fmt.Println(err)
	// Output: magiclink: no such link
}

// oneRound stops the purging after its first round, so that the example ends.
type oneRound struct {
	magiclink.Store
	stop func()
}

func (s oneRound) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	defer s.stop()
	return s.Store.Purge(ctx, before, limit)
}

// A wrapper that adds metrics or tracing has a method Unwrap, so that it hides no optional interface.
func ExampleStoreAs() {
	var store magiclink.Store = measured{memory.New()}
	_, ok := magiclink.StoreAs[*memory.Store](store)
	fmt.Println(ok)
	_, ok = magiclink.StoreAs[interface{ Ping(context.Context) error }](store)
	fmt.Println(ok)
	// Output:
	// true
	// false
}

type measured struct{ magiclink.Store }

func (m measured) Unwrap() magiclink.Store { return m.Store }
