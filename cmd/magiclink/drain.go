package main

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// maxDrain bounds -drain: a supervisor kills a process that takes long to end.
const maxDrain = 10 * time.Minute

var errDraining = errors.New("the process was asked to end: it serves on for the time of -drain")

// drained returns a context that ends -drain after the given one. Until then the server serves everything as before, but tells proxies that it
// ends. A proxy that learned it from the closed listener would lose the requests that it sends at that moment.
func (s *server) drained(ctx context.Context) (context.Context, context.CancelFunc) {
	after, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		defer cancel()
		if s.flags.drain == 0 {
			return
		}
		s.draining.Store(true)
		s.logger.InfoContext(ctx, "draining: /readyz is 503 from now on", "for", s.flags.drain)
		pause(after, s.flags.drain)
	})
	return after, cancel
}

// ready is what /readyz asks besides the keys and the store.
func (s *server) ready(ctx context.Context) error {
	if s.draining.Load() {
		return errDraining
	}
	return s.follower.ready(ctx)
}

// endConnections has each answer end its connection while the server drains, since a proxy may send on a kept connection without asking /readyz.
func (s *server) endConnections(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
