package httpadapter_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// supportDesk stands for an authority of the application: here everybody may see links, and nobody may end any.
type supportDesk struct{}

func (supportDesk) Authenticate(*http.Request) (httpadapter.Principal, error) {
	return httpadapter.Principal{ClientID: "support", Scopes: []string{httpadapter.ScopeRead}}, nil
}

// Links for a support desk of one's own, at a path of one's own. The handler is mounted at the path and at everything below.
func ExampleNewLinksHandler() {
	links, err := httpadapter.NewLinksHandler(httpadapter.LinksConfig{
		Issuer: exampleIssuer, Authenticator: supportDesk{}, Path: "/support/links",
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/support/links", links)
	mux.Handle("/support/links/", links)

	for _, request := range []*http.Request{
		httptest.NewRequest("GET", "/support/links?email=nobody@example.com", nil),
		httptest.NewRequest("POST", "/support/links/mlk_GA6EG2qFxA97NZHtxeLPUy/revoke", nil),
	} {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		fmt.Print(answer.Code, " ", answer.Body)
	}
	// Output:
	// 200 {"data":{"magic_links":[],"next_cursor":null}}
	// 403 {"error":"the access token lacks the scope auth:revoke","data":null}
}
