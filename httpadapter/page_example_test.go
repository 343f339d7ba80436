package httpadapter_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// exampleStore, exampleRedeemer and exampleSessions stand for what a program sets up once, beside the issuer.
var (
	exampleStore    = memory.New()
	exampleLinks    = must(magiclink.New(magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: exampleKeys, Store: exampleStore}))
	exampleRedeemer = must(magiclink.NewRedeemer(magiclink.RedeemerConfig{
		BaseURL: "https://app.example.com/magic", Keys: exampleKeys, Store: exampleStore,
	}))
	exampleSessions = must(magiclink.NewSessions(magiclink.SessionsConfig{BaseURL: "https://app.example.com/magic", Keys: exampleKeys}))
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
		fmt.Println(answer.Code, strings.Contains(answer.Body.String(), "Sign in as j•••@example.com?"))
	}
	// Output:
	// 200 true
	// 200 true
	// 410 false
}

// A handler behind RequireSession knows who is signed in; who is not is sent to a page of the application.
func ExampleRequireSession() {
	signIn := http.RedirectHandler("/sign-in", http.StatusSeeOther)
	reports := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := httpadapter.SessionFromContext(r.Context())
		fmt.Fprintln(w, "the reports of", session.Email)
	})
	mux := http.NewServeMux()
	mux.Handle("GET /reports", httpadapter.RequireSession(exampleSessions, signIn, reports))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/reports", nil))
	fmt.Println(answer.Code, answer.Header().Get("Location"))

	token, _, err := exampleSessions.Grant(magiclink.Redemption{Email: "jane@example.com", SessionTimeout: 3600e9})
	if err != nil {
		log.Fatal(err)
	}
	request := httptest.NewRequest("GET", "/reports", nil)
	request.AddCookie(&http.Cookie{Name: httpadapter.SessionCookie, Value: token}) // as the page has set it
	answer = httptest.NewRecorder()
	mux.ServeHTTP(answer, request)
	fmt.Print(answer.Code, " ", answer.Body)
	// Output:
	// 303 /sign-in
	// 200 the reports of jane@example.com
}

// A single-page application asks the user itself, and then redeems the link.
func ExampleNewRedeemHandler() {
	redeem, err := httpadapter.NewRedeemHandler(httpadapter.RedeemConfig{Redeemer: exampleRedeemer, Sessions: exampleSessions})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(httpadapter.RedeemPath, redeem)

	link, err := url.Parse(exampleLink())
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		request := httptest.NewRequest("POST", "/v0/auth/magic-link/redeem", strings.NewReader(`{"token": "`+link.Query().Get("token")+`"}`))
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		fmt.Println(answer.Code, strings.Contains(answer.Body.String(), `"email":"jane@example.com","path":"/reports","session_token":"`))
	}
	// Output:
	// 200 true
	// 410 false
}
