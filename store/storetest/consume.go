package storetest

import (
	"fmt"
	"time"

	"github.com/magiclink-go/magiclink"
)

func consumeOnce(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	want = mustConsume(t, s, want, now(), firstBy)
	wantStored(t, s, want, "after a Consume that succeeded Get returns the ConsumedAt and ConsumedBy of the call")

	got, err := s.Consume(t.Context(), want.ID, want.ConsumedAt.Add(time.Second), otherBy)
	wantRefusal(t, got, err, magiclink.ErrConsumed, "a link is consumed once: a second Consume with another by returns ErrConsumed")
	wantStored(t, s, want, "a second Consume keeps the ConsumedAt and ConsumedBy of the first")
}

func consumeNotFound(t tester, s magiclink.Store) {
	mustCreate(t, s, liveRecord(1))
	got, err := s.Consume(t.Context(), liveRecord(2).ID, now(), firstBy)
	wantRefusal(t, got, err, magiclink.ErrNotFound, "Consume of an unknown id")
	wantAbsent(t, s, liveRecord(2).ID, "a refused Consume creates nothing")
}

// condition is one of the sixteen combinations that decide a verdict. A consumed link was consumed with firstBy.
type condition struct{ revoked, consumed, expired, sameBy bool }

func conditions() []condition {
	var all []condition
	for i := range 16 {
		all = append(all, condition{revoked: i&8 != 0, consumed: i&4 != 0, expired: i&2 != 0, sameBy: i&1 != 0})
	}
	return all
}

func (c condition) String() string {
	return fmt.Sprintf("the order of verdicts is revoked, consumed (unless by the same by), expired; "+
		"here revoked=%t consumed=%t expired=%t same by=%t", c.revoked, c.consumed, c.expired, c.sameBy)
}

func (c condition) verdict() error {
	switch {
	case c.revoked:
		return magiclink.ErrRevoked
	case c.consumed && c.sameBy:
		return nil
	case c.consumed:
		return magiclink.ErrConsumed
	case c.expired:
		return magiclink.ErrExpired
	default:
		return nil
	}
}

// check consumes the stored record at a time before or after its expiry and checks the verdict.
func (c condition) check(t tester, s magiclink.Store, r magiclink.Record) {
	t.Helper()
	at, by := now(), otherBy
	if c.expired {
		at = r.ExpiresAt.Add(time.Minute)
	}
	if c.sameBy {
		by = firstBy
	}
	got, err := s.Consume(t.Context(), r.ID, at, by)
	want := c.verdict()
	switch {
	case want != nil:
		wantRefusal(t, got, err, want, c.String())
		wantStored(t, s, r, "a refused Consume changes nothing")
	case err != nil:
		t.Errorf("%s: Consume must succeed; got %v", c, err)
	case c.consumed:
		wantRecord(t, got, r, "a Consume with the same by returns the record as it is")
	default:
		wantRecord(t, got, consumed(r, at, by), c.String())
	}
}

func consumeVerdictOrder(t tester, s magiclink.Store) {
	for i, c := range conditions() {
		r := liveRecord(i)
		mustCreate(t, s, r)
		if c.consumed {
			r = mustConsume(t, s, r, now(), firstBy)
		}
		if c.revoked {
			r = mustRevoke(t, s, r, now())
		}
		c.check(t, s, r)
	}
}

func consumeVerdictOrderAsCreated(t tester, s magiclink.Store) {
	for i, c := range conditions() {
		r := liveRecord(i)
		if c.consumed {
			r = consumed(r, r.CreatedAt.Add(time.Millisecond), firstBy)
		}
		if c.revoked {
			r = revoked(r, r.CreatedAt.Add(time.Millisecond))
		}
		mustCreate(t, s, r)
		c.check(t, s, r)
	}
}

func consumeExpiryBoundary(t tester, s magiclink.Store) {
	const rule = "ExpiresAt is the first moment at which the link is unusable, to the millisecond"
	for i, late := range []time.Duration{0, time.Millisecond, time.Second, 24 * time.Hour} {
		r := liveRecord(i)
		mustCreate(t, s, r)
		got, err := s.Consume(t.Context(), r.ID, r.ExpiresAt.Add(late), firstBy)
		wantRefusal(t, got, err, magiclink.ErrExpired, fmt.Sprintf("%s: consumed %v after it", rule, late))
	}
	r := liveRecord(10)
	mustCreate(t, s, r)
	if _, err := s.Consume(t.Context(), r.ID, r.ExpiresAt.Add(-time.Millisecond), firstBy); err != nil {
		t.Errorf("%s: one millisecond before it Consume must succeed; got %v", rule, err)
	}
}

func consumeFiner(t tester, s magiclink.Store) {
	const rule = "times are truncated to the millisecond before they are compared"
	const fraction = 999_999 * time.Nanosecond
	r := liveRecord(1)
	r.ExpiresAt = r.ExpiresAt.Add(fraction)
	mustCreate(t, s, r)
	got, err := s.Consume(t.Context(), r.ID, r.ExpiresAt.Add(-fraction), firstBy)
	wantRefusal(t, got, err, magiclink.ErrExpired, rule+": within the millisecond of ExpiresAt the link is unusable")

	want := liveRecord(2)
	mustCreate(t, s, want)
	want = consumed(want, want.ExpiresAt.Add(-time.Millisecond), firstBy)
	got, err = s.Consume(t.Context(), want.ID, want.ConsumedAt.Add(fraction), firstBy)
	if err != nil {
		t.Fatalf("%s: within the millisecond before ExpiresAt Consume must succeed; got %v", rule, err)
	}
	wantRecord(t, got, want, "Consume truncates the time that it was given to the millisecond")
}

// The session of the record still lasts on the real clock, so that no store may have forgotten the record.
func consumeCallersClock(t tester, s magiclink.Store) {
	const rule = "time comes from the caller, never from the engine's clock"
	want := liveRecord(1)
	want.SessionTimeout = 100 * time.Hour
	mustCreate(t, s, want)
	want = mustConsume(t, s, want, now().Add(-72*time.Hour-5*time.Millisecond), firstBy)
	wantStored(t, s, want, rule)
}

func consumeRefusalChangesNothing(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	got, err := s.Consume(t.Context(), want.ID, want.ExpiresAt, firstBy)
	wantRefusal(t, got, err, magiclink.ErrExpired, "Consume at ExpiresAt")
	wantStored(t, s, want, "a Consume that came too late changes nothing")
	if _, err := s.Consume(t.Context(), want.ID, now(), otherBy); err != nil {
		t.Errorf("a Consume that came too late does not use the link: a Consume at an earlier time must succeed; got %v", err)
	}
}
