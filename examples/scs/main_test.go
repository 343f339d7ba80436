package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

// A person opens the link, presses the button, and is signed in by a session of scs.
func Example() {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	store := memory.New()
	app, err := newApp(keys, store)
	if err != nil {
		log.Fatal(err)
	}
	issuer, err := magiclink.New(magiclink.Config{BaseURL: baseURL, Keys: keys, Store: store})
	if err != nil {
		log.Fatal(err)
	}
	link, err := issuer.Issue(context.Background(), magiclink.MagicLinkCreate{
		BusinessID: "biz_GA6EG2qFxA97NZHtxeLPUy", Email: "jane@example.com", Path: "/account",
	})
	if err != nil {
		log.Fatal(err)
	}

	browser := &browser{app: app, cookies: map[string]string{}}
	status, _ := browser.do(http.MethodGet, "http://127.0.0.1:8080/account", nil)
	fmt.Println("before:", status)

	status, page := browser.do(http.MethodGet, link.MagicLink, nil)
	fmt.Println("the page:", status)

	form := url.Values{"token": {magiclink.TokenOf(link.MagicLink)}, "form": {formToken.FindStringSubmatch(page)[1]}}
	status, _ = browser.do(http.MethodPost, baseURL, form)
	fmt.Println("the button:", status)

	status, page = browser.do(http.MethodGet, "http://127.0.0.1:8080/account", nil)
	fmt.Print("after: ", status, " ", page)

	// Output:
	// before: 401
	// the page: 200
	// the button: 303
	// after: 200 Hello, jane@example.com
}

// browser keeps cookies, and calls the application without a network.
type browser struct {
	app     http.Handler
	cookies map[string]string
}

func (b *browser) do(method, address string, form url.Values) (status int, body string) {
	r := httptest.NewRequest(method, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.app.ServeHTTP(w, r)
	answer := w.Result()
	for _, cookie := range answer.Cookies() {
		b.cookies[cookie.Name] = cookie.Value
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	return answer.StatusCode, string(text)
}
