package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// From a link to a session: one Config serves the Issuer, the Redeemer and the Sessions.
func Example() {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA) // a service loads its keys: see LoadKeyring
	if err != nil {
		fmt.Println(err)
		return
	}
	config := magiclink.Config{
		BaseURL: "https://app.example.com/magic",
		Keys:    keys,
		Store:   memory.New(), // a service keeps its links in store/sqlite
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

	// Somebody asks for a link. It is a credential: send it to the person, do not log it.
	response, err := issuer.Issue(ctx, magiclink.MagicLinkCreate{
		ExternalBusinessID: "app", // an application without businesses writes one constant
		Email:              "jane@example.com",
		Path:               "/reports",
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The person follows the link (GET): say whom it signs in, and show a button.
	token := magiclink.TokenOf(response.MagicLink)
	seen, err := redeemer.Inspect(ctx, token)
	fmt.Println("Sign in as", seen.Email, err)

	// The person presses the button (POST): use the link up, and put the session's token into a cookie.
	redeemed, err := redeemer.Redeem(ctx, token)
	if err != nil {
		fmt.Println(err)
		return
	}
	cookie, _, err := sessions.Grant(ctx, redeemed)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("303 to", redeemer.Destination(redeemed))

	// Each later request brings the cookie.
	session, err := sessions.Verify(ctx, cookie)
	fmt.Println("Hello", session.Email, err)

	// Nobody can use the link again.
	_, err = redeemer.Redeem(ctx, token)
	fmt.Println(err)
	// Output:
	// Sign in as jane@example.com <nil>
	// 303 to https://app.example.com/reports
	// Hello jane@example.com <nil>
	// magiclink: the link was already used
}

// All faults of a configuration are reported at once.
func ExampleNew() {
	_, err := magiclink.New(magiclink.Config{
		BaseURL:           "http://app.example.com/magic",
		Store:             memory.New(),
		MaxSessionTimeout: 365 * 24 * time.Hour,
	})
	var faults magiclink.ConfigErrors
	if errors.As(err, &faults) {
		for _, fault := range faults {
			fmt.Println(fault)
		}
	}
	// Output:
	// BaseURL must begin with https://; http:// is for loopback hosts alone
	// Keys is required: make one with GenerateKeyring or LoadKeyring
	// MaxSessionTimeout must be at most 7948800 seconds, the maximum of the specification
}

// Every field that breaks its rule is reported, by its JSON name.
func ExampleFieldErrors() {
	var in magiclink.MagicLinkCreate
	err := in.UnmarshalJSON([]byte(`{"ttl": 20, "email": "jane@localhost", "path": "//evil.example"}`))
	var faults magiclink.FieldErrors
	if errors.As(err, &faults) {
		for _, fault := range faults {
			fmt.Println(fault.Field, fault.Rule)
		}
		fmt.Println(faults[1].Message)
	}
	// Output:
	// business_id required_without
	// ttl max
	// email email
	// path localpath
	// must be at most 15
}
