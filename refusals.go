package magiclink

import (
	"errors"
	"strings"
	"sync"
	"time"
)

// Refusal is that a link could not be used.
type Refusal struct {
	Reason Reason    // ReasonConsumed, ReasonExpired, ReasonRevoked or ReasonUnavailable; empty where no refusal is known
	At     time.Time // when, by Config.Now; UTC
}

// refusalGeneration is how many links a generation of Refusals remembers; two generations are kept.
const refusalGeneration = 4096

// Refusals remember of the last 4096 links or more that were refused why and when each was refused last, so that [Issuer.Get] can answer
// "why did the link not work?". Set one value as [Config.Refusals] of the Redeemers that refuse and the Issuer that is asked:
//
//	config.Refusals = new(magiclink.Refusals)
//
// They are kept in the memory of the process, at most about 2 MB, and are lost when it ends; what must be known for longer, and of other processes,
// is in the audit log: see [Audit]. Only links with an authentic token, or in the store, are remembered, so nobody can fill the memory with ids
// that were never issued.
//
// The zero value is ready for use. It is safe for concurrent use, must not be copied, and does no I/O.
type Refusals struct {
	mu       sync.Mutex
	new, old map[string]Refusal // by the id of the link
}

// put remembers why a link was refused. A nil Refusals remembers nothing, and what is no refusal of a known link is passed over. Reason
// ErrInvalidToken has no place here: the link is unknown.
func (r *Refusals) put(id string, at time.Time, err error) {
	if r == nil || err == nil {
		return
	}
	reason := reasonOf(err)
	switch reason {
	case ReasonConsumed, ReasonExpired, ReasonRevoked, ReasonUnavailable:
	default:
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.new[id]; !known && (r.new == nil || len(r.new) >= refusalGeneration) {
		r.new, r.old = make(map[string]Refusal), r.new
	}
	r.new[strings.Clone(id)] = Refusal{Reason: reason, At: at.UTC()} // not the whole token
}

// last returns the last refusal of a link, or the zero Refusal.
func (r *Refusals) last(id string) Refusal {
	if r == nil {
		return Refusal{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.new[id]; ok {
		return found
	}
	return r.old[id]
}

// refusedToLook remembers a refusal of Inspect. A link that was used is no refusal there: its person may open it again, and is sent on.
func (r *Redeemer) refusedToLook(id string, at time.Time, err error) {
	if !errors.Is(err, ErrConsumed) {
		r.settings.Refusals.put(id, at, err)
	}
}
