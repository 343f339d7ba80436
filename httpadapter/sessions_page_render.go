package httpadapter

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/useragent"
	"github.com/magiclink-go/magiclink/internal/webpage"
)

//go:embed sessions_page.html
var sessionsHTML string

var (
	sessionsTemplate = template.Must(webpage.Layout().Parse(sessionsHTML))
	sessionsWords    = webpage.NewWords(wordFiles, "words/sessions")
)

// The pages of a SessionsPage.
const (
	sessionsListed      = "listed"      // 200
	sessionsSignedOut   = "signed-out"  // 401
	sessionsRefused     = "refused"     // 403: no page that this session was shown has posted the form; also 405
	sessionsUnavailable = "unavailable" // 503
)

// maxRows is how many sessions a page shows.
const maxRows = 100

// sessionsData is the data of the template.
type sessionsData struct {
	webpage.Frame
	State   string
	HomeURL string // the path "/" on the origin
	Action  string // the address of the page, to which the form is posted

	// Clicked says, in sessionsUnavailable, that nobody knows whether a click was carried out.
	Clicked bool

	// The rest is for sessionsListed alone.

	FormToken  string
	Account    string // whose sessions these are; may be empty
	Business   string // at which business; may be empty
	Rows       []sessionRow
	Newest     int  // how many are shown, where there are more
	Everywhere bool // whether all sessions can be ended
}

// sessionRow is one session.
type sessionRow struct {
	ID      string
	Current bool
	Begins  moment
	Ends    moment

	// Either Browser and System are known, or the Description, or nothing.

	Browser, System string
	Description     string
}

// moment is a time for people and for programs.
type moment struct{ Text, Machine string }

// Text returns one of the page's texts.
func (d sessionsData) Text(name string) (template.HTML, error) {
	return sessionsWords.Text(d.Language, name, d)
}

// DeviceText names a device with both parts in the language of the page.
func (d sessionsData) DeviceText(row sessionRow) (template.HTML, error) {
	return sessionsWords.Text(d.Language, "device", row)
}

// listed is the data of the list. The current session is the first of the person's own.
func (p *SessionsPage) listed(r *http.Request, current magiclink.Session, own []magiclink.Session) sessionsData {
	data := sessionsData{State: sessionsListed, Account: shown(current.Email), Everywhere: isPerson(current.Subject)}
	if data.Business = shown(current.ExternalBusinessID); data.Business == "" {
		data.Business = shown(current.BusinessID)
	}
	if len(own) > maxRows {
		own, data.Newest = own[:maxRows], maxRows
	}
	for _, session := range own {
		data.Rows = append(data.Rows, p.row(r, current, session))
	}
	return data
}

// row asks the application first, and then what was kept of the device.
func (p *SessionsPage) row(r *http.Request, current, session magiclink.Session) sessionRow {
	row := sessionRow{
		ID: session.ID, Current: session.ID == current.ID, Description: shown(p.config.Describe(r, session)),
		Begins: p.moment(session.CreatedAt), Ends: p.moment(session.ExpiresAt),
	}
	if row.Description != "" {
		return row
	}
	if browser, system, ok := useragent.Split(shown(session.Device)); ok {
		row.Browser, row.System = browser, system
	} else {
		row.Description = browser
	}
	return row
}

// shown is a text as a page may show it.
func shown(text string) string { return webpage.Middle(webpage.Plain(text)) }

// moment writes a time as everybody can read it, whatever the language.
func (p *SessionsPage) moment(t time.Time) moment {
	return moment{Text: t.In(p.config.Location).Format("2006-01-02 15:04 MST"), Machine: t.UTC().Format(time.RFC3339)}
}

func (p *SessionsPage) address() string { return strings.TrimSuffix(p.route.home, "/") + p.config.Path }

// show writes a page.
func (p *SessionsPage) show(w http.ResponseWriter, r *http.Request, status int, data sessionsData) {
	data.HomeURL, data.Action = p.route.home, p.address()
	err := p.look.Show(w, r, status, func(frame webpage.Frame) ([]byte, error) {
		data.Frame = frame
		var page bytes.Buffer
		err := sessionsTemplate.Execute(&page, data)
		return page.Bytes(), err
	})
	if err != nil {
		p.logger.ErrorContext(r.Context(), "magiclink: the page's template failed", "state", data.State)
	}
}

func (p *SessionsPage) redirect(w http.ResponseWriter, address string) {
	p.look.Secure(w.Header(), "")
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusSeeOther)
}

// answerSignedOut answers a request without a session. It never says that a click was carried out: the other sessions last.
func (p *SessionsPage) answerSignedOut(w http.ResponseWriter, r *http.Request) {
	if p.signIn != nil {
		p.redirect(w, withNext(*p.signIn, p.config.Path))
		return
	}
	w.Header().Set("WWW-Authenticate", p.bearer("")) // a 401 must have one (RFC 9110 section 15.5.2)
	p.show(w, r, http.StatusUnauthorized, sessionsData{State: sessionsSignedOut})
}

func (p *SessionsPage) unavailable(w http.ResponseWriter, r *http.Request, cause error) {
	level := slog.LevelError
	if errors.Is(r.Context().Err(), context.Canceled) {
		level = slog.LevelDebug // the client has gone, which is no outage
	}
	p.logger.Log(r.Context(), level, "magiclink: answered 503", "error", cause)
	w.Header().Set("Retry-After", retryAfterSeconds)
	p.show(w, r, http.StatusServiceUnavailable, sessionsData{State: sessionsUnavailable, Clicked: r.Method == http.MethodPost})
}
