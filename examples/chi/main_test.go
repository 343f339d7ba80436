package main

import (
	"encoding/json"
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

// A client gets an access token and has a link issued, both through the router.
func Example() {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	clients, err := httpadapter.StaticClients(httpadapter.Client{
		ID: "crm", SecretSHA256: httpadapter.HashSecret("a long random secret"), TenantID: "t1",
		Scopes: []string{httpadapter.ScopeCreate},
	})
	if err != nil {
		log.Fatal(err)
	}
	router, err := newRouter(keys, clients, memory.New())
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(router)
	defer server.Close()

	form := url.Values{"client_id": {"crm"}, "client_secret": {"a long random secret"}}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	status := send(server.URL+"/api/v0/auth/token", "application/x-www-form-urlencoded", "", form.Encode(), &token)
	fmt.Println("token:", status)

	var answer struct {
		Data magiclink.MagicLinkResponse `json:"data"`
	}
	body := `{"business_id": "biz_GA6EG2qFxA97NZHtxeLPUy", "path": "/reports"}`
	status = send(server.URL+"/api/v0/auth/magic-link", "application/json", token.AccessToken, body, &answer)
	link, _, _ := strings.Cut(answer.Data.MagicLink, "=")
	fmt.Println("link:", status, link, len(answer.Data.MagicLinkID))

	var refusal struct {
		Error string `json:"error"`
	}
	status = send(server.URL+"/api/v0/auth/magic-link", "application/json", "", body, &refusal)
	fmt.Println("without a token:", status, refusal.Error)

	// Output:
	// token: 200
	// link: 201 https://app.example.com/magic/reports?token 26
	// without a token: 401 an access token is needed: send it as Authorization: Bearer
}

// send posts a body and reads the answer, which is JSON.
func send(address, contentType, token, body string, into any) (status int) {
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		log.Fatal(err)
	}
	return answer.StatusCode
}
