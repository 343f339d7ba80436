package httpadapter

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

const (
	defaultTimeout = 5 * time.Second // how long stores and directories may take
	defaultRealm   = "magiclink"     // the realm of challenges
)

// endpoint is what the handlers share.
type endpoint struct {
	maxBody int64
	timeout time.Duration
	realm   string
	logger  *slog.Logger

	complete func(*problem) // adds what answers of this endpoint have; may be nil
}

// newEndpoint checks the common fields of configurations, and fills in the defaults.
func newEndpoint(found *faults, maxBody int64, timeout time.Duration, realm string, logger *slog.Logger) endpoint {
	if maxBody < 0 {
		found.add("MaxBody", "must not be negative")
	}
	if timeout < 0 {
		found.add("Timeout", "must not be negative")
	}
	if strings.ContainsFunc(realm, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
		found.add("Realm", "must be visible ASCII without quotes and backslashes")
	}
	e := endpoint{maxBody: maxBody, timeout: timeout, realm: realm, logger: logger}
	if e.maxBody == 0 {
		e.maxBody = defaultMaxBody
	}
	if e.timeout == 0 {
		e.timeout = defaultTimeout
	}
	if e.realm == "" {
		e.realm = defaultRealm
	}
	if e.logger == nil {
		e.logger = slog.Default()
	}
	return e
}

var errPanic = errors.New("a handler panicked")

// deadline bounds the work that follows. Take it when the request has been read: a slow client is no outage.
func (e *endpoint) deadline(r *http.Request) (context.Context, context.CancelFunc) {
	return withDeadline(r.Context(), time.Now().Add(e.timeout))
}

// contain, deferred, ends a panic by answering instead. net/http's own way to abort an answer stays what it is.
func contain(answer func()) {
	switch recover() {
	case nil:
	case http.ErrAbortHandler:
		panic(http.ErrAbortHandler)
	default:
		answer()
	}
}

// serve answers a POST by calling answer, and every other method with 405. A panic is answered like an outage. The value of
// the panic may hold anything and is not logged.
func (e *endpoint) serve(w http.ResponseWriter, r *http.Request, answer func() *problem) {
	if r.Method != http.MethodPost {
		e.refuse(w, r, &problem{status: http.StatusMethodNotAllowed, code: "use POST", allow: http.MethodPost})
		return
	}
	e.answer(w, r, answer)
}

// show is serve for GET and HEAD.
func (e *endpoint) show(w http.ResponseWriter, r *http.Request, answer func() *problem) {
	readOnly(e.logger, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.answer(w, r, answer) })).ServeHTTP(w, r)
}

// answer calls a function that answers a request, or returns why it did not.
func (e *endpoint) answer(w http.ResponseWriter, r *http.Request, answer func() *problem) {
	defer contain(func() { e.refuse(w, r, unavailable(errPanic)) })
	if fault := answer(); fault != nil {
		e.refuse(w, r, fault)
	}
}

func (e *endpoint) refuse(w http.ResponseWriter, r *http.Request, fault *problem) {
	if e.complete != nil {
		e.complete(fault)
	}
	fault.write(w, r, e.logger)
}

// bearer builds the challenge of RFC 6750 section 3.
func (e *endpoint) bearer(parameters string) string {
	challenge := `Bearer realm="` + e.realm + `"`
	if parameters != "" {
		challenge += ", " + parameters
	}
	return challenge
}

// uninitialized answers for a handler that its constructor has not made.
func uninitialized(w http.ResponseWriter, r *http.Request, handler string) {
	cause := errors.New("magiclink: " + handler + " is not initialized: use New" + handler)
	unavailable(cause).write(w, r, slog.Default())
}
