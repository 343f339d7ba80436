// Package magiclink issues one-time sign-in links ("magic links"), redeems each exactly once, and keeps the session that
// follows.
//
// # The story
//
// An [Issuer] takes a [MagicLinkCreate], checks every field, mints a signed token, persists a [Record] through a [Store],
// and returns the link to send. A [Redeemer] shows what a link stands for without changing anything ([Redeemer.Inspect],
// which answers a GET), and uses a link up in one atomic step ([Redeemer.Redeem], after a click). [Sessions] turn that
// [Redemption] into a session token, recognise it, and end the session. All three are made from one [Config]:
//
//	keys, err := magiclink.LoadKeyring("keys.json") // or GenerateKeyring, and then Save
//	store, err := sqlite.Open("magiclink.db")
//	config := magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: keys, Store: store}
//	issuer, err := magiclink.New(config)
//	redeemer, err := magiclink.NewRedeemer(config)
//	sessions, err := magiclink.NewSessions(config)
//
//	link, err := issuer.Issue(ctx, magiclink.MagicLinkCreate{
//		ExternalBusinessID: "app", Email: "jane@example.com", Path: "/reports",
//	})
//	// Send link.MagicLink. When the person has confirmed:
//	redeemed, err := redeemer.Redeem(ctx, magiclink.TokenOf(clicked))
//	token, session, err := sessions.Grant(ctx, redeemed)
//
// The record decides. It holds whom the link signs in, where they arrive, and until when; after the redemption the same record
// is the session. The token only proves that the link is ours: a link that leaks names nobody, and nobody can make a link from
// a database that leaks.
//
// The package httpadapter puts this on the web, with the page that a link leads to. The package signin is the way from an address to
// the link. The packages store/memory and store/sqlite and the modules store/postgres and store/redis keep the records, and
// store/storetest checks a store of your own. The command in cmd/magiclink is all of it in one program. The HTTP API follows the
// specification of POST /v0/auth/magic-link ("Generate a Magic Link") of the Asset API, whose schemas MagicLinkCreate and
// MagicLinkResponse this package uses.
//
// # Threat model
//
// The library assumes that requests, tokens and paths come from attackers, that mail scanners open links, that links leak
// through logs and histories, and that processes die at any moment. Against this it
//
//   - signs with one algorithm per key, chosen by the key and never by the token, and reads the compact form alone;
//   - gives each kind of token its own type and its own audience, so that no kind passes for another;
//   - puts nothing about the subject into the link;
//   - takes the origin of links from the configuration, never from a request;
//   - changes nothing when a link is only opened, and redeems only for a form of our own page;
//   - uses a link up before it grants a session; only the caller who used the link can repeat the redemption;
//   - lets a path pass only if every browser reads it as a path on that origin;
//   - ends a session for every copy of its token;
//   - acknowledges a link only when the store has made it durable, and answers an outage with an error;
//   - puts no token, link or address into a log line or an error.
//
// It trusts the machine that holds the private key, the integrity of the store, and the mailbox that the link is sent to.
//
// # Errors
//
// Outcomes are sentinel errors for [errors.Is], such as [ErrConsumed]. Broken input is [FieldErrors], a broken caller a
// [*CallerError], and a broken configuration [ConfigErrors], each for [errors.As]. FieldErrors and ConfigErrors are complete
// lists. On a value that no constructor has made, such as a zero or nil [Issuer], a method with an error among its results returns
// an error that names the constructor, and every other method returns a zero value.
//
// # Contexts and panics
//
// A context must not be nil: a call with a nil context panics, as calls of the standard library do. A context that has ended makes a
// call return [ErrUnavailable], which then also matches [context.Canceled] or [context.DeadlineExceeded]. Input is checked first.
//
// A panic of [Config.OnEvent] or of a [crypto.Signer] is contained. A panic of a Store, a BusinessDirectory or
// [Config.Now] reaches the caller of the method. No lock is held then, and later calls work.
//
// # Compatibility
//
// The module follows semantic versioning. Interfaces that others implement ([Store], [BusinessDirectory], and Authenticator and
// ClientDirectory of the package httpadapter) are frozen: they grow by optional interfaces (see [StoreAs]). Structs may gain
// fields whose zero value changes nothing: construct them with field names.
package magiclink
