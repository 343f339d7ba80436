package httpadapter_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// People see and end their own sessions. This application notes at a sign-in which browser has said to be there, and shows it. The
// text comes from the browser: an intruder chooses it, too.
func ExampleNewSessionsPage() {
	var devices sync.Map // by the id of the link; a real application keeps this in its database
	redemption, err := httpadapter.NewPage(httpadapter.PageConfig{
		Redeemer: exampleRedeemer, Sessions: exampleSessions,
		OnRedeem: func(_ http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) error {
			devices.Store(redeemed.MagicLinkID, r.UserAgent())
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := httpadapter.NewSessionsPage(httpadapter.SessionsPageConfig{
		Sessions: exampleSessions, App: "Example", SignIn: "/sign-in",
		Describe: func(_ *http.Request, session magiclink.Session) string {
			device, _ := devices.Load(session.MagicLinkID)
			text, _ := device.(string)
			return text
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/magic", redemption)
	mux.Handle("/magic/", redemption)
	mux.Handle(httpadapter.SessionsPath, sessions)

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "https://app.example.com/sessions", nil))
	fmt.Println(answer.Code, answer.Header().Get("Location"))
	// Output: 303 /sign-in?next=%2Fsessions
}
