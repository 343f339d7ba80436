package httpadapter

import (
	"errors"
	"net/http"

	"github.com/magiclink-go/magiclink"
)

// session returns the session of the browser's cookie, or a zero Session where there is none.
func (p *Page) session(r *http.Request) (magiclink.Session, error) {
	if p.config.Sessions == nil {
		return magiclink.Session{}, nil
	}
	token, found := p.route.cookies.value(r, SessionCookie)
	if !found {
		return magiclink.Session{}, nil
	}
	session, err := p.config.Sessions.Verify(r.Context(), token)
	if errors.Is(err, magiclink.ErrInvalidToken) {
		return magiclink.Session{}, nil
	}
	return session, err
}

// isSignedInBy reports whether the session of the browser came from this link.
func (p *Page) isSignedInBy(r *http.Request, linkID string) (bool, error) {
	if linkID == "" {
		return false, nil
	}
	if p.config.ActiveLink != nil {
		return p.config.ActiveLink(r) == linkID, nil
	}
	session, err := p.session(r)
	return session.MagicLinkID == linkID, err
}

// activeAccount names the account of the session that the browser has already. When the store fails, the page warns of
// nothing; a click then fails, too.
func (p *Page) activeAccount(r *http.Request) string {
	session, err := p.session(r)
	switch {
	case err != nil:
		return ""
	case session.Email != "":
		return maskEmail(session.Email)
	case session.ExternalBusinessID != "":
		return session.ExternalBusinessID
	}
	return session.BusinessID
}

// replacedSession returns the session of another link that the browser has. A failure counts as none: the person who has
// clicked must not be kept from signing in by it.
func (p *Page) replacedSession(r *http.Request, redeemed magiclink.Redemption) magiclink.Session {
	session, err := p.session(r)
	if err != nil {
		p.logger.ErrorContext(r.Context(), "magiclink: the session that a sign-in replaces could not be looked up", "error", err)
		return magiclink.Session{}
	}
	if session.MagicLinkID == redeemed.MagicLinkID {
		return magiclink.Session{}
	}
	return session
}

// end ends the session that a sign-in has replaced in this browser, for every copy of its token.
func (p *Page) end(r *http.Request, replaced magiclink.Session) {
	if replaced.ID == "" {
		return
	}
	err := p.config.Sessions.End(asSession(r.Context(), replaced), replaced)
	if err != nil && !errors.Is(err, magiclink.ErrNoStore) {
		p.logger.ErrorContext(r.Context(), "magiclink: the session that a sign-in replaces was not ended",
			"session_id", replaced.ID, "error", err)
	}
}
