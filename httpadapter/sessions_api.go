package httpadapter

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// SessionsAPIPath is the usual path of [SessionsHandler].
const SessionsAPIPath = "/v0/auth/sessions"

// SessionsConfig configures a [SessionsHandler].
type SessionsConfig struct {
	Issuer        *magiclink.Issuer   // knows the links that sessions came from. Required
	Sessions      *magiclink.Sessions // ends the sessions. Required
	Authenticator Authenticator       // finds out who calls. Required

	// Path is where the handler is mounted, as the handler sees it: it begins with "/" and does not end with one. Empty means
	// SessionsAPIPath.
	Path string

	Timeout time.Duration    // how long the store may take: see Timeouts in the package documentation; zero means 5 s
	Realm   string           // the realm of WWW-Authenticate, visible ASCII without quotes; empty means "magiclink"
	Now     func() time.Time // the clock, the same as the Issuer's; nil means time.Now
	Logger  *slog.Logger     // takes the causes of 503 answers; nil means slog.Default
}

// SessionsHandler shows the sessions that last and ends them, for authenticated programs:
//
//	GET  <Path>               a page of sessions, the session of the newest link first (scope auth:read)
//	POST <Path>/{id}/revoke   ends a session for every copy of its token (auth:revoke)
//
// Mount it at Path and at everything below. It is safe for concurrent use. The zero value answers 503.
//
// The parameters of the list are those of [LinksHandler], less state. A page may have fewer sessions than its limit, or none, and a next_cursor all
// the same: the last page is the one whose next_cursor is null. A caller sees and ends what [LinksHandler] would let it see
// and end.
//
// A session that is over, and the id of a link that nobody has used, are answered with 404. Ending a session again is
// answered like the first time, until the store has forgotten the link.
//
// Where [magiclink.Config.SessionRecheck] is set, other Sessions values than that of the configuration may accept an ended
// session for that much longer.
type SessionsHandler struct {
	issuer   *magiclink.Issuer
	sessions *magiclink.Sessions
	path     string
	now      func() time.Time
	gate
}

// NewSessionsHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewSessionsHandler(config SessionsConfig) (*SessionsHandler, error) {
	var found faults
	checkGate(&found, config.Issuer, config.Authenticator)
	checkVerifies(&found, config.Sessions)
	path := mountPath(&found, config.Path, SessionsAPIPath)
	shared := newEndpoint(&found, 0, config.Timeout, config.Realm, config.Logger)
	if err := found.err(); err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &SessionsHandler{
		issuer: config.Issuer, sessions: config.Sessions, path: path, now: config.Now, gate: gate{config.Authenticator, shared},
	}, nil
}

// ServeHTTP implements [http.Handler]. The checks run in the order of those of [LinksHandler].
func (h *SessionsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h == nil || h.authenticator == nil {
		uninitialized(w, r, "SessionsHandler")
		return
	}
	below, found := strings.CutPrefix(r.URL.Path, h.path)
	id, action, _ := strings.Cut(strings.TrimPrefix(below, "/"), "/")
	switch {
	case found && below == "":
		h.show(w, r, func() *problem { return h.list(w, r) })
	case found && below[0] == '/' && id != "" && action == "revoke":
		h.serve(w, r, func() *problem { return h.revoke(w, r, id) })
	default:
		nothingHere(w, r)
	}
}

func (h *SessionsHandler) list(w http.ResponseWriter, r *http.Request) *problem {
	principal, fault := h.admit(r, ScopeRead)
	if fault != nil {
		return fault
	}
	query, fault := readListQuery(r.URL.RawQuery, false)
	if fault != nil {
		return fault
	}
	query.State, query.At = magiclink.StateSession, h.now()
	ctx, cancel := h.begin(r, principal)
	defer cancel()
	links, err := h.issuer.List(ctx, principal.caller(), query.andOneMore())
	if err != nil {
		return undone(err, "session")
	}
	links, next := query.page(links)
	shown := make([]listedSession, 0, len(links))
	for _, link := range links {
		if session, used := link.Session(); used && query.At.Before(session.ExpiresAt) {
			shown = append(shown, dataOfSession(session))
		}
	}
	writeJSON(w, http.StatusOK, success{Data: sessionListData{Sessions: shown, NextCursor: next}})
	return nil
}

func (h *SessionsHandler) revoke(w http.ResponseWriter, r *http.Request, id string) *problem {
	principal, fault := h.admit(r, ScopeRevoke)
	if fault != nil {
		return fault
	}
	ctx, cancel := h.begin(r, principal)
	defer cancel()
	session, err := h.find(ctx, principal.caller(), id)
	if err == nil {
		err = h.sessions.End(ctx, session)
	}
	if err != nil {
		return undone(err, "session")
	}
	writeJSON(w, http.StatusOK, success{Data: revokedSessionData{SessionID: id, State: magiclink.StateRevoked}})
	return nil
}

// find returns the session that the caller may end: one that lasts, or one that was ended before.
func (h *SessionsHandler) find(ctx context.Context, caller magiclink.Caller, id string) (magiclink.Session, error) {
	digits, ok := strings.CutPrefix(id, "ses_")
	if !ok {
		return magiclink.Session{}, magiclink.ErrNotFound
	}
	link, err := h.issuer.Get(ctx, caller, "mlk_"+digits)
	if err != nil {
		return magiclink.Session{}, err
	}
	session, used := link.Session()
	if !used || link.RevokedAt.IsZero() && !h.now().Before(session.ExpiresAt) {
		return magiclink.Session{}, magiclink.ErrNotFound
	}
	return session, nil
}
