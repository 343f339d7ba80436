package storetest

import (
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// wantRepeated fails unless a Consume of the consumed record with its own by succeeds and changes nothing.
func wantRepeated(t tester, s magiclink.Store, want magiclink.Record, at time.Time, rule string) {
	t.Helper()
	got, err := s.Consume(t.Context(), want.ID, at, want.ConsumedBy)
	if err != nil {
		t.Errorf("%s: Consume must succeed; got %v", rule, err)
		return
	}
	wantRecord(t, got, want, rule)
	wantStored(t, s, want, rule)
}

func consumeSameBy(t tester, s magiclink.Store) {
	const rule = "a Consume with the same by succeeds again at any time, changes nothing and returns the record as it is"
	want := liveRecord(1)
	mustCreate(t, s, want)
	want = mustConsume(t, s, want, now(), firstBy)
	for _, at := range []time.Time{
		want.ConsumedAt, want.ConsumedAt.Add(time.Second), want.ConsumedAt.Add(-time.Minute),
		want.ExpiresAt, want.ExpiresAt.Add(24 * time.Hour),
	} {
		wantRepeated(t, s, want, at, rule)
	}
}

func consumeSameByRevoked(t tester, s magiclink.Store) {
	const rule = "a revoked link is unusable for the by that consumed it too"
	want := liveRecord(1)
	mustCreate(t, s, want)
	want = mustConsume(t, s, want, now(), firstBy)
	want = mustRevoke(t, s, want, now())
	for _, at := range []time.Time{want.ConsumedAt, want.ExpiresAt.Add(time.Minute)} {
		got, err := s.Consume(t.Context(), want.ID, at, firstBy)
		wantRefusal(t, got, err, magiclink.ErrRevoked, rule)
		wantStored(t, s, want, rule)
	}
}

func consumeOtherBy(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	want = mustConsume(t, s, want, now(), firstBy)
	for _, by := range []string{
		otherBy, "", firstBy + " ", " " + firstBy, strings.ToUpper(firstBy), firstBy[:len(firstBy)-1], firstBy + "\x00", "%", "*",
	} {
		got, err := s.Consume(t.Context(), want.ID, want.ConsumedAt.Add(time.Second), by)
		wantRefusal(t, got, err, magiclink.ErrConsumed, "by matches as a whole and byte for byte, or not at all")
		wantStored(t, s, want, "a Consume with another by changes nothing")
	}
	wantRepeated(t, s, want, now(), "a Consume with another by leaves the link to the by that consumed it")
}

func consumeEmptyBy(t tester, s magiclink.Store) {
	const rule = "an empty by never succeeds twice: it matches nothing, not even an empty ConsumedBy"
	want, created := liveRecord(1), liveRecord(2)
	created = consumed(created, created.CreatedAt, "")
	mustCreate(t, s, want, created)
	want = mustConsume(t, s, want, now(), "")
	for _, r := range []magiclink.Record{want, created} {
		for _, by := range []string{"", firstBy, ""} {
			got, err := s.Consume(t.Context(), r.ID, r.ConsumedAt, by)
			wantRefusal(t, got, err, magiclink.ErrConsumed, rule)
			wantStored(t, s, r, rule)
		}
	}
}

func consumeKeepsBy(t tester, s magiclink.Store) {
	const rule = "by is at most 128 bytes of UTF-8 and is kept and compared as a whole"
	for i, by := range []struct{ first, other string }{
		{"x", "y"},
		{strings.Repeat("b", 128), strings.Repeat("b", 127) + "c"},
		{strings.Repeat("é", 64), strings.Repeat("é", 63) + "è"},
		{strings.Repeat("🔗", 32), strings.Repeat("🔗", 31) + "🔑"},
		{"é", "e\u0301"},
		{`'; DROP TABLE links; -- "`, `'`},
		{"secret\tFirefox on Windows", "secret\tFirefox on Linux"},
		{"secret\tFirefox on Windows", "secret"},
		{"NULL", "null"},
		{"0", "00"},
	} {
		want := liveRecord(i)
		mustCreate(t, s, want)
		want = mustConsume(t, s, want, now(), by.first)
		wantStored(t, s, want, rule)
		wantRepeated(t, s, want, now(), rule)
		got, err := s.Consume(t.Context(), want.ID, now(), by.other)
		wantRefusal(t, got, err, magiclink.ErrConsumed, rule+": this is another by")
	}
}
