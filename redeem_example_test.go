package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// A link is issued, looked at as often as anyone likes, and redeemed once.
func ExampleNewRedeemer() {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		fmt.Println(err)
		return
	}
	store := memory.New()
	issuer, err := magiclink.New(magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: keys, Store: store})
	if err != nil {
		fmt.Println(err)
		return
	}
	redeemer, err := magiclink.NewRedeemer(magiclink.RedeemerConfig{
		BaseURL: "https://app.example.com/magic", Keys: keys, Store: store,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	response, err := issuer.Issue(ctx, magiclink.MagicLinkCreate{
		BusinessID: "biz_GA6EG2qFxA97NZHtxeLPUy", Email: "jane@example.com", Path: "/reports",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	link, err := url.Parse(response.MagicLink)
	if err != nil {
		fmt.Println(err)
		return
	}
	token := link.Query().Get("token")

	for range 2 { // a mail scanner, and then the user
		seen, err := redeemer.Inspect(ctx, token)
		fmt.Println(seen.Email, err)
	}
	redeemed, err := redeemer.Redeem(ctx, token)
	fmt.Println(redeemed.Email, redeemed.SessionTimeout, redeemer.Destination(redeemed), err)

	_, err = redeemer.Redeem(ctx, token)
	fmt.Println(err, errors.Is(err, magiclink.ErrConsumed))
	// Output:
	// jane@example.com <nil>
	// jane@example.com <nil>
	// jane@example.com 24h0m0s https://app.example.com/reports <nil>
	// magiclink: the link was already used true
}

// A redemption grants a session, which is recognised by its token until it expires. Whoever only recognises sessions is
// given the public keys.
func ExampleNewSessions() {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	config := magiclink.SessionsConfig{
		BaseURL: "https://app.example.com/magic", Keys: keys, Now: func() time.Time { return now },
	}
	granting, err := magiclink.NewSessions(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, session, err := granting.Grant(magiclink.Redemption{ // which Redeemer.Redeem has returned
		BusinessID: "biz_GA6EG2qFxA97NZHtxeLPUy", Email: "jane@example.com", SessionTimeout: time.Hour,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(session.ID[:4], session.ExpiresAt.Format(time.TimeOnly))

	config.Keys, err = keys.Public()
	if err != nil {
		fmt.Println(err)
		return
	}
	recognising, err := magiclink.NewSessions(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		session, err = recognising.Verify(token)
		fmt.Println(session.Email, err)
		now = now.Add(time.Hour)
	}
	// Output:
	// ses_ 13:00:00
	// jane@example.com <nil>
	//  magiclink: invalid token
}
