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

// serve answers a POST by calling answer, and every other method with 405. A panic is answered like an outage; its value is
// not logged, since nobody knows what is in it.
func (e *endpoint) serve(w http.ResponseWriter, r *http.Request, answer func() *problem) {
	if r.Method != http.MethodPost {
		fault := &problem{status: http.StatusMethodNotAllowed, code: "use POST", allow: http.MethodPost}
		fault.write(w, r, e.logger)
		return
	}
	defer func() {
		switch recover() {
		case nil:
		case http.ErrAbortHandler: //nolint:errorlint // net/http compares it in the same way
			panic(http.ErrAbortHandler)
		default:
			unavailable(errPanic).write(w, r, e.logger)
		}
	}()
	if fault := answer(); fault != nil {
		fault.write(w, r, e.logger)
	}
}
