package httpadapter

import (
	"context"
	"net/http"
	"net/url"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/webpage"
)

// SessionsPath is the usual path of [SessionsPage].
const SessionsPath = "/sessions"

// SessionsPage shows a signed-in person their own sessions: on which device each is, such as "Firefox on Windows", when it began and when it
// ends, and which is that of this browser.
// A button ends one of them, and another ends all: it also revokes the links that the person has not used yet. The page looks
// like [Page], has no scripts, and is in the same languages.
//
// GET and HEAD change nothing. The session is that of the cookie [SessionCookie]; bearer tokens count for nothing here. A person
// sees the sessions of exactly the same [magiclink.Subject] and ends each of them alone, or all by [magiclink.Sessions.EndAll].
// A session whose subject has no Email, or no business, sees and ends itself alone. An id that is unknown, foreign, or that of a
// session which is over already is answered like that of a session which was ended: by 303 to the page. So a click may come
// twice, and from a page that is out of date.
//
// The form works only in the browser and in the session that it was shown to: it carries a token that is bound to a cookie and
// to the session, and a request from a page of another origin is refused. After the session of this browser has ended, the
// cookie is removed and the answer is that of [LogoutHandler]. When the store fails, the answer is 503 and the cookie stays.
// A click is carried out even if the browser does not wait for the answer.
//
// Make one with [NewSessionsPage]; the zero value answers 503. It is safe for concurrent use.
type SessionsPage struct {
	config SessionsPageConfig
	look   webpage.Look
	route  pageRoute
	signIn *url.URL // nil: none
	endpoint
}

// NewSessionsPage reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewSessionsPage(config SessionsPageConfig) (*SessionsPage, error) {
	var found faults
	checkVerifies(&found, config.Sessions)
	config.fillIn()
	config.check(&found)
	p := &SessionsPage{
		config: config, route: newPageRoute(config.Sessions.BaseURL()),
		endpoint: newEndpoint(&found, 0, config.Timeout, "", config.Logger),
	}
	p.look = newLook(&found, p.route, webpage.LookConfig{
		App: config.App, Logo: config.Logo, Language: config.Language,
		Colors: webpage.Colors(config.Colors), DarkColors: webpage.Colors(config.DarkColors),
	})
	if err := found.err(); err != nil {
		return nil, err
	}
	if config.SignIn != "" {
		p.signIn, _ = url.Parse(config.SignIn) // isLinkTarget has parsed it
	}
	return p, nil
}

// ServeHTTP implements [http.Handler].
func (p *SessionsPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p == nil || p.config.Sessions == nil {
		uninitialized(w, r, "SessionsPage")
		return
	}
	defer contain(func() { p.unavailable(w, r, errPanic) })
	w.Header().Add("Vary", "Cookie")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		p.list(w, r)
	case http.MethodPost:
		p.end(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		p.show(w, r, http.StatusMethodNotAllowed, sessionsData{State: sessionsRefused})
	}
}

func (p *SessionsPage) list(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := p.deadline(r)
	defer cancel()
	r = r.WithContext(ctx)
	current, err := cookieSession(ctx, p.config.Sessions, r)
	switch {
	case err != nil:
		p.unavailable(w, r, err)
		return
	case current.ID == "":
		p.answerSignedOut(w, r)
		return
	}
	own, err := p.own(ctx, current)
	if err != nil {
		p.unavailable(w, r, err)
		return
	}
	data := p.listed(r, current, own)
	data.FormToken = sessionsToken(p.route.cookies.EnsureFormSecret(w, r), current)
	p.show(w, r, http.StatusOK, data)
}

// own returns what the person of the current session may see and end, the current session first.
func (p *SessionsPage) own(ctx context.Context, current magiclink.Session) ([]magiclink.Session, error) {
	own := []magiclink.Session{current}
	if !isPerson(current.Subject) {
		return own, nil
	}
	listed, err := p.config.Sessions.List(asSession(ctx, current), current.Subject)
	if err != nil {
		return nil, err
	}
	for _, session := range listed {
		if session.Subject == current.Subject && session.ID != current.ID { // List returns more where a field is empty
			own = append(own, session)
		}
	}
	return own, nil
}

// isPerson reports whether the subject is one person at one business. A subject without one of the two stands for others, too.
func isPerson(s magiclink.Subject) bool {
	return s.Email != "" && (s.BusinessID != "" || s.ExternalBusinessID != "")
}
