package httpadapter

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// MagicLinkPath is where the spec has the route that issues links.
const MagicLinkPath = "/v0/auth/magic-link"

// defaultTimeout is how long the store and the directory may take.
const defaultTimeout = 5 * time.Second

// defaultRealm is the realm of challenges.
const defaultRealm = "magiclink"

// Config is what a [Handler] is made from.
type Config struct {
	Issuer        *magiclink.Issuer // issues the links. Required
	Authenticator Authenticator     // finds out who calls. Required

	MaxBody int64         // the greatest body in bytes; zero means 64 KiB
	Timeout time.Duration // how long issuing may take before the answer is 503; zero means 5 s
	Realm   string        // the realm of WWW-Authenticate, visible ASCII without quotes; empty means "magiclink"
	Logger  *slog.Logger  // takes the causes of 503 answers; nil means slog.Default
}

// Handler answers the spec's POST /v0/auth/magic-link, at whatever path it is mounted. It is safe for concurrent use.
type Handler struct {
	issuer        *magiclink.Issuer
	authenticator Authenticator
	endpoint
}

// New reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func New(config Config) (*Handler, error) {
	var faults magiclink.ConfigErrors
	if config.Issuer == nil {
		faults.Add("Issuer", "is required: make one with magiclink.New")
	}
	if config.Authenticator == nil {
		faults.Add("Authenticator", "is required: NewBearer makes one for access tokens")
	}
	shared := newEndpoint(&faults, config.MaxBody, config.Timeout, config.Realm, config.Logger)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return &Handler{issuer: config.Issuer, authenticator: config.Authenticator, endpoint: shared}, nil
}

// ServeHTTP implements [http.Handler]. The checks run in the order of the contract: credentials, scope, size, form,
// fields, business.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, func() *problem {
		link, fault := h.issue(w, r)
		if fault == nil {
			writeLink(w, link)
		}
		return fault
	})
}

func (h *Handler) issue(w http.ResponseWriter, r *http.Request) (link magiclink.MagicLinkResponse, _ *problem) {
	caller, err := h.authenticate(r)
	if err != nil {
		return link, h.unauthorized(err)
	}
	if !caller.may(ScopeCreate) {
		return link, &problem{
			status: http.StatusForbidden, code: "the access token lacks the scope " + ScopeCreate,
			challenge: h.bearer(`error="insufficient_scope", scope="` + ScopeCreate + `"`),
		}
	}
	body, unreadable := readBody(w, r, h.maxBody, "application/json")
	if unreadable != nil {
		return link, malformed(unreadable.status, unreadable.reason)
	}
	ctx, cancel := h.deadline(r)
	defer cancel()
	link, err = h.issuer.IssueJSON(ctx, body, caller.TenantID, caller.BusinessID)
	if err != nil {
		return link, h.refused(err)
	}
	return link, nil
}

// authenticate bounds the time of an Authenticator that asks another system.
func (h *Handler) authenticate(r *http.Request) (Principal, error) {
	ctx, cancel := h.deadline(r)
	defer cancel()
	return h.authenticator.Authenticate(r.WithContext(ctx))
}

func (h *Handler) unauthorized(err error) *problem {
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

// bearer builds the challenge of RFC 6750 section 3.
func (h *Handler) bearer(parameters string) string {
	challenge := `Bearer realm="` + h.realm + `"`
	if parameters != "" {
		challenge += ", " + parameters
	}
	return challenge
}

type fieldData struct {
	Fields []magiclink.FieldError `json:"fields"`
}

func malformed(status int, reason string) *problem {
	p := &problem{status: status, code: reason}
	if status == http.StatusUnprocessableEntity {
		p.data = fieldData{Fields: []magiclink.FieldError{}}
	}
	return p
}

// callerFields come first in FieldErrors. They are what the Authenticator says, so a fault in them is not the client's.
var callerFields = map[string]bool{"TenantID": true, "ScopedBusinessID": true}

func (h *Handler) refused(err error) *problem {
	var fields magiclink.FieldErrors
	var syntax *magiclink.SyntaxError
	switch {
	case errors.As(err, &fields) && callerFields[fields[0].Field]:
		return unavailable(err)
	case errors.As(err, &fields):
		return &problem{
			status: http.StatusUnprocessableEntity, code: strings.TrimPrefix(fields.Error(), "magiclink: "),
			data: fieldData{Fields: fields},
		}
	case errors.As(err, &syntax):
		return malformed(http.StatusUnprocessableEntity, "the body "+syntax.Reason)
	case errors.Is(err, magiclink.ErrBusinessForbidden):
		return &problem{status: http.StatusForbidden, code: "the access token is for another business"}
	case errors.Is(err, magiclink.ErrBusinessNotFound):
		return &problem{status: http.StatusNotFound, code: "there is no such business"}
	}
	return unavailable(err)
}
