package storetest

import (
	"fmt"
	"time"

	"github.com/magiclink-go/magiclink"
)

func consumeOnce(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	want.ConsumedAt = now()
	got := mustConsume(t, s, want.ID, want.ConsumedAt)
	wantRecord(t, got, want, "Consume returns the record as it is afterwards, with ConsumedAt set to the time it was given")
	wantStored(t, s, want, "what Consume has acknowledged is there for the next Get")

	got, err := s.Consume(t.Context(), want.ID, want.ConsumedAt.Add(time.Second))
	wantRefusal(t, got, err, magiclink.ErrConsumed, "a link is consumed once: the second Consume returns ErrConsumed")
	wantStored(t, s, want, "a second Consume keeps the time of the first")
}

func consumeNotFound(t tester, s magiclink.Store) {
	mustCreate(t, s, liveRecord(1))
	got, err := s.Consume(t.Context(), liveRecord(2).ID, now())
	wantRefusal(t, got, err, magiclink.ErrNotFound, "Consume of an unknown id")
	wantAbsent(t, s, liveRecord(2).ID, "a refused Consume creates nothing")
}

// condition is one of the eight ways in which a link may be dead or alive.
type condition struct{ revoked, consumed, expired bool }

func (c condition) String() string {
	return fmt.Sprintf("verdicts are reached in the order revoked, consumed, expired; here revoked=%t consumed=%t expired=%t",
		c.revoked, c.consumed, c.expired)
}

func (c condition) verdict() error {
	switch {
	case c.revoked:
		return magiclink.ErrRevoked
	case c.consumed:
		return magiclink.ErrConsumed
	case c.expired:
		return magiclink.ErrExpired
	default:
		return nil
	}
}

// askAbout consumes the record at a time that makes it expired or not, and checks the verdict.
func (c condition) askAbout(t tester, s magiclink.Store, r magiclink.Record) {
	t.Helper()
	at := now()
	if c.expired {
		at = r.ExpiresAt.Add(time.Minute)
	}
	got, err := s.Consume(t.Context(), r.ID, at)
	want := c.verdict()
	if want == nil {
		if err != nil {
			t.Errorf("%s: Consume must succeed; got %v", c, err)
		}
		return
	}
	wantRefusal(t, got, err, want, c.String())
	wantStored(t, s, r, "a refused Consume changes nothing")
}

func conditions() []condition {
	var all []condition
	for i := range 8 {
		all = append(all, condition{revoked: i&4 != 0, consumed: i&2 != 0, expired: i&1 != 0})
	}
	return all
}

func consumeVerdictOrder(t tester, s magiclink.Store) {
	for i, c := range conditions() {
		r := liveRecord(i)
		mustCreate(t, s, r)
		if c.consumed {
			r.ConsumedAt = now()
			mustConsume(t, s, r.ID, r.ConsumedAt)
		}
		if c.revoked {
			r.RevokedAt = now()
			mustRevoke(t, s, r.ID, r.RevokedAt)
		}
		c.askAbout(t, s, r)
	}
}

func consumeVerdictOrderAsCreated(t tester, s magiclink.Store) {
	for i, c := range conditions() {
		r := liveRecord(i)
		if c.consumed {
			r.ConsumedAt = r.CreatedAt.Add(time.Millisecond)
		}
		if c.revoked {
			r.RevokedAt = r.CreatedAt.Add(time.Millisecond)
		}
		mustCreate(t, s, r)
		c.askAbout(t, s, r)
	}
}

func consumeExpiryBoundary(t tester, s magiclink.Store) {
	const rule = "ExpiresAt is the first moment at which the link is dead, to the millisecond"
	for i, late := range []time.Duration{0, time.Millisecond, time.Second, 24 * time.Hour} {
		r := liveRecord(i)
		mustCreate(t, s, r)
		got, err := s.Consume(t.Context(), r.ID, r.ExpiresAt.Add(late))
		wantRefusal(t, got, err, magiclink.ErrExpired, fmt.Sprintf("%s: asked %v after it", rule, late))
	}
	r := liveRecord(10)
	mustCreate(t, s, r)
	if _, err := s.Consume(t.Context(), r.ID, r.ExpiresAt.Add(-time.Millisecond)); err != nil {
		t.Errorf("%s: asked one millisecond before it, Consume must succeed; got %v", rule, err)
	}
}

func consumeFiner(t tester, s magiclink.Store) {
	const rule = "times are compared after they were cut to the millisecond"
	const fraction = 999_999 * time.Nanosecond
	r := liveRecord(1)
	r.ExpiresAt = r.ExpiresAt.Add(fraction)
	mustCreate(t, s, r)
	got, err := s.Consume(t.Context(), r.ID, r.ExpiresAt.Add(-fraction))
	wantRefusal(t, got, err, magiclink.ErrExpired, rule+": within the millisecond of ExpiresAt the link is dead")

	want := liveRecord(2)
	mustCreate(t, s, want)
	want.ConsumedAt = want.ExpiresAt.Add(-time.Millisecond)
	got, err = s.Consume(t.Context(), want.ID, want.ConsumedAt.Add(fraction))
	if err != nil {
		t.Fatalf("%s: within the millisecond before ExpiresAt Consume must succeed; got %v", rule, err)
	}
	wantRecord(t, got, want, "Consume cuts the time it was given to the millisecond")
}

func consumeCallersClock(t tester, s magiclink.Store) {
	const rule = "time comes from the caller, never from the engine's clock"
	want := liveRecord(1)
	mustCreate(t, s, want)
	want.ConsumedAt = now().Add(-72*time.Hour - 5*time.Millisecond)
	got := mustConsume(t, s, want.ID, want.ConsumedAt)
	wantRecord(t, got, want, rule)
	wantStored(t, s, want, rule)
}

func consumeRefusalChangesNothing(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	got, err := s.Consume(t.Context(), want.ID, want.ExpiresAt)
	wantRefusal(t, got, err, magiclink.ErrExpired, "Consume at ExpiresAt")
	wantStored(t, s, want, "a Consume that was refused as too late changes nothing")
	if _, err := s.Consume(t.Context(), want.ID, now()); err != nil {
		t.Errorf("a refused Consume must not use up the link: asked about an earlier time it succeeds; got %v", err)
	}
}
