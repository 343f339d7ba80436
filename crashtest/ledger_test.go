package crashtest_test

import (
	"fmt"
	"slices"

	"github.com/magiclink-go/magiclink"
)

// ledger is what the children have acknowledged and refused.
type ledger struct {
	links  map[string]*account
	faults []string // acknowledgements that contradict each other

	created, consumed, revoked, refused, unknown int
}

// account is what is known of one link.
type account struct {
	created  bool
	expires  int64
	email    string
	consumed int64 // when it was, if that was acknowledged
	revoked  bool

	mayBe     bool            // a creation whose outcome is unknown
	notMails  map[string]bool // of creations that were refused
	notTimes  map[int64]bool  // of consumptions that were refused
	notBefore map[int64]bool  // of revocations that were refused
}

func newLedger() *ledger { return &ledger{links: map[string]*account{}} }

func (l *ledger) account(id string) *account {
	a := l.links[id]
	if a == nil {
		a = &account{notMails: map[string]bool{}, notTimes: map[int64]bool{}, notBefore: map[int64]bool{}}
		l.links[id] = a
	}
	return a
}

func (l *ledger) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// enter books an event.
func (l *ledger) enter(e event) {
	switch e.Outcome {
	case "":
		return
	case "ok":
	case "unknown":
		l.unknown++
	default:
		l.refused++
	}
	switch e.Op {
	case "create":
		l.enterCreation(e)
	case "consume":
		l.enterConsumption(e)
	case "revoke":
		l.enterRevocation(e)
	}
}

func (l *ledger) enterCreation(e event) {
	a := l.account(e.ID)
	switch e.Outcome {
	case "ok":
		l.created++
		if a.created {
			l.fault("created twice: %s", e.ID)
		}
		a.created, a.expires, a.email = true, e.Expires, e.Email
	case "unknown":
		a.mayBe = true
	default:
		a.notMails[e.Email] = true
	}
}

func (l *ledger) enterConsumption(e event) {
	a := l.account(e.ID)
	switch e.Outcome {
	case "ok":
		l.consumed++
		if a.consumed != 0 {
			l.fault("redeemed twice: %s", e.ID)
		}
		a.consumed = e.At
	case "unknown":
	default:
		a.notTimes[e.At] = true
	}
}

func (l *ledger) enterRevocation(e event) {
	a := l.account(e.ID)
	switch e.Outcome {
	case "ok":
		l.revoked++
		a.revoked = true
	case "unknown":
	default:
		a.notBefore[e.At] = true
	}
}

// check returns everything in which the records disagree with the ledger. Of each child one call in each caller may have
// taken place without having been reported.
func (l *ledger) check(records map[string]magiclink.Record, children int) []string {
	faults := slices.Clone(l.faults)
	for id, a := range l.links {
		if record, found := records[id]; found {
			faults = append(faults, a.check(id, &record)...)
		} else if a.created && a.expires != old {
			faults = append(faults, "lost: link "+id)
		}
	}
	surplus := 0
	for id := range records {
		if a := l.links[id]; a == nil || !a.created && !a.mayBe {
			surplus++
		}
	}
	if surplus > children*callers {
		faults = append(faults, fmt.Sprintf("%d links took place that nobody was told of", surplus))
	}
	return faults
}

func (a *account) check(id string, record *magiclink.Record) (faults []string) {
	consumed := int64(0)
	if !record.ConsumedAt.IsZero() {
		consumed = record.ConsumedAt.UnixMilli()
	}
	if a.created && (record.Email != a.email || record.ExpiresAt.UnixMilli() != a.expires) {
		faults = append(faults, "changed: link "+id)
	}
	if a.consumed != 0 && consumed != a.consumed {
		faults = append(faults, "lost: redemption of "+id)
	}
	if a.revoked && record.RevokedAt.IsZero() {
		faults = append(faults, "lost: revocation of "+id)
	}
	if !a.created && a.notMails[record.Email] && !a.mayBe || a.created && record.Email != a.email {
		faults = append(faults, "refused, but it took place: creation of "+id)
	}
	if consumed != 0 && a.notTimes[consumed] {
		faults = append(faults, "refused, but it took place: redemption of "+id)
	}
	if !record.RevokedAt.IsZero() && a.notBefore[record.RevokedAt.UnixMilli()] {
		faults = append(faults, "refused, but it took place: revocation of "+id)
	}
	return faults
}
