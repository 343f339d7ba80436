package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

const (
	limitTimeout = 5 * time.Second        // for the store
	limitDrain   = 250 * time.Millisecond // for a body that nobody reads
)

// redeemLimit bounds how often one client address tries to redeem links. Looking at the page is free.
type redeemLimit struct {
	rate    magiclink.Rate
	limiter magiclink.Limiter
	page    *httpadapter.Page
	logger  *slog.Logger
	next    http.Handler
}

// ServeHTTP implements [http.Handler].
func (l *redeemLimit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != httpadapter.RedeemPath && !l.page.Matches(r) {
		l.next.ServeHTTP(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), limitTimeout)
	defer cancel()
	wait, err := l.limiter.Take(ctx, redeemKey(connectedFrom(r)), l.rate, now())
	switch {
	case err != nil:
		l.logger.ErrorContext(ctx, "answered 503: the redemptions of a client could not be counted", "error", err)
		l.refuse(w, r, http.StatusServiceUnavailable, 2*time.Second, "temporarily unavailable, try again later")
	case wait > 0:
		l.refuse(w, r, http.StatusTooManyRequests, wait, "too many attempts from this address, try again later")
	default:
		l.next.ServeHTTP(w, r)
	}
}

// refuse answers a program as JSON, and a person with a page.
func (l *redeemLimit) refuse(w http.ResponseWriter, r *http.Request, status int, wait time.Duration, reason string) {
	if r.URL.Path != httpadapter.RedeemPath {
		l.page.TryLater(w, r, status, wait)
		return
	}
	if r.ContentLength != 0 { // net/http reads the rest of the body before it sends the answer
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(limitDrain)) // net/http's writer has one
	}
	w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	writeJSON(w, status, `{"error":"`+reason+`","data":null}`)
}

// redeemKey is the key of a client in the Limiter: a digest, so that the store keeps no address.
func redeemKey(client netip.Addr) string {
	sum := sha256.Sum256([]byte("magiclink redeem\x00" + network(client)))
	return "redeem:client:" + base64.RawURLEncoding.EncodeToString(sum[:18])
}
