package httpadapter

import (
	"context"
	"crypto/subtle"
	"net/http"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/webform"
)

// endEverywhere is the value of the button that ends all sessions. The value of each other button is the id of a session.
const endEverywhere = "everywhere"

// maxSessionsForm is the greatest body of the posted form in bytes: a token and an id.
const maxSessionsForm = 4 << 10

// sessionsForm is what the page posts.
type sessionsForm struct{ end, token string }

// readForm reports false for a form that our page would not have posted.
func (p *SessionsPage) readForm(w http.ResponseWriter, r *http.Request) (form sessionsForm, complete bool) {
	values, fault := p.readPosted(w, r, maxSessionsForm)
	if fault != nil {
		return sessionsForm{}, false
	}
	form = sessionsForm{end: values.Get("end"), token: values.Get("form")}
	return form, len(values["end"]) == 1 && len(values["form"]) == 1 && form.end != ""
}

// isMadeFor reports whether the form was made for the browser with this secret, and for its session.
func (f sessionsForm) isMadeFor(secret string, current magiclink.Session) bool {
	return subtle.ConstantTimeCompare([]byte(sessionsToken(secret, current)), []byte(f.token)) == 1
}

// sessionsToken is to this page what formToken is to the redemption page. It is bound to the session, too: a form in another tab
// that was shown to the person who was signed in before ends nothing of the next person.
func sessionsToken(secret string, current magiclink.Session) string {
	return webform.Digest("magiclink sessions form", secret, current.ID)
}

// end answers a click. The click is carried out also when the browser goes: a second click makes it forget the first, and would
// come without a session when the first has ended that one alone.
func (p *SessionsPage) end(w http.ResponseWriter, r *http.Request) {
	form, complete := p.readForm(w, r)
	if !sameOrigin(r, p.route.origin) {
		p.show(w, r, http.StatusForbidden, sessionsData{State: sessionsRefused})
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), p.timeout)
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
	secret, found := p.route.cookies.FormSecret(r)
	if !complete || !found || !form.isMadeFor(secret, current) {
		p.show(w, r, http.StatusForbidden, sessionsData{State: sessionsRefused})
		return
	}
	leaves, err := p.carryOut(asSession(ctx, current), current, form.end)
	switch {
	case err != nil:
		p.unavailable(w, r, err)
	case leaves:
		ClearSessionCookie(w, p.config.Sessions)
		forget(p.config.Binding, w, r, current)
		w.Header().Set("Clear-Site-Data", `"cache"`)
		p.redirect(w, p.config.Destination)
	default:
		p.redirect(w, p.address())
	}
}

// carryOut ends what the button says. It reports whether the current session is among that.
func (p *SessionsPage) carryOut(ctx context.Context, current magiclink.Session, end string) (leaves bool, err error) {
	if end == endEverywhere && isPerson(current.Subject) {
		if _, err := p.config.Sessions.EndAll(ctx, current.Subject); err != nil {
			return false, err
		}
	}
	if end == endEverywhere || end == current.ID {
		return true, p.config.Sessions.End(ctx, current) // again, if EndAll has done it: its cookie goes in any case
	}
	own, err := p.own(ctx, current)
	if err != nil {
		return false, err
	}
	for _, session := range own {
		if session.ID == end {
			return false, p.config.Sessions.End(ctx, session)
		}
	}
	return false, nil // over already, or never theirs
}
