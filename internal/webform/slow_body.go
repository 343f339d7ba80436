package webform

import (
	"net/http"
	"time"
)

// bodyTime is how long the body of a caller who is not known yet may take to arrive. Such a body is small, and a caller who
// sends it slowly keeps a connection that others need.
const bodyTime = 5 * time.Second

// ReadSoon is ReadAll for a body that must come within bodyTime. A server whose ReadTimeout is shorter stays stricter.
//
// After a body that came too late net/http closes the connection, since it cannot find the next request. When a body has come,
// the deadline is taken away. net/http does that itself as soon as it has the end of a body, but a middleware may have read that
// body before. From then on net/http reads from the connection only to notice that the client goes: a deadline would end the
// contexts of this request and of all that follow it on the connection.
func ReadSoon(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *Fault) {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	stricter := ok && server.ReadTimeout > 0 && server.ReadTimeout <= bodyTime
	if r.ContentLength == 0 || stricter {
		return ReadAll(w, r, limit)
	}
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(bodyTime)) // a writer without one waits for nobody
	body, fault := ReadAll(w, r, limit)
	if fault == nil {
		_ = connection.SetReadDeadline(time.Time{})
	}
	return body, fault
}
