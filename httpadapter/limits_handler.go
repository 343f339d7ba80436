package httpadapter

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/magiclink-go/magiclink"
)

// LimitsPath is the usual path of [LimitsHandler].
const LimitsPath = "/v0/auth/limits"

// LimitsConfig configures a [LimitsHandler].
type LimitsConfig struct {
	Issuer        *magiclink.Issuer // has the limits. Required
	Authenticator Authenticator     // finds out who calls. Required

	// Path is where the handler is mounted, as the handler sees it: it begins with "/" and does not end with one. Empty means
	// LimitsPath.
	Path string

	MaxBody int64         // the greatest body in bytes; zero means 64 KiB
	Timeout time.Duration // how long store and directory may take: see Timeouts in the package documentation; zero means 5 s
	Realm   string        // the realm of WWW-Authenticate, visible ASCII without quotes; empty means "magiclink"
	Logger  *slog.Logger  // takes the causes of 503 answers; nil means slog.Default
}

// LimitsHandler shows what the limits of the Issuer have left, see [magiclink.Limits], and resets them, for authenticated programs:
//
//	GET  <Path>         the limits on which a link would count; takes nothing (scope auth:read)
//	POST <Path>/reset   makes the limit of an address or of a business as new (auth:revoke)
//
// Mount it at both paths. It is safe for concurrent use. The zero value answers 503.
//
// Both name a subject: an email, or a business by business_id, by external_business_id, or by both; an email beside a business is answered with 422. GET takes parameters
// under the rules of [LinksHandler], and without any shows the limit of the tenant. POST takes a JSON object with at least one of these members and no other, and answers
// {"data":{"reset":1}}. The limit of a tenant bounds the tenant, so its programs cannot reset it.
//
// A caller with a BusinessID sees and resets the limit of links without an address for that business alone. The other limits, and those of a business that
// the tenant does not have, are answered with 404, all alike. Limits that are not configured are left out. A store that is no [magiclink.LimitPeeker] or
// no [magiclink.Limiter] makes its route answer 501.
type LimitsHandler struct {
	issuer *magiclink.Issuer
	path   string
	gate
}

// NewLimitsHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewLimitsHandler(config LimitsConfig) (*LimitsHandler, error) {
	var found faults
	checkGate(&found, config.Issuer, config.Authenticator)
	path := mountPath(&found, config.Path, LimitsPath)
	shared := newEndpoint(&found, config.MaxBody, config.Timeout, config.Realm, config.Logger)
	if err := found.err(); err != nil {
		return nil, err
	}
	return &LimitsHandler{issuer: config.Issuer, path: path, gate: gate{config.Authenticator, shared}}, nil
}

// ServeHTTP implements [http.Handler]. The checks run in the order of those of [LinksHandler].
func (h *LimitsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h == nil || h.authenticator == nil {
		uninitialized(w, r, "LimitsHandler")
		return
	}
	switch r.URL.Path {
	case h.path:
		h.show(w, r, func() *problem { return h.showLimits(w, r) })
	case h.path + "/reset":
		h.serve(w, r, func() *problem { return h.reset(w, r) })
	default:
		nothingHere(w, r)
	}
}

func (h *LimitsHandler) showLimits(w http.ResponseWriter, r *http.Request) *problem {
	principal, fault := h.admit(r, ScopeRead)
	if fault != nil {
		return fault
	}
	subject, fault := readLimitQuery(r.URL.RawQuery)
	if fault != nil {
		return fault
	}
	ctx, cancel := h.begin(r, principal)
	defer cancel()
	states, err := h.issuer.Limits(ctx, principal.caller(), subject)
	if err != nil {
		return undone(err, "limit")
	}
	shown := make([]limitData, len(states))
	for n, state := range states {
		shown[n] = dataOfLimit(state)
	}
	writeJSON(w, http.StatusOK, success{Data: limitListData{Limits: shown}})
	return nil
}

func (h *LimitsHandler) reset(w http.ResponseWriter, r *http.Request) *problem {
	principal, subject, fault := h.admitSubject(w, r, ScopeRevoke)
	if fault == nil {
		fault = checkOneLimit(subject)
	}
	if fault != nil {
		return fault
	}
	ctx, cancel := h.begin(r, principal)
	defer cancel()
	if err := h.issuer.ResetLimit(ctx, principal.caller(), subject); err != nil {
		return undone(err, "limit")
	}
	writeJSON(w, http.StatusOK, success{Data: resetCountData{Reset: 1}})
	return nil
}
