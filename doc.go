// Package magiclink issues one-time sign-in links ("magic links") and redeems each exactly once.
//
// # The story
//
// An [Issuer] takes a [MagicLinkCreate], checks every field of it, mints a signed token, persists a [Record] through a
// [Store], and returns the link to send. The record is the truth: it says whom the link signs in, where they arrive, and
// until when. The token only proves that the link is ours, so a link that leaks names nobody, and a database that leaks
// opens nothing.
//
//	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
//	store, err := sqlite.Open("magiclink.db")
//	issuer, err := magiclink.New(magiclink.Config{
//		BaseURL: "https://app.example.com/magic",
//		Keys:    keys,
//		Store:   store,
//	})
//	link, err := issuer.Issue(ctx, magiclink.MagicLinkCreate{
//		BusinessID: "biz_GA6EG2qFxA97NZHtxeLPUy",
//		Email:      "jane@example.com",
//		Path:       "/reports",
//	})
//
// A [Redeemer] is the other half: Inspect says what a link stands for and changes nothing, which is what answers a GET;
// Redeem uses it up in one atomic step and returns a [Redemption]. Of any number of racing calls one succeeds. [Sessions]
// turn a redemption into a signed session token.
//
// The package httpadapter puts this on the web, store/memory and store/sqlite keep the records, and store/storetest checks
// a store of your own. The command in cmd/magiclink is all of it in one program.
//
// # Threat model
//
// The library assumes that requests, tokens and paths come from attackers, that links are opened by mail scanners and
// leak through logs and histories, and that processes die at any moment. Against these it
//
//   - signs with one algorithm per key, chosen by the key and never by the token, and reads the compact form alone;
//   - gives each kind of token a type and an audience of its own, so that none passes for another;
//   - keeps whom a link signs in out of the link;
//   - takes the link's origin from the configuration, never from a request;
//   - changes nothing when a link is only opened, and redeems for nobody but a form of our own page;
//   - burns a link before it grants a session, so that a crash between the two lets nobody in twice;
//   - lets a path pass only if every browser reads it as a path on that origin;
//   - acknowledges a link only when the store has made it durable, and answers an outage with an error;
//   - puts no token, link or address into a log line or an error.
//
// It trusts the machine that holds the private key, the store's integrity, and the mailbox that the link is sent to.
//
// # Errors
//
// Outcomes are sentinel errors for [errors.Is]. Broken input is [FieldErrors], and a broken configuration [ConfigErrors],
// both for [errors.As] and both complete: nobody has to fix one fault to learn of the next.
//
// # Compatibility
//
// The module follows semantic versioning. Interfaces that others implement ([Store], [BusinessDirectory]) are frozen: they
// grow by optional interfaces. Struct types of configuration may gain fields whose zero value changes nothing.
package magiclink
