package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

// endedContext is a context that ended before the call, and the error that the call must match.
type endedContext struct {
	ctx  context.Context //nolint:containedctx // the row of a table
	want error
}

func endedContexts(t tester) []endedContext {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, release := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer release() // the context keeps its error: its deadline came first
	return []endedContext{{cancelled, context.Canceled}, {late, context.DeadlineExceeded}}
}

// wantEnded fails unless err is the error of the context.
func (e endedContext) wantEnded(t tester, method string, err error) {
	t.Helper()
	if !errors.Is(err, e.want) {
		t.Errorf("%s whose context ended before it began must return the context's error %q; got %v", method, e.want, err)
	}
	if errors.Is(err, magiclink.ErrUnknownOutcome) {
		t.Errorf("%s whose context ended before it began has a known outcome: nothing changed; got %v", method, err)
	}
}

func contextCreate(t tester, s magiclink.Store) {
	r := liveRecord(1)
	for _, e := range endedContexts(t) {
		e.wantEnded(t, "Create", s.Create(e.ctx, r))
		wantAbsent(t, s, r.ID, "a Create whose context ended before it began stores nothing")
	}
	mustCreate(t, s, r) // the same call succeeds with a live context
	wantStored(t, s, r, "Create with a live context")
}

func contextGet(t tester, s magiclink.Store) {
	r := liveRecord(1)
	mustCreate(t, s, r)
	for _, e := range endedContexts(t) {
		got, err := s.Get(e.ctx, r.ID)
		e.wantEnded(t, "Get", err)
		wantNoRecord(t, got, "a Get whose context ended before it began")
	}
	wantStored(t, s, r, "Get with a live context")
}

func contextConsume(t tester, s magiclink.Store) {
	r := liveRecord(1)
	mustCreate(t, s, r)
	at := now()
	for _, e := range endedContexts(t) {
		got, err := s.Consume(e.ctx, r.ID, at, firstBy)
		e.wantEnded(t, "Consume", err)
		wantNoRecord(t, got, "a Consume whose context ended before it began")
		wantStored(t, s, r, "a Consume whose context ended before it began changes nothing")
	}
	r = mustConsume(t, s, r, at, otherBy)
	wantStored(t, s, r, "Consume with a live context")
}

func contextRevoke(t tester, s magiclink.Store) {
	r := liveRecord(1)
	mustCreate(t, s, r)
	at := now()
	for _, e := range endedContexts(t) {
		e.wantEnded(t, "Revoke", s.Revoke(e.ctx, r.ID, at))
		wantStored(t, s, r, "a Revoke whose context ended before it began changes nothing")
	}
	r = mustRevoke(t, s, r, at)
	wantStored(t, s, r, "Revoke with a live context")
}

func contextPurge(t tester, s magiclink.Store) {
	r := liveRecord(1)
	mustCreate(t, s, r, expiredRecord(2))
	for _, e := range endedContexts(t) {
		n, err := s.Purge(e.ctx, r.End().Add(time.Hour), everything)
		e.wantEnded(t, "Purge", err)
		if n != 0 {
			t.Errorf("a Purge whose context ended before it began removes nothing; it returned %d", n)
		}
		wantStored(t, s, r, "a Purge whose context ended before it began removes nothing")
	}
	mustPurge(t, s, now(), everything)
	wantAbsent(t, s, expiredRecord(2).ID, "Purge with a live context removes what has expired")
}
