package main

import (
	"context"
	_ "embed"
	"html/template"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

// app answers every request: the Service those of signing in and out, and the pages below all others.
type app struct {
	*httpadapter.Service
	flow *signin.Flow
	db   database
}

func newApp(ctx context.Context, config magiclink.Config, db database, mailer signin.Mailer) (*app, error) {
	if _, err := db.tables.ExecContext(ctx, createAccounts); err != nil {
		return nil, err
	}
	config.Limits.PerSubject = magiclink.Rate{Burst: 10, Every: time.Minute} // bounds the invitations, too
	flow, err := signin.New(signin.Config{
		Config: config, Mailer: mailer, App: "Example",
		Resolve: db.resolve, Page: httpadapter.PageConfig{OnRedeem: db.signedIn},
	})
	if err != nil {
		return nil, err
	}
	pages := http.NewServeMux()
	service, err := httpadapter.NewService(httpadapter.ServiceConfig{
		Config: config, SignIn: flow, SessionsPath: httpadapter.SessionsPath, Health: true, NotFound: pages,
	})
	if err != nil {
		return nil, err
	}
	a := &app{service, flow, db}
	signedIn := httpadapter.RequireSession(service.Sessions(), httpadapter.RequireOptions{SignIn: signin.RequestPath})
	pages.Handle("GET /{$}", signedIn(http.HandlerFunc(a.home)))
	pages.Handle("POST /invitations", signedIn(http.HandlerFunc(a.invite)))
	return a, nil
}

func (a *app) home(w http.ResponseWriter, r *http.Request) { show(w, r, http.StatusOK, "") }

func (a *app) invite(w http.ResponseWriter, r *http.Request) {
	session, _ := httpadapter.SessionFromRequest(r)
	email := strings.ToLower(strings.TrimSpace(r.PostFormValue("email")))
	_, err := a.flow.Invite(r.Context(), linkFor(email), signin.Invitation{By: session.Email})
	if err == nil { // with an account the person can ask for another link when this one has expired
		err = a.db.save(r.Context(), email, session.Email, false)
	}
	status, notice := http.StatusOK, "An invitation is on its way to "+email+"."
	if err != nil {
		log.Print("invitation: ", err)
		status, notice = http.StatusUnprocessableEntity, "Nobody was invited. Check the address, or try again later."
	}
	show(w, r, status, notice)
}

//go:embed home.html
var home string
var page = template.Must(template.New("home").Parse(home))

func show(w http.ResponseWriter, r *http.Request, status int, notice string) {
	session, _ := httpadapter.SessionFromRequest(r)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = page.Execute(w, map[string]string{"Email": session.Email, "Notice": notice})
}
