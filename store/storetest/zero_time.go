package storetest

import (
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

// zeroTimes returns times that mean "not set" once they are truncated to the millisecond.
func zeroTimes() []time.Time {
	return []time.Time{{}, time.Time{}.In(elsewhere), time.Time{}.Add(999_999 * time.Nanosecond)}
}

var outcomes = []error{
	magiclink.ErrExists, magiclink.ErrNotFound, magiclink.ErrRevoked, magiclink.ErrConsumed, magiclink.ErrExpired,
	magiclink.ErrUnknownOutcome,
}

// wantFault fails unless err is an error that matches no outcome.
func wantFault(t tester, err error, rule string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: want an error; got nil", rule)
	}
	for _, outcome := range outcomes {
		if errors.Is(err, outcome) {
			t.Errorf("%s: the error says nothing about the link and must not match %q; got %v", rule, outcome, err)
		}
	}
}

// consumeZeroTime consumes the link afterwards: a store that marks the link as used apart from ConsumedAt would refuse.
func consumeZeroTime(t tester, s magiclink.Store) {
	const rule = "Consume at the zero time is an error and changes nothing"
	want := liveRecord(1)
	mustCreate(t, s, want)
	for _, zero := range zeroTimes() {
		got, err := s.Consume(t.Context(), want.ID, zero, firstBy)
		wantFault(t, err, rule)
		wantNoRecord(t, got, rule)
		wantStored(t, s, want, rule)
	}
	want = mustConsume(t, s, want, now(), otherBy)
	wantStored(t, s, want, rule+": a later Consume with another by succeeds")

	for _, zero := range zeroTimes() {
		got, err := s.Consume(t.Context(), want.ID, zero, otherBy)
		wantFault(t, err, rule+", also with the by that consumed the link")
		wantNoRecord(t, got, rule)
		wantStored(t, s, want, rule)
	}
}

// revokeZeroTime consumes and revokes the link afterwards: a store that marks the link as revoked apart from RevokedAt
// would refuse, or would leave RevokedAt as it is.
func revokeZeroTime(t tester, s magiclink.Store) {
	const rule = "Revoke at the zero time is an error and changes nothing"
	want := liveRecord(1)
	mustCreate(t, s, want)
	for _, zero := range zeroTimes() {
		wantFault(t, s.Revoke(t.Context(), want.ID, zero), rule)
		wantStored(t, s, want, rule)
	}
	want = mustConsume(t, s, want, now(), firstBy)
	want = mustRevoke(t, s, want, now())
	wantStored(t, s, want, rule+": a later Revoke sets RevokedAt")

	for _, zero := range zeroTimes() {
		wantFault(t, s.Revoke(t.Context(), want.ID, zero), rule+", also for a revoked link")
		wantStored(t, s, want, rule)
	}
}
