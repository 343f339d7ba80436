package httpadapter

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// LinksPath is the usual path of [LinksHandler].
const LinksPath = "/v0/auth/magic-links"

// LinksConfig configures a [LinksHandler].
type LinksConfig struct {
	Issuer        *magiclink.Issuer // knows the links. Required
	Authenticator Authenticator     // finds out who calls. Required

	// Path is where the handler is mounted, as the handler sees it: it begins with "/" and does not end with one. Empty means
	// LinksPath.
	Path string

	MaxBody int64         // the greatest body in bytes; zero means 64 KiB
	Timeout time.Duration // how long the store may take: see Timeouts in the package documentation; zero means 5 s
	Realm   string        // the realm of WWW-Authenticate, visible ASCII without quotes; empty means "magiclink"
	Logger  *slog.Logger  // takes the causes of 503 answers; nil means slog.Default
}

// LinksHandler shows the links that were issued and revokes them, for authenticated programs:
//
//	GET  <Path>               a page of links, newest first (scope auth:read)
//	GET  <Path>/{id}          one link (auth:read)
//	POST <Path>/{id}/revoke   ends a link, and the session that came from it (auth:revoke)
//	POST <Path>/revoke        ends all links and sessions of a subject (auth:revoke)
//
// Mount it at Path and at everything below. It is safe for concurrent use. The zero value answers 503.
//
// No answer holds a link or a token that was issued earlier. A caller sees and ends what belongs to its tenant, and with a
// BusinessID what belongs to that business; everything else looks as if it were not there. A store that cannot list or revoke by
// subject, see [magiclink.Lister] and [magiclink.SubjectRevoker], makes these two routes answer 501.
//
// # Parameters of a list
//
// business_id, external_business_id and email select what was recorded with these values when the link was issued; all that are
// given must match. No [magiclink.BusinessDirectory] is asked, so what belongs to a business that the directory has forgotten can
// be seen and ended, too. An address matches whatever the case of its domain. state is "live", "used", "revoked" or "expired"; "used"
// includes a link whose session lasts. limit is 1 to 200, and 50 where it is not given. cursor is the next_cursor of the page before.
//
// A parameter that is given twice, is empty or breaks its rule is answered with 422. Others are ignored. A cursor holds
// the id after which the page begins and grants nothing: a page with a foreign or forged cursor has links of the caller alone.
//
// An address in a query gets into the access logs of proxies in front of the service. Filter by a business where that matters.
//
// # Revoking a subject
//
// The body is {"email": …, "business_id": …, "external_business_id": …} with at least one of them, and all that are given must match.
// A null and any other member are answered with 422, because a misspelt name would end more than was meant. The answer is {"data":
// {"revoked": n}}, the number of links that were not revoked before. Links that are issued at the same time may survive: see
// [magiclink.SubjectRevoker]. After a 503 some may be revoked; repeat the request.
type LinksHandler struct {
	issuer *magiclink.Issuer
	path   string
	gate
}

// NewLinksHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewLinksHandler(config LinksConfig) (*LinksHandler, error) {
	var found faults
	checkGate(&found, config.Issuer, config.Authenticator)
	path := mountPath(&found, config.Path, LinksPath)
	shared := newEndpoint(&found, config.MaxBody, config.Timeout, config.Realm, config.Logger)
	if err := found.err(); err != nil {
		return nil, err
	}
	return &LinksHandler{issuer: config.Issuer, path: path, gate: gate{config.Authenticator, shared}}, nil
}

// mountPath returns the path of a handler that has several routes.
func mountPath(found *faults, path, usual string) string {
	if path == "" {
		return usual
	}
	if !strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
		found.add("Path", `must begin with "/" and not end with one, such as "`+usual+`"`)
	}
	return path
}

// ServeHTTP implements [http.Handler]. The checks run in the order of the contract: credentials, scope, size, form, fields, whether
// there is such a link.
func (h *LinksHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h == nil || h.authenticator == nil {
		uninitialized(w, r, "LinksHandler")
		return
	}
	below, found := strings.CutPrefix(r.URL.Path, h.path)
	id, action, acts := strings.Cut(strings.TrimPrefix(below, "/"), "/")
	switch {
	case found && below == "":
		h.show(w, r, func() *problem { return h.list(w, r) })
	case found && below == "/revoke":
		h.serve(w, r, func() *problem { return h.revokeSubject(w, r) })
	case found && below[0] == '/' && id != "" && !acts:
		h.show(w, r, func() *problem { return h.showLink(w, r, id) })
	case found && below[0] == '/' && id != "" && action == "revoke":
		h.serve(w, r, func() *problem { return h.revoke(w, r, id) })
	default:
		nothingHere(w, r)
	}
}

func (h *LinksHandler) list(w http.ResponseWriter, r *http.Request) *problem {
	principal, fault := h.admit(r, ScopeRead)
	if fault != nil {
		return fault
	}
	query, fault := readListQuery(r.URL.RawQuery, true)
	if fault != nil {
		return fault
	}
	ctx, cancel := h.begin(r, principal)
	defer cancel()
	links, err := h.issuer.List(ctx, principal.caller(), query.andOneMore())
	if err != nil {
		return undone(err, "link")
	}
	links, next := query.page(links)
	shown := make([]linkData, len(links))
	for n, link := range links {
		shown[n] = dataOfLink(link)
	}
	writeJSON(w, http.StatusOK, success{Data: linkListData{MagicLinks: shown, NextCursor: next}})
	return nil
}

func (h *LinksHandler) showLink(w http.ResponseWriter, r *http.Request, id string) *problem {
	principal, fault := h.admit(r, ScopeRead)
	if fault != nil {
		return fault
	}
	ctx, cancel := h.begin(r, principal)
	defer cancel()
	link, err := h.issuer.Get(ctx, principal.caller(), id)
	if err != nil {
		return undone(err, "link")
	}
	writeJSON(w, http.StatusOK, success{Data: dataOfLink(link)})
	return nil
}
