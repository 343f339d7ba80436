package main

import (
	"crypto/rand"
	_ "embed"
	"html/template"
	"net/http"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

//go:embed landing.html
var landingHTML string

var landingTemplate = template.Must(template.New("landing").Parse(landingHTML))

// landingData is what the landing page shows.
type landingData struct {
	Nonce    string
	SignedIn bool
	Session  magiclink.Session
	Path     string
}

// landing says who is signed in, so that the redirection after a redemption arrives somewhere.
func landing(sessions *magiclink.Sessions) http.Handler {
	show := http.HandlerFunc(showLanding)
	return httpadapter.RequireSession(sessions, show, show)
}

func showLanding(w http.ResponseWriter, r *http.Request) {
	session, signedIn := httpadapter.SessionFromContext(r.Context())
	data := landingData{Nonce: rand.Text(), SignedIn: signedIn, Session: session, Path: r.URL.Path}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Robots-Tag", "noindex, nofollow")
	header.Set("Referrer-Policy", "strict-origin")
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "+
		"style-src 'nonce-"+data.Nonce+"'")
	_ = landingTemplate.Execute(w, data) // a browser that has gone needs no page
}

// logout ends the session in this browser. Another site cannot do that: its requests are refused.
func logout() http.Handler {
	crossSite := http.NewCrossOriginProtection()
	crossSite.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusForbidden, `{"error":"a request of another site","data":null}`)
	}))
	return crossSite.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			writeJSON(w, http.StatusMethodNotAllowed, `{"error":"use POST","data":null}`)
			return
		}
		httpadapter.EndSession(w)
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
}
