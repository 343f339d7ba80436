package httpadapter

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/magiclink-go/magiclink"
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
//
// A client that may have to repeat its request sends an Idempotency-Key: 1 to 255 characters of visible ASCII, a new random value for
// each link. Keys of different clients are apart. For the same key with the same body, in the life of the link, the answer is 200 with
// the id of the first link and a null for the link itself: nobody keeps a link. A client that never got the link revokes it by its
// id, and issues another one with another key. The same key with another body is answered with 422.
//
// Beyond the [magiclink.Limits] of the Issuer the answer is 429 with Retry-After.
type IssueHandler struct {
	issuer *magiclink.Issuer
	gate
}

// NewIssueHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewIssueHandler(config IssueConfig) (*IssueHandler, error) {
	var found faults
	checkGate(&found, config.Issuer, config.Authenticator)
	shared := newEndpoint(&found, config.MaxBody, config.Timeout, config.Realm, config.Logger)
	if err := found.err(); err != nil {
		return nil, err
	}
	return &IssueHandler{issuer: config.Issuer, gate: gate{config.Authenticator, shared}}, nil
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
		switch {
		case fault != nil:
			return fault
		case link.Repeated:
			writeJSON(w, http.StatusOK, success{Data: repeatedData{MagicLinkID: link.MagicLinkID}})
		default:
			writeLink(w, link)
		}
		return nil
	})
}

// repeatedData is the answer for a link that an earlier request has issued.
type repeatedData struct {
	MagicLink   *string `json:"magic_link"` // always null
	MagicLinkID string  `json:"magic_link_id"`
}

func (h *IssueHandler) issue(w http.ResponseWriter, r *http.Request) (link magiclink.MagicLinkResponse, _ *problem) {
	principal, fault := h.admit(r, ScopeCreate)
	if fault != nil {
		return link, fault
	}
	body, unreadable := readBody(w, r, h.maxBody, mediaJSON, readAll)
	if unreadable != nil {
		return link, malformed(unreadable)
	}
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return link, malformed(unprocessable(err.Error()))
	}
	if key != "" {
		key = principal.ClientID + "\x00" + key // no key has a NUL, so no two clients share one
	}
	ctx, cancel := h.begin(r, principal)
	defer cancel()
	link, err = h.issuer.IssueJSONOnce(ctx, principal.caller(), key, body)
	if err != nil {
		return link, notIssued(err)
	}
	return link, nil
}

// notIssued is the answer to an error of Issuer.IssueJSON. A [*magiclink.CallerError] is a fault of the server or of its
// configuration, so it is answered like an outage.
func notIssued(err error) *problem {
	if fields, ok := errors.AsType[magiclink.FieldErrors](err); ok {
		return invalidFields(fields)
	}
	if syntax, ok := errors.AsType[*magiclink.SyntaxError](err); ok {
		return malformed(unprocessable("the body " + syntax.Reason))
	}
	if limited, ok := errors.AsType[*magiclink.LimitedError](err); ok {
		return &problem{
			status: http.StatusTooManyRequests, code: "too many links were issued: try again later", retryAfter: limited.RetryAfter,
		}
	}
	switch {
	case errors.Is(err, magiclink.ErrIdempotencyMismatch):
		return malformed(unprocessable("the Idempotency-Key was used before, with another body"))
	case errors.Is(err, magiclink.ErrBusinessForbidden):
		return &problem{status: http.StatusForbidden, code: "the access token is for another business"}
	case errors.Is(err, magiclink.ErrBusinessNotFound):
		return &problem{status: http.StatusNotFound, code: "there is no such business"}
	}
	return unavailable(err)
}
