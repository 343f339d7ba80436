package httpadapter_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// People see and end their own sessions. The page names the device of each, from what the browser has said of itself: an intruder chooses that, too.
func ExampleNewSessionsPage() {
	redemption, err := httpadapter.NewPage(httpadapter.PageConfig{Redeemer: exampleRedeemer, Sessions: exampleSessions})
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := httpadapter.NewSessionsPage(httpadapter.SessionsPageConfig{
		Sessions: exampleSessions, App: "Example", SignIn: "/sign-in",
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
