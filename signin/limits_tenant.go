package signin

import (
	"context"
	"sync"
	"time"

	"github.com/magiclink-go/magiclink"
)

const (
	reserve       = 5              // a fifth of the mails of a tenant are for networks that ask little
	longestDivide = 24 * time.Hour // a rate with a longer period is not divided
)

// littleAsked is how often a network asks little, counted while the tenant has no other mails left.
var littleAsked = magiclink.Rate{Burst: 10, Every: time.Minute}

// divide divides the mails of a tenant into those for everybody and those for networks that ask little. Together they are the whole rate. Each part has
// a key of its own.
func divide(rate magiclink.Rate) (everybody, little magiclink.Rate, divided bool) {
	few := rate.Burst / reserve
	if few == 0 || rate.Every > longestDivide {
		return rate, magiclink.Rate{}, false
	}
	everybody = magiclink.Rate{Burst: rate.Burst - few, Every: rate.Every * reserve / (reserve - 1)}
	return everybody, magiclink.Rate{Burst: few, Every: rate.Every * reserve}, true
}

// limitedTenant takes a mail of the tenant, and returns why not. A flood that has used up the mails for everybody leaves some for the others.
func (f *Flow) limitedTenant(ctx context.Context, asked request, tenant string) (magiclink.Reason, error) {
	everybody, little, divided := divide(f.config.Limits.PerTenant)
	reason, err := f.limited(ctx, asked, "tenant", everybody, tenant)
	if reason == magiclink.ReasonLimited && divided {
		reason, err = f.limited(ctx, asked, "little", littleAsked, tenant, asked.network)
		if reason == "" {
			reason, err = f.limited(ctx, asked, "reserve", little, tenant)
		}
	}
	if reason == magiclink.ReasonLimited {
		f.warnOfTenant(ctx, tenant)
	}
	return reason, err
}

// warnEvery is the shortest time between two warnings.
const warnEvery = time.Minute

// alarm keeps a warning from filling the log.
type alarm struct {
	mu      sync.Mutex
	last    time.Time
	refused int // since the last warning
}

// count counts a refusal, and returns how many there were since the last warning, or 0 if it is too early for another one.
func (a *alarm) count(now time.Time) (refused int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused++
	if since := now.Sub(a.last); since >= 0 && since < warnEvery { // a clock that was set back silences nothing
		return 0
	}
	refused, a.refused, a.last = a.refused, 0, now
	return refused
}

func (f *Flow) warnOfTenant(ctx context.Context, tenant string) {
	refused := f.alarm.count(f.now())
	if refused == 0 {
		return
	}
	if !magiclink.ValidTenantID(tenant) {
		tenant = ""
	}
	f.logger.WarnContext(ctx, "magiclink: people get no sign-in mail, because the limit of their tenant is used up: if somebody floods the service with "+
		"requests, block the networks that they come from; if people send them, raise Limits.PerTenant (serve: -limit-mails)",
		"tenant", tenant, "refused_since_last_warning", refused)
}
