package main

import (
	"cmp"
	"crypto/rand"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

//go:embed landing.html
var landingHTML string

var landingTemplate = template.Must(template.New("landing").Parse(landingHTML))

const nothingHere = `{"error":"there is nothing at this path: see /openapi.yaml","data":null}`

// landing answers every GET for which there is no other route. It says who is signed in, so that the redirection after a
// redemption arrives somewhere.
type landing struct {
	flags  *serveFlags
	config *liveConfig
	note   string // where mails are in development; else empty
	show   http.Handler
}

// sessions gives the landing page the sessions of the service that it belongs to.
func (l *landing) sessions(sessions *magiclink.Sessions, logger *slog.Logger) {
	optional := httpadapter.RequireSession(sessions, httpadapter.RequireOptions{Optional: true, Logger: logger})
	l.show = optional(http.HandlerFunc(l.answer))
}

// ServeHTTP implements [http.Handler].
func (l *landing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		writeJSON(w, http.StatusNotFound, nothingHere)
		return
	}
	l.show.ServeHTTP(w, r)
}

// landingData is what the landing page shows.
type landingData struct {
	Nonce      string
	App        string
	NewLinkURL string
	SignedIn   bool
	Session    magiclink.Session
	Path       string
	ShowIDs    bool
	SignIn     string // where to ask for a link, or empty
	Sessions   string // where the person's own sessions are
	Note       string
}

func (l *landing) answer(w http.ResponseWriter, r *http.Request) {
	session, signedIn := httpadapter.SessionFromRequest(r)
	data := landingData{
		Nonce: rand.Text(), App: cmp.Or(l.flags.appName, l.host()), NewLinkURL: l.flags.newLinkURL,
		SignedIn: signedIn, Session: session, Path: r.URL.Path, ShowIDs: l.flags.showIDs, Sessions: httpadapter.SessionsPath,
	}
	if l.config.signIn() != nil {
		data.SignIn, data.Note = signInFrom(r.URL.EscapedPath()), l.note
	}
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

// signInFrom is the request page, which leads back to the path. The query stays away, since it may hold a credential.
func signInFrom(path string) string {
	if path == "/" {
		return signin.RequestPath
	}
	return signin.RequestPath + "?" + url.Values{"next": {path}}.Encode()
}

func (l *landing) host() string {
	u, err := url.Parse(l.flags.address.baseURL)
	if err != nil {
		return "magiclink"
	}
	return u.Host
}

// writeJSON writes an answer in the envelope of the API.
func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body + "\n")) // a client that has gone needs no answer
}
