package httpadapter

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// endpoint is what the handlers of POST routes share.
type endpoint struct {
	maxBody int64
	timeout time.Duration
	realm   string
	logger  *slog.Logger

	complete func(*problem) // adds what answers of this endpoint have; may be nil
}

func newEndpoint(faults *magiclink.ConfigErrors, maxBody int64, timeout time.Duration, realm string, logger *slog.Logger) endpoint {
	if maxBody < 0 {
		faults.Add("MaxBody", "must not be negative")
	}
	if timeout < 0 {
		faults.Add("Timeout", "must not be negative")
	}
	if strings.ContainsFunc(realm, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
		faults.Add("Realm", "must be visible ASCII without quotes and backslashes")
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

// deadline bounds the work that follows. It is taken when the request has been read: a slow client is no outage.
func (e *endpoint) deadline(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), e.timeout)
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

// serve answers a POST by calling answer, and every other method with 405. A panic is answered like an outage; its value is
// not logged, since nobody knows what is in it.
func (e *endpoint) serve(w http.ResponseWriter, r *http.Request, answer func() *problem) {
	if r.Method != http.MethodPost {
		e.refuse(w, r, &problem{status: http.StatusMethodNotAllowed, code: "use POST", allow: http.MethodPost})
		return
	}
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
