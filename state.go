package magiclink

import "time"

// State is what has become of a link, seen at one moment. [Record.State] decides it, for every store.
type State string

// The states of a link. Each record is in exactly one of them, except that StateUsed includes StateSession (see
// [State.Includes]).
const (
	StateLive    State = "live"    // can be used
	StateUsed    State = "used"    // was used and not revoked; its session is over, or (as a filter) lasts
	StateSession State = "session" // was used and not revoked, and its session lasts
	StateRevoked State = "revoked" // was revoked, before or after its use, or its session was ended
	StateExpired State = "expired" // has expired, and was neither used nor revoked
)

// State returns the state of the record at the given time, in the order of [Record.Verdict]: StateRevoked, then StateSession
// or StateUsed, then StateExpired, then StateLive. A link expires at the moment ExpiresAt, and a session ends at the moment
// [Record.End]; a Leeway plays no part.
//
// State is about what the record says now: for a time before ConsumedAt or RevokedAt it is the same as for a later one.
// State compares times as they are. A store passes a Canonical record and a time that is truncated to the millisecond.
func (r Record) State(at time.Time) State {
	switch {
	case !r.RevokedAt.IsZero():
		return StateRevoked
	case !r.ConsumedAt.IsZero() && at.Before(r.End()):
		return StateSession
	case !r.ConsumedAt.IsZero():
		return StateUsed
	case !at.Before(r.ExpiresAt):
		return StateExpired
	}
	return StateLive
}

// Includes reports whether a record in the other state belongs to this one: they are the same, or this one is StateUsed and
// the other StateSession. The empty State includes every other.
func (s State) Includes(other State) bool {
	return s == "" || s == other || s == StateUsed && other == StateSession
}

func (s State) known() bool {
	switch s {
	case "", StateLive, StateUsed, StateSession, StateRevoked, StateExpired:
		return true
	}
	return false
}
