package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/magiclink-go/magiclink"
)

// signIn issues a link and returns it with the Redeemer of the same Config.
func signIn() (*magiclink.Redeemer, string, error) {
	config, err := exampleConfig() // BaseURL, Keys and Store
	if err != nil {
		return nil, "", err
	}
	issuer, err := magiclink.New(config)
	if err != nil {
		return nil, "", err
	}
	redeemer, err := magiclink.NewRedeemer(config)
	if err != nil {
		return nil, "", err
	}
	response, err := issuer.Issue(context.Background(), magiclink.MagicLinkCreate{
		ExternalBusinessID: "app", Email: "jane@example.com", Path: "/reports",
	})
	return redeemer, response.MagicLink, err
}

// request is what a mail scanner and a browser do with a link.
func request(handler http.Handler, method, link string) string {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(method, link, nil))
	return method + " " + answer.Body.String()
}

// A GET looks at the link, a POST uses it up: a mail scanner that follows the link does no harm. The package httpadapter has
// a whole page that does so, with a form token against login CSRF.
func ExampleRedeemer_Inspect() {
	redeemer, link, err := signIn()
	if err != nil {
		fmt.Println(err)
		return
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := magiclink.TokenOf(r.URL.String())
		if r.Method != http.MethodPost {
			seen, err := redeemer.Inspect(r.Context(), token)
			fmt.Fprint(w, "a button to sign in as ", seen.Email, " ", err)
			return
		}
		redeemed, err := redeemer.Redeem(r.Context(), token)
		fmt.Fprint(w, "signed in as ", redeemed.Email, " ", err)
	})

	fmt.Println(request(page, http.MethodGet, link)) // a mail scanner
	fmt.Println(request(page, http.MethodGet, link)) // the person
	fmt.Println(request(page, http.MethodPost, link))
	// Output:
	// GET a button to sign in as jane@example.com <nil>
	// GET a button to sign in as jane@example.com <nil>
	// POST signed in as jane@example.com <nil>
}

// WRONG: this handler redeems on GET. Mail scanners, link previews and prefetching browsers follow links before the person
// does. The scanner uses the link up, and the person is told that the link was already used. See the example of Inspect for
// what is right.
func ExampleRedeemer_Redeem_wrong() {
	redeemer, link, err := signIn()
	if err != nil {
		fmt.Println(err)
		return
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := redeemer.Redeem(r.Context(), magiclink.TokenOf(r.URL.String())) // WRONG on GET
		fmt.Fprint(w, err)
	})

	fmt.Println(request(page, http.MethodGet, link)) // a mail scanner
	fmt.Println(request(page, http.MethodGet, link)) // the person
	// Output:
	// GET <nil>
	// GET magiclink: the link was already used
}

// A browser sends its form twice, or an answer is lost: the same "by" completes what it began, and nobody else can. By is a
// secret of the browser, for example the digest of a random cookie.
func ExampleRedeemer_RedeemBy() {
	redeemer, link, err := signIn()
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, token := context.Background(), magiclink.TokenOf(link)
	for _, by := range []string{"b0a3-jane", "b0a3-jane", "77c1-mallory"} {
		redeemed, err := redeemer.RedeemBy(ctx, token, by)
		fmt.Println(redeemed.Email, redeemed.Repeated, errors.Is(err, magiclink.ErrConsumed))
	}
	// Output:
	// jane@example.com false false
	// jane@example.com true false
	//  false true
}
