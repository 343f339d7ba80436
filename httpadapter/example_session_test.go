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
)

// exampleSignIn redeems a link for jane@example.com and returns a request that has her session cookie, as the page has set
// it.
func exampleSignIn(method, path string) *http.Request {
	redeemed := must(exampleRedeemer.Redeem(context.Background(), magiclink.TokenOf(exampleLink())))
	token, _, err := exampleSessions.Grant(context.Background(), redeemed)
	if err != nil {
		log.Fatal(err)
	}
	request := httptest.NewRequest(method, path, nil)
	request.AddCookie(&http.Cookie{Name: httpadapter.SessionCookie, Value: token})
	return request
}

// A handler behind RequireSession knows who is signed in. Everybody else is sent to the application's sign-in page, which
// gets the address to come back to.
func ExampleRequireSession() {
	requireSession := httpadapter.RequireSession(exampleSessions, httpadapter.RequireOptions{SignIn: "/sign-in"})
	mux := http.NewServeMux()
	mux.Handle("GET /reports", requireSession(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := httpadapter.SessionFromRequest(r)
		fmt.Fprintln(w, "the reports of", session.Email)
	})))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/reports?y=1", nil))
	fmt.Println(answer.Code, answer.Header().Get("Location"))

	answer = httptest.NewRecorder()
	mux.ServeHTTP(answer, exampleSignIn("GET", "/reports?y=1"))
	fmt.Print(answer.Code, " ", answer.Body)
	// Output:
	// 303 /sign-in?next=%2Freports%3Fy%3D1
	// 200 the reports of jane@example.com
}

// A page that everybody may see shows who is signed in, if anybody is.
func ExampleRequireSession_optional() {
	optional := httpadapter.RequireSession(exampleSessions, httpadapter.RequireOptions{Optional: true})
	home := optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if session, ok := httpadapter.SessionFromRequest(r); ok {
			fmt.Fprintln(w, "Hello,", session.Email)
			return
		}
		fmt.Fprintln(w, "Hello!")
	}))
	for _, request := range []*http.Request{httptest.NewRequest("GET", "/", nil), exampleSignIn("GET", "/")} {
		answer := httptest.NewRecorder()
		home.ServeHTTP(answer, request)
		fmt.Print(answer.Body)
	}
	// Output:
	// Hello!
	// Hello, jane@example.com
}

// After signing out, no copy of the session token is worth anything.
func ExampleNewLogoutHandler() {
	logout, err := httpadapter.NewLogoutHandler(httpadapter.LogoutConfig{Sessions: exampleSessions, Destination: "/goodbye"})
	if err != nil {
		log.Fatal(err)
	}
	session, err := httpadapter.NewSessionHandler(httpadapter.SessionConfig{Sessions: exampleSessions})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(httpadapter.LogoutPath, logout)
	mux.Handle(httpadapter.SessionPath, session)

	signedIn := exampleSignIn("GET", "/session")
	for _, request := range []*http.Request{signedIn, httptest.NewRequest("POST", "/logout", nil), signedIn} {
		request.Header.Set("Cookie", signedIn.Header.Get("Cookie"))
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		fmt.Printf("%d %q\n", answer.Code, answer.Header().Get("Location"))
	}
	// Output:
	// 200 ""
	// 303 "/goodbye"
	// 401 ""
}

// A single-page application asks the user itself, and then redeems the link. With an Idempotency-Key it may repeat the
// request when the answer was lost.
func ExampleNewRedeemHandler() {
	redeem, err := httpadapter.NewRedeemHandler(httpadapter.RedeemConfig{Redeemer: exampleRedeemer, Sessions: exampleSessions})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(httpadapter.RedeemPath, redeem)

	link := exampleLink()
	for _, key := range []string{"0b2c0c0e-7a54-4f0b-9d2c-1f6a8e1f3a11", "0b2c0c0e-7a54-4f0b-9d2c-1f6a8e1f3a11", "another"} {
		request := httptest.NewRequest("POST", "/v0/auth/magic-link/redeem", strings.NewReader(`{"token": "`+link+`"}`))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", key)
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		fmt.Println(answer.Code, strings.Contains(answer.Body.String(), `"email":"jane@example.com","path":"/reports","session_token":"`))
	}
	// Output:
	// 200 true
	// 200 true
	// 410 false
}

// All routes from one configuration. The application's own routes are what NotFound answers.
func ExampleNewService() {
	app := http.NewServeMux()
	service, err := httpadapter.NewService(httpadapter.ServiceConfig{
		Config: exampleConfig, App: "Acme", NewLinkURL: "/sign-in", NotFound: app,
	})
	if err != nil {
		log.Fatal(err)
	}
	requireSession := httpadapter.RequireSession(service.Sessions(), httpadapter.RequireOptions{SignIn: "/sign-in"})
	app.Handle("GET /reports", requireSession(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "the reports")
	})))

	link, err := service.Issuer().Issue(context.Background(), magiclink.MagicLinkCreate{
		ExternalBusinessID: "app", Email: "jane@example.com", Path: "/reports",
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, address := range []string{"/reports", link.MagicLink, "/session"} {
		answer := httptest.NewRecorder()
		service.ServeHTTP(answer, httptest.NewRequest("GET", address, nil))
		fmt.Println(answer.Code)
	}
	// Output:
	// 303
	// 200
	// 401
}
