package httpadapter_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// exampleConfig stands for what a program sets up once.
var (
	exampleConfig = magiclink.Config{
		BaseURL: "https://app.example.com/magic", Keys: exampleKeys, Store: memory.New(), Businesses: magiclink.AnyBusiness,
	}
	exampleLinks    = must(magiclink.New(exampleConfig))
	exampleRedeemer = must(magiclink.NewRedeemer(exampleConfig))
	exampleSessions = must(magiclink.NewSessions(exampleConfig))
)

// exampleLink issues a link for jane@example.com to /reports.
func exampleLink() string {
	response, err := exampleLinks.Issue(context.Background(), magiclink.MagicLinkCreate{
		BusinessID: "biz_GA6EG2qFxA97NZHtxeLPUy", Email: "jane@example.com", Path: "/reports",
	})
	if err != nil {
		log.Fatal(err)
	}
	return response.MagicLink
}

// The page is mounted at the route of the links and below it. Opening a link shows whom it signs in and changes nothing.
func ExampleNewPage() {
	page, err := httpadapter.NewPage(httpadapter.PageConfig{
		Redeemer: exampleRedeemer, Sessions: exampleSessions, App: "Example", NewLinkURL: "/sign-in",
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/magic", page)
	mux.Handle("/magic/", page)

	link := exampleLink()
	for _, address := range []string{link, link, link + "x"} {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest("GET", address, nil))
		fmt.Println(answer.Code, strings.Contains(answer.Body.String(), "Sign in as <bdi>j•••@example.com</bdi>?"))
	}
	// Output:
	// 200 true
	// 200 true
	// 410 false
}

// An application that keeps accounts can refuse a person before the link is used, and keep sessions of its own beside the
// session cookie.
func ExamplePageConfig_admit() {
	suspended := map[string]bool{"jane@example.com": true}
	page, err := httpadapter.NewPage(httpadapter.PageConfig{
		Redeemer: exampleRedeemer, Sessions: exampleSessions,
		Admit: func(_ *http.Request, redemption magiclink.Redemption) error {
			if suspended[redemption.Email] {
				return httpadapter.ErrRefused // 403; the link stays usable
			}
			return nil // any other error is an outage: 503
		},
		OnRedeem: func(w http.ResponseWriter, _ *http.Request, redeemed magiclink.Redemption) error {
			// Start the application's own session here. The id of the link is the same when a click is repeated.
			http.SetCookie(w, &http.Cookie{Name: "__Host-own", Value: redeemed.MagicLinkID, Path: "/", Secure: true, HttpOnly: true})
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/magic", page)
	http.Handle("/magic/", page)
}

// Where links begin at the root, or where damaged links should also reach the page, the page is asked before the mux.
func ExamplePage_Matches() {
	page, err := httpadapter.NewPage(httpadapter.PageConfig{Redeemer: exampleRedeemer, Sessions: exampleSessions})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux() // the application's own routes
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page.Matches(r) {
			page.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})

	token := magiclink.TokenOf(exampleLink())
	for _, address := range []string{"/magic/reports?token=" + token, "//magic%3Ftoken=" + token + ".", "/reset-password?token=abc"} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest("GET", "https://app.example.com"+address, nil))
		fmt.Println(answer.Code)
	}
	// Output:
	// 200
	// 200
	// 404
}
