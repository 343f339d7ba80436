package httpadapter

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

// gate lets requests of programs in that have authenticated and have a scope.
type gate struct {
	authenticator Authenticator
	endpoint
}

// checkGate checks what every handler for programs needs.
func checkGate(found *faults, issuer *magiclink.Issuer, authenticator Authenticator) {
	if issuer == nil {
		found.add("Issuer", "is required: make one with magiclink.New")
	}
	if authenticator == nil {
		found.add("Authenticator", "is required: NewBearerAuthenticator makes one for access tokens")
	} else if nilvalue.Is(authenticator) {
		found.add("Authenticator", "is a nil pointer in an interface: NewBearerAuthenticator makes one for access tokens")
	}
}

// admit returns who calls. A caller without exactly this scope is refused.
func (g *gate) admit(r *http.Request, scope string) (Principal, *problem) {
	principal, err := g.authenticate(r)
	if err != nil {
		return Principal{}, g.unauthorized(err)
	}
	if !principal.may(scope) {
		return Principal{}, &problem{
			status: http.StatusForbidden, code: "the access token lacks the scope " + scope,
			challenge: g.bearer(`error="insufficient_scope", scope="` + scope + `"`),
		}
	}
	return principal, nil
}

// admitSubject is admit for a request whose body names a subject.
func (g *gate) admitSubject(w http.ResponseWriter, r *http.Request, scope string) (Principal, magiclink.Subject, *problem) {
	principal, fault := g.admit(r, scope)
	if fault != nil {
		return Principal{}, magiclink.Subject{}, fault
	}
	body, unreadable := readBody(w, r, g.maxBody, mediaJSON, readAll)
	if unreadable != nil {
		return Principal{}, magiclink.Subject{}, malformed(unreadable)
	}
	subject, fault := readSubject(body)
	return principal, subject, fault
}

// authenticate bounds the time of an Authenticator that asks another system.
func (g *gate) authenticate(r *http.Request) (Principal, error) {
	if local, ok := g.authenticator.(*BearerAuthenticator); ok { // it asks nobody
		return local.Authenticate(r)
	}
	ctx, cancel := g.deadline(r)
	defer cancel()
	return g.authenticator.Authenticate(r.WithContext(ctx))
}

func (g *gate) unauthorized(err error) *problem {
	switch {
	case errors.Is(err, ErrNoCredentials):
		return &problem{
			status: http.StatusUnauthorized, code: "an access token is needed: send it as Authorization: Bearer",
			challenge: g.bearer(""),
		}
	case errors.Is(err, ErrInvalidCredentials):
		return &problem{
			status: http.StatusUnauthorized, code: "the access token is not valid",
			challenge: g.bearer(`error="invalid_token"`),
		}
	}
	return unavailable(err)
}

// begin is deadline for the work that a program asks for. The events of this work name the program.
func (g *gate) begin(r *http.Request, principal Principal) (context.Context, context.CancelFunc) {
	ctx, cancel := g.deadline(r)
	if principal.ClientID != "" {
		ctx = magiclink.WithActor(ctx, "client:"+principal.ClientID)
	}
	return ctx, cancel
}

// asSession returns a context whose events name the session.
func asSession(ctx context.Context, session magiclink.Session) context.Context {
	return magiclink.WithActor(ctx, "session:"+session.ID)
}

// invalidFields is the answer to an input with fields that break their rules.
func invalidFields(fields magiclink.FieldErrors) *problem {
	return &problem{
		status: http.StatusUnprocessableEntity, code: strings.TrimPrefix(fields.Error(), "magiclink: "),
		data: fieldData{Fields: fields},
	}
}

// undone is the answer to an error of listing, looking up and ending. A [*magiclink.CallerError] is a fault of the server or of
// its configuration, so it is answered like an outage.
func undone(err error, what string) *problem {
	switch {
	case errors.Is(err, magiclink.ErrNotFound):
		return notThere(what)
	case errors.Is(err, magiclink.ErrUnsupported):
		return &problem{status: http.StatusNotImplemented, code: "the store of this server cannot do this"}
	}
	return unavailable(err)
}

// notThere is the answer for what is unknown, malformed, over, or somebody else's.
func notThere(what string) *problem {
	return &problem{status: http.StatusNotFound, code: "there is no such " + what}
}
