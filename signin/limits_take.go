package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/network"
)

// take takes one from what the rate grants the parts of a key, and reports how long to wait otherwise.
func (f *Flow) take(ctx context.Context, kind string, rate magiclink.Rate, parts ...string) (time.Duration, error) {
	return f.takeAt(ctx, f.now(), kind, rate, parts...)
}

func (f *Flow) takeAt(ctx context.Context, at time.Time, kind string, rate magiclink.Rate, parts ...string) (time.Duration, error) {
	return f.limiter.Take(ctx, limitKey(kind, parts...), rate, at)
}

// limitKey makes a key that shows nobody what it stands for.
func limitKey(kind string, parts ...string) string {
	digest := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return "signin:" + kind + ":" + base64.RawURLEncoding.EncodeToString(digest[:18])
}

// takeClient takes one from what the rate grants the client and each of its wider networks. It returns the widest network that one customer has. A
// panic of ClientAddress is an outage.
func (f *Flow) takeClient(ctx context.Context, r *http.Request, kind string, rate magiclink.Rate) (widest string, wait time.Duration, err error) {
	defer contain(func() { widest, wait, err = "", 0, errPanic })
	at, address := f.now(), f.config.ClientAddress(r)
	for _, each := range network.Of(address) {
		wait, err = f.takeAt(ctx, at, kind, times(rate, each.Times), each.Name)
		if err != nil || wait > 0 {
			break
		}
	}
	return network.Wide(address), wait, err
}

// times is n times a rate, within the bounds of a Rate.
func times(rate magiclink.Rate, n int) magiclink.Rate {
	const mostBurst, shortest = 1_000_000, time.Millisecond
	return magiclink.Rate{Burst: min(rate.Burst*n, mostBurst), Every: max(rate.Every/time.Duration(n), shortest)}
}

// limited takes one from a limit, and returns why not. It counts from the time that the waiting page counts from: a request that has waited in the queue
// must not put off the next mail that the page offers.
func (f *Flow) limited(ctx context.Context, asked request, kind string, rate magiclink.Rate, parts ...string) (magiclink.Reason, error) {
	wait, err := f.takeAt(ctx, asked.asked.at, kind, rate, parts...)
	switch {
	case err != nil:
		return magiclink.ReasonUnavailable, fmt.Errorf("count the mail: %w", err)
	case wait > 0:
		return magiclink.ReasonLimited, nil
	}
	return "", nil
}

// mailbox is one name for the addresses that most mail servers deliver to one mailbox. It names a limit, and no mail is ever sent to it: other servers
// may have several mailboxes of these addresses, which then share a limit.
func mailbox(address string) string {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	local, _, _ = strings.Cut(local, "+")
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" { // which ignores the dots: https://support.google.com/mail/answer/7436150
		local = strings.ReplaceAll(local, ".", "")
	}
	return local + "@" + domain
}
