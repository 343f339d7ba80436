package httpadapter

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/magiclink-go/magiclink"
)

// SessionPath is the usual path of [SessionHandler].
const SessionPath = "/session"

// SessionConfig configures a [SessionHandler].
type SessionConfig struct {
	Sessions *magiclink.Sessions // recognises the sessions; public keys are enough. Required

	Timeout time.Duration // how long the store may take: see Timeouts in the package documentation; zero means 5 s
	Realm   string        // the realm of WWW-Authenticate; empty means "magiclink"
	Logger  *slog.Logger  // takes the causes of 503 answers; nil means slog.Default
}

// SessionHandler answers GET /session with the current session as JSON, and with 401 where there is none. The session is
// found as [RequireSession] finds it. It is safe for concurrent use. The zero value answers 503.
type SessionHandler struct {
	next http.Handler
}

// NewSessionHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewSessionHandler(config SessionConfig) (*SessionHandler, error) {
	var found faults
	checkVerifies(&found, config.Sessions)
	shared := newEndpoint(&found, 0, config.Timeout, config.Realm, config.Logger)
	if err := found.err(); err != nil {
		return nil, err
	}
	g := newGuard(config.Sessions, RequireOptions{})
	g.endpoint = shared
	show := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, http.HandlerFunc(showSession)) })
	return &SessionHandler{next: readOnly(shared.logger, show)}, nil
}

func checkVerifies(found *faults, sessions *magiclink.Sessions) {
	if sessions.BaseURL() == "" {
		found.add("Sessions", "are required: make them with magiclink.NewSessions")
	}
}

// ServeHTTP implements [http.Handler].
func (h *SessionHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h == nil || h.next == nil {
		uninitialized(w, r, "SessionHandler")
		return
	}
	h.next.ServeHTTP(w, r)
}

type sessionData struct {
	BusinessID         *string `json:"business_id"`
	ExternalBusinessID *string `json:"external_business_id"`
	Email              *string `json:"email"`
	MagicLinkID        string  `json:"magic_link_id"`
	ExpiresAt          string  `json:"expires_at"`
}

func showSession(w http.ResponseWriter, r *http.Request) {
	session, _ := SessionFromRequest(r) // the guard has put it there
	writeJSON(w, http.StatusOK, success{Data: sessionData{
		BusinessID: orNull(session.BusinessID), ExternalBusinessID: orNull(session.ExternalBusinessID),
		Email: orNull(session.Email), MagicLinkID: session.MagicLinkID,
		ExpiresAt: session.ExpiresAt.Format(time.RFC3339),
	}})
}
