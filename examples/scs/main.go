// Command scs redeems links into sessions of github.com/alexedwards/scs, which live on the server: an application that has
// sessions already keeps them, and can end each of them.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

const baseURL = "http://127.0.0.1:8080/magic"

func main() {
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		log.Fatal(err)
	}
	store := memory.New() // in earnest one from store/sqlite
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
	fmt.Println("Open", link.MagicLink)
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: app, ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// newApp has a redemption page, and a page that shows who is signed in.
func newApp(keys *magiclink.Keyring, store magiclink.Store) (http.Handler, error) {
	redeemer, err := magiclink.NewRedeemer(magiclink.Config{BaseURL: baseURL, Keys: keys, Store: store})
	if err != nil {
		return nil, err
	}
	sessions := scs.New()
	// Over https, which is for everything but this example: the name "__Host-session", and Secure true.
	sessions.Cookie.Name = "session"
	sessions.Cookie.Secure = strings.HasPrefix(baseURL, "https://")

	page, err := httpadapter.NewPage(httpadapter.PageConfig{
		Redeemer: redeemer,
		OnRedeem: func(_ http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) error {
			ctx := r.Context()
			if err := sessions.Destroy(ctx); err != nil { // what somebody else did before stays behind
				return err
			}
			if err := sessions.RenewToken(ctx); err != nil { // a new session id, against fixation
				return err
			}
			sessions.Put(ctx, "email", redeemed.Email)
			sessions.Put(ctx, "link", redeemed.MagicLinkID)
			sessions.SetDeadline(ctx, time.Now().Add(redeemed.SessionTimeout))
			return nil
		},
		ActiveAccount: func(r *http.Request) string { return sessions.GetString(r.Context(), "email") },
		ActiveLink:    func(r *http.Request) string { return sessions.GetString(r.Context(), "link") },
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		if email := sessions.GetString(r.Context(), "email"); email != "" {
			fmt.Fprintf(w, "Hello, %s\n", email)
			return
		}
		http.Error(w, "Open a magic link to sign in.", http.StatusUnauthorized)
	})
	return sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page.Matches(r) {
			page.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})), nil
}
