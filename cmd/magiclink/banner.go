package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

// reachable returns how a shell on this machine reaches the listener: an unspecified address such as 0.0.0.0 is none to call.
func reachable(listening net.Addr) string {
	at, err := netip.ParseAddrPort(listening.String())
	if err == nil && at.Addr().IsUnspecified() {
		at = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port())
		return "http://" + at.String()
	}
	return "http://" + listening.String()
}

// printFirstSteps shows what to paste into a shell. The secret is printed once, here, if serve has made it. A secret
// of the environment is not printed.
func printFirstSteps(w io.Writer, origin string, client *credentials) error {
	id, secret := client.id, client.secret
	about := "This secret is shown once and kept only as a hash."
	if client.given {
		id, secret = "$MAGICLINK_CLIENT_ID", "$MAGICLINK_CLIENT_SECRET" //nolint:gosec // G101: names, not values
		about = "The lines take the client from your environment."
	}
	_, err := fmt.Fprintf(w, `First start: made a signing key, the client %q and the business %q.
The client may issue, list and end the links of its tenant. %s

Paste these lines into a shell to get an access token and to issue a link:

TOKEN=$(curl -sS %s --data-urlencode "client_id=%s" --data-urlencode "client_secret=%s" | sed -E 's/.*"access_token":"([^"]+)".*/\1/')
curl -sS %s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '%s'

`, client.id, firstBusiness, about,
		origin+httpadapter.TokenPath, id, secret,
		origin+httpadapter.IssuePath, `{"external_business_id":"`+firstBusiness+`","email":"jane@example.com","path":"/reports"}`)
	return err
}

// printSignIn says where people sign in, and loudly that mails stay here.
func printSignIn(w io.Writer, origin string, live *liveConfig, outbox *outbox, path string) {
	entry := live.signIn()
	if entry == nil {
		printNoSignIn(w, live.sampleSignIn(outbox.development), outbox, path)
		return
	}
	fmt.Fprintf(w, "Sign in with a browser at %s (%s)\n", origin+signin.RequestPath, entry.who())
	if outbox.dir != "" {
		fmt.Fprintf(w, "NO MAIL IS SENT: mails are written into %s, and the path of each is printed here.\n"+
			"Whoever can read that directory can sign in as anybody. To send mails, give -smtp and -from.\n", shownPath(outbox.dir))
	}
	fmt.Fprintln(w)
}

// printNoSignIn says what to add to the configuration, so that people can sign in.
func printNoSignIn(w io.Writer, sample string, outbox *outbox, path string) {
	fmt.Fprintf(w, "Nobody signs in by mail: %s has no member \"sign_in\". To let people in, add for example\n\n  %s\n\n"+
		"behind a comma to its last member", path, sample)
	if outbox.make == nil {
		fmt.Fprint(w, ", and give -smtp smtp://USER@HOST:587 and -from 'Acme <login@acme.example>'")
	}
	fmt.Fprint(w, ". See \"magiclink help config\".\n\n")
}

// printMail returns what prints the path of each mail that was written. The path holds neither the link nor the code.
func printMail(w io.Writer) func(path string) {
	return func(path string) { fmt.Fprintf(w, "A mail was written: %s\n", shownPath(path)) }
}

// printSharing says what replicas of this server need: a link that one issues must be good at all of them.
func printSharing(w io.Writer, data string) {
	fmt.Fprintf(w, "Other machines that serve these links need the same keys and configuration: give them the files of %s with -keys and -config.\n", data)
}

// printServing says where the server is, and which routes to try first.
func printServing(w io.Writer, origin string, address address) {
	fmt.Fprintf(w, "Serving on %s; links begin with %s\n", origin, address.baseURL)
	fmt.Fprintf(w, "The API's document is at %s\n", origin+httpadapter.OpenAPIPath)
	if !address.isAt(origin) {
		fmt.Fprintf(w, "The proxy in front must pass %s on to here.\n", address.origin())
	}
}
