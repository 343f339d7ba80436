package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	foreignInterval = time.Second // between two looks into the store
	foreignPatience = time.Second // for one look
	foreignSilence  = time.Minute // after a warning
)

// foreignKeys warns where another process issues links into the same store by a key that this process does not have: each refuses the
// links of the other. It cannot tell who has the wrong keys. A token that somebody has made up names no link of the store.
type foreignKeys struct {
	store  magiclink.Store
	logger *slog.Logger

	mu   sync.Mutex
	next time.Time // when it looks again
}

// look warns if the token, which names an unknown key, is one of a live link in the store.
func (f *foreignKeys) look(ctx context.Context, kid, token string) {
	var claims struct {
		ID string `json:"jti"`
	}
	if !readPart(token, 1, &claims) || !magiclink.ValidMagicLinkID(claims.ID) || !f.turn(foreignInterval) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, foreignPatience)
	defer cancel()
	record, err := f.store.Get(ctx, claims.ID)
	if err != nil || record.State(now()) != magiclink.StateLive {
		return
	}
	f.mu.Lock()
	f.next = time.Now().Add(foreignSilence)
	f.mu.Unlock()
	f.logger.WarnContext(ctx, "refused a live link of this store, since its key is not in the key file of this process: "+
		"give all replicas the same -keys; \"magiclink keys list\" shows the keys of a file", "kid", plain(kid), "link", claims.ID)
}

// turn reports whether it is time to look again, and takes the turn.
func (f *foreignKeys) turn(pause time.Duration) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Now().Before(f.next) {
		return false
	}
	f.next = time.Now().Add(pause)
	return true
}
