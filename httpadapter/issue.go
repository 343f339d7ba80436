package httpadapter

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

// IssuePath is where the specification has the route that issues links.
const IssuePath = "/v0/auth/magic-link"

// IssueConfig configures an [IssueHandler].
type IssueConfig struct {
	Issuer        *magiclink.Issuer // issues the links. Required
	Authenticator Authenticator     // finds out who calls. Required

	MaxBody int64         // the greatest body in bytes; zero means 64 KiB
	Timeout time.Duration // how long the store and the directory may take: see Timeouts in the package documentation; zero means 5 s
	Realm   string        // the realm of WWW-Authenticate, visible ASCII without quotes; empty means "magiclink"
	Logger  *slog.Logger  // takes the causes of 503 answers; nil means slog.Default
}

// IssueHandler answers the specification's POST /v0/auth/magic-link, at whatever path it is mounted. Nothing of a body is
// read before the caller is authenticated. It is safe for concurrent use. The zero value answers 503.
type IssueHandler struct {
	issuer        *magiclink.Issuer
	authenticator Authenticator
	endpoint
}

// NewIssueHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewIssueHandler(config IssueConfig) (*IssueHandler, error) {
	var found faults
	if config.Issuer == nil {
		found.add("Issuer", "is required: make one with magiclink.New")
	}
	if config.Authenticator == nil {
		found.add("Authenticator", "is required: NewBearerAuthenticator makes one for access tokens")
	} else if nilvalue.Is(config.Authenticator) {
		found.add("Authenticator", "is a nil pointer in an interface: NewBearerAuthenticator makes one for access tokens")
	}
	shared := newEndpoint(&found, config.MaxBody, config.Timeout, config.Realm, config.Logger)
	if err := found.err(); err != nil {
		return nil, err
	}
	return &IssueHandler{issuer: config.Issuer, authenticator: config.Authenticator, endpoint: shared}, nil
}

// ServeHTTP implements [http.Handler]. The checks run in the order of the contract: credentials, scope, size, form,
// fields, business.
func (h *IssueHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h == nil || h.authenticator == nil {
		uninitialized(w, r, "IssueHandler")
		return
	}
	h.serve(w, r, func() *problem {
		link, fault := h.issue(w, r)
		if fault == nil {
			writeLink(w, link)
		}
		return fault
	})
}

func (h *IssueHandler) issue(w http.ResponseWriter, r *http.Request) (link magiclink.MagicLinkResponse, _ *problem) {
	principal, err := h.authenticate(r)
	if err != nil {
		return link, h.unauthorized(err)
	}
	if !principal.may(ScopeCreate) {
		return link, &problem{
			status: http.StatusForbidden, code: "the access token lacks the scope " + ScopeCreate,
			challenge: h.bearer(`error="insufficient_scope", scope="` + ScopeCreate + `"`),
		}
	}
	body, unreadable := readBody(w, r, h.maxBody, mediaJSON, readAll)
	if unreadable != nil {
		return link, malformed(unreadable)
	}
	ctx, cancel := h.deadline(r)
	defer cancel()
	link, err = h.issuer.IssueJSON(ctx, principal.caller(), body)
	if err != nil {
		return link, notIssued(err)
	}
	return link, nil
}

// authenticate bounds the time of an Authenticator that asks another system.
func (h *IssueHandler) authenticate(r *http.Request) (Principal, error) {
	if local, ok := h.authenticator.(*BearerAuthenticator); ok { // it asks nobody
		return local.Authenticate(r)
	}
	ctx, cancel := h.deadline(r)
	defer cancel()
	return h.authenticator.Authenticate(r.WithContext(ctx))
}

func (h *IssueHandler) unauthorized(err error) *problem {
	switch {
	case errors.Is(err, ErrNoCredentials):
		return &problem{
			status: http.StatusUnauthorized, code: "an access token is needed: send it as Authorization: Bearer",
			challenge: h.bearer(""),
		}
	case errors.Is(err, ErrInvalidCredentials):
		return &problem{
			status: http.StatusUnauthorized, code: "the access token is not valid",
			challenge: h.bearer(`error="invalid_token"`),
		}
	}
	return unavailable(err)
}

// notIssued is the answer to an error of Issuer.IssueJSON. A [*magiclink.CallerError] is a fault of the server or of its
// configuration, so it is answered like an outage.
func notIssued(err error) *problem {
	if fields, ok := errors.AsType[magiclink.FieldErrors](err); ok {
		return &problem{
			status: http.StatusUnprocessableEntity, code: strings.TrimPrefix(fields.Error(), "magiclink: "),
			data: fieldData{Fields: fields},
		}
	}
	if syntax, ok := errors.AsType[*magiclink.SyntaxError](err); ok {
		return malformed(unprocessable("the body " + syntax.Reason))
	}
	switch {
	case errors.Is(err, magiclink.ErrBusinessForbidden):
		return &problem{status: http.StatusForbidden, code: "the access token is for another business"}
	case errors.Is(err, magiclink.ErrBusinessNotFound):
		return &problem{status: http.StatusNotFound, code: "there is no such business"}
	}
	return unavailable(err)
}
