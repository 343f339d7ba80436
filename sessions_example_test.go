package magiclink_test

import (
	"context"
	"fmt"
	"time"

	"github.com/magiclink-go/magiclink"
)

// A process that only recognises sessions gets the public keys, and the Store if it has to notice that a session was ended.
func ExampleNewSessions() {
	config, err := exampleConfig() // BaseURL, Keys and Store
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	config.Now = func() time.Time { return now }
	granting, err := magiclink.NewSessions(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	config.Keys, err = config.Keys.Public()
	if err != nil {
		fmt.Println(err)
		return
	}
	config.Store = nil // sessions last until they expire
	recognising, err := magiclink.NewSessions(config)
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	token, session, err := granting.Grant(ctx, magiclink.Redemption{ // what Redeemer.Redeem has returned
		MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy", Subject: magiclink.Subject{Email: "jane@example.com"},
		SessionTimeout: time.Hour, RedeemedAt: now,
	})
	fmt.Println(session.ID, session.ExpiresAt.Format(time.TimeOnly), err)
	for range 2 {
		session, err = recognising.Verify(ctx, token)
		fmt.Println(session.Email, err)
		now = now.Add(time.Hour)
	}
	// Output:
	// ses_GA6EG2qFxA97NZHtxeLPUy 13:00:00 <nil>
	// jane@example.com <nil>
	//  magiclink: invalid token
}

// Signing out ends the session for every copy of its token. Deleting the cookie alone would leave a copy usable.
func ExampleSessions_End() {
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
	sessions, err := magiclink.NewSessions(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	response, err := issuer.Issue(ctx, magiclink.MagicLinkCreate{ExternalBusinessID: "app", Email: "jane@example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	redeemed, err := redeemer.Redeem(ctx, magiclink.TokenOf(response.MagicLink))
	if err != nil {
		fmt.Println(err)
		return
	}
	cookie, _, err := sessions.Grant(ctx, redeemed)
	if err != nil {
		fmt.Println(err)
		return
	}

	session, err := sessions.Verify(ctx, cookie)
	fmt.Println(session.Email, err)
	fmt.Println(sessions.End(ctx, session))
	_, err = sessions.Verify(ctx, cookie) // a copy of the cookie
	fmt.Println(err)
	// Output:
	// jane@example.com <nil>
	// <nil>
	// magiclink: invalid token
}
