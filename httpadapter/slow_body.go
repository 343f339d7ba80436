package httpadapter

import (
	"net/http"
	"time"
)

// bodyTime is how long the body of a caller who is not known yet may take to arrive. Such a body is small, and a caller who
// sends it slowly keeps a connection that others need.
const bodyTime = 5 * time.Second

// readSoon is readAll for a body that must come within bodyTime. A server whose ReadTimeout is shorter stays stricter.
//
// After a body that came too late net/http closes the connection, since it cannot find the next request. When a body has come,
// net/http itself takes the deadline away, so nothing that follows on the connection meets the deadline.
func readSoon(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, *bodyFault) {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	stricter := ok && server.ReadTimeout > 0 && server.ReadTimeout <= bodyTime
	if r.ContentLength != 0 && !stricter {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // a writer without one waits for nobody
	}
	return readAll(w, r, limit)
}
