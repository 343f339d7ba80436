// Package guide has the code of docs/guide/sign-in.md and testing.md, so that it compiles and does what the guides say.
package guide

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

func newSignIn(keys *magiclink.Keyring, store magiclink.Store, mailer signin.Mailer, pages http.Handler) (*httpadapter.Service, *signin.Flow, error) {
	config := magiclink.Config{BaseURL: "https://app.acme.example/magic", Keys: keys, Store: store}
	flow, err := signin.New(signin.Config{Config: config, Mailer: mailer, Resolve: resolve, App: "Acme"})
	if err != nil {
		return nil, nil, err
	}
	service, err := httpadapter.NewService(httpadapter.ServiceConfig{Config: config, SignIn: flow, NotFound: pages})
	return service, flow, err
}

func resolve(ctx context.Context, address string) (magiclink.MagicLinkCreate, error) {
	account, err := accounts.byEmail(ctx, strings.ToLower(address)) // your table
	if errors.Is(err, errNoAccount) {
		return magiclink.MagicLinkCreate{}, signin.ErrUnknownAddress
	}
	return magiclink.MagicLinkCreate{ExternalBusinessID: "app", Email: account.Email}, err
}

func run(ctx context.Context) error {
	keys, err := magiclink.LoadKeyring("keys.json")
	if errors.Is(err, fs.ErrNotExist) { // the first start
		if keys, err = magiclink.GenerateKeyring(magiclink.EdDSA); err == nil {
			err = keys.Save("keys.json")
		}
	}
	if err != nil {
		return err
	}
	store, err := sqlite.Open("magiclink.db")
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // everything was committed
	mailer, err := mail.New(mail.Config{
		URL: "smtp://app@smtp.example.com:587", Password: os.Getenv("SMTP_PASSWORD"), From: "Acme <login@acme.example>",
	})
	if err != nil {
		return err
	}
	pages := http.NewServeMux()
	service, flow, err := newSignIn(keys, store, mailer, pages)
	if err != nil {
		return err
	}
	signedIn := httpadapter.RequireSession(service.Sessions(), httpadapter.RequireOptions{SignIn: signin.RequestPath})
	pages.Handle("GET /reports", signedIn(http.HandlerFunc(reports)))

	go magiclink.PurgeEvery(ctx, store, 10*time.Minute, nil)
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: service, ReadHeaderTimeout: 5 * time.Second}
	return errors.Join(server.ListenAndServe(), flow.Close(ctx))
}

func reports(w http.ResponseWriter, r *http.Request) {
	session, _ := httpadapter.SessionFromRequest(r)
	_, _ = fmt.Fprintf(w, `The reports of %s <form method="post" action="/logout"><button>Sign out</button></form>`, html.EscapeString(session.Email))
}

// provider sends mails by the API of a provider.
type provider struct {
	templates *mail.Templates // of mail.LoadTemplates(nil)
	api       api
}

// Send implements signin.Mailer.
func (p provider) Send(ctx context.Context, message signin.Message) error {
	rendered, err := p.templates.Render(message)
	if err != nil {
		return err
	}
	status, err := p.api.send(ctx, message.To, rendered.Subject, rendered.Text, rendered.HTML)
	if status == http.StatusUnprocessableEntity {
		return fmt.Errorf("the provider refuses the mail: %w", signin.ErrPermanent) // nobody tries again
	}
	return err // every other error is tried again
}

func configured(config magiclink.Config, mailer signin.Mailer) signin.Config {
	return signin.Config{
		Config: config, Mailer: mailer, Resolve: resolve, App: "Acme",
		TTL:  10 * time.Minute,   // of link and code
		Mode: signin.ModeRequire, // the browser that has asked, and no other
		Limits: signin.Limits{
			PerAddress: magiclink.Rate{Burst: 3, Every: time.Hour}, // mails
			PerClient:  magiclink.Rate{Burst: 100, Every: 5 * time.Second},
		},
		ClientAddress: behindProxy,
		Page: httpadapter.PageConfig{
			Logo:       "/static/logo.svg",
			Colors:     httpadapter.PageColors{Accent: "#0b6e4f"},
			DarkColors: httpadapter.PageColors{Accent: "#7ddbb6"},
			Language:   "de", // every page and mail; without it each browser says what it prefers
			Admit:      admit,
			OnRedeem:   signedIn,
		},
	}
}

func admit(r *http.Request, link magiclink.Redemption) error {
	account, err := accounts.byEmail(r.Context(), link.Email)
	if err == nil && account.Suspended {
		return httpadapter.ErrRefused
	}
	if errors.Is(err, errNoAccount) {
		return nil // signs up
	}
	return err
}

func signedIn(_ http.ResponseWriter, r *http.Request, link magiclink.Redemption) error {
	account, err := accounts.byEmail(r.Context(), link.Email)
	switch {
	case errors.Is(err, errNoAccount):
		return accounts.create(r.Context(), link.Email) // verified
	case err != nil:
		return err
	case link.Delivered == magiclink.DeliveredByMail && !account.Verified:
		return accounts.takeOver(r.Context(), account) // removes passwords, other log-ins and sessions, and sets Verified
	}
	return nil
}

// behindProxy believes the proxy on this machine, which sets X-Real-IP whatever the client has sent.
func behindProxy(r *http.Request) netip.Addr {
	connection, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !connection.Addr().IsLoopback() {
		return connection.Addr()
	}
	client, _ := netip.ParseAddr(r.Header.Get("X-Real-IP"))
	return client
}

func invite(ctx context.Context, flow *signin.Flow, email string) error {
	_, err := flow.Invite(ctx, magiclink.MagicLinkCreate{
		ExternalBusinessID: "app", Email: email, Path: "/welcome", TTL: 15,
	}, signin.Invitation{By: "Jane Doe", Language: "de"})
	return err
}
