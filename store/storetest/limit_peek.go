package storetest

import (
	"strings"

	"github.com/magiclink-go/magiclink"
)

// peeker returns the LimitPeeker of a Limiter, and skips the case where there is none.
func peeker(t tester, s magiclink.Store) magiclink.LimitPeeker {
	p, ok := magiclink.StoreAs[magiclink.LimitPeeker](s)
	if !ok {
		t.Skipf("the store is no LimitPeeker")
	}
	return p
}

func wantArrival(t tester, p magiclink.LimitPeeker, key string, want int64, rule string) {
	t.Helper()
	got, err := p.Peek(t.Context(), key)
	if err != nil || got != want {
		t.Errorf("%s: Peek of %q must return %d; got %d, %v", rule, key, want, got, err)
	}
}

func limitPeek(t tester, s magiclink.Store, l magiclink.Limiter) {
	p := peeker(t, s)
	const rule = "Peek returns what the last granted Take has left, and takes nothing"
	at := now()
	wantArrival(t, p, "key", 0, "an unknown key has the number 0")
	arrival := int64(0)
	for range 8 { // of which three are refused
		arrival, _ = fiveAMinute.Take(arrival, at)
		mustTake(t, l, "key", fiveAMinute, at)
		wantArrival(t, p, "key", arrival, rule)
	}
	wantArrival(t, p, "KEY", 0, "each key has its own number")
	binary := "a\x00\xff'"
	mustTake(t, l, binary, fiveAMinute, at)
	wantArrival(t, p, binary, at.UnixMilli()+fiveAMinute.Every.Milliseconds(), "keys are opaque bytes")
	for range 20 {
		wantArrival(t, p, "key", arrival, rule)
	}
	wantGranted(t, l, "key", at.Add(2*fiveAMinute.Every), 2, rule)
	if err := l.Reset(t.Context(), "key"); err != nil {
		t.Fatalf("Reset must succeed; got %v", err)
	}
	wantArrival(t, p, "key", 0, "a key that was reset has the number 0")
}

func limitPeekRefusals(t tester, s magiclink.Store, _ magiclink.Limiter) {
	p := peeker(t, s)
	for _, key := range []string{"", strings.Repeat("k", magiclink.MaxLimitKey+1)} {
		if got, err := p.Peek(t.Context(), key); err == nil {
			t.Errorf("Peek refuses a key of %d bytes; got %d", len(key), got)
		}
	}
	for _, e := range endedContexts(t) {
		_, err := p.Peek(e.ctx, "key")
		e.wantEnded(t, "Peek", err)
	}
}
