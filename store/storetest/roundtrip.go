package storetest

import (
	"time"

	"github.com/magiclink-go/magiclink"
)

func roundTripAllFields(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	wantStored(t, s, want, "Get returns every field as Create was given it")
}

func roundTripEmptyFields(t tester, s magiclink.Store) {
	full := liveRecord(1)
	want := magiclink.Record{ID: full.ID, ExpiresAt: full.ExpiresAt}
	mustCreate(t, s, want)
	wantStored(t, s, want, "empty strings, a zero SessionTimeout and zero times come back as such")
}

func roundTripText(t tester, s magiclink.Store) {
	for i, text := range []string{
		"Käsekuchen & Söhne", "日本語テスト", "🔗🧑🏽‍💻", "e\u0301 is not é", `'; DROP TABLE links; -- "`, `back\slash %s {0} $1`,
		" leading and trailing ", "two\nlines\tand\ttabs\r\n", "nul\x00inside", "\u202eright to left", "NULL", "0", "null",
	} {
		want := liveRecord(i)
		want.TenantID, want.ExternalBusinessID, want.Email, want.Path = text, text+"1", text+"2", text+"3"
		mustCreate(t, s, want)
		wantStored(t, s, want, "any valid UTF-8 text comes back byte by byte")
	}
}

func roundTripEvents(t tester, s magiclink.Store) {
	want := liveRecord(1)
	want.ConsumedAt = want.CreatedAt.Add(7 * time.Millisecond)
	want.RevokedAt = want.CreatedAt.Add(11 * time.Millisecond)
	mustCreate(t, s, want)
	wantStored(t, s, want, "Create stores ConsumedAt and RevokedAt too, as they are")
}

func roundTripLocation(t tester, s magiclink.Store) {
	want := liveRecord(1)
	want.ConsumedAt = want.CreatedAt.Add(7 * time.Millisecond)
	want.RevokedAt = want.CreatedAt.Add(11 * time.Millisecond)
	elsewhere := time.FixedZone("elsewhere", 5*60*60+30*60)
	given := want
	for _, field := range []*time.Time{&given.CreatedAt, &given.ExpiresAt, &given.ConsumedAt, &given.RevokedAt} {
		*field = field.In(elsewhere)
	}
	mustCreate(t, s, given)
	wantStored(t, s, want, "a time given in another location comes back as the same moment in UTC")

	live := liveRecord(2)
	mustCreate(t, s, live)
	live.ConsumedAt = now()
	got := mustConsume(t, s, live.ID, live.ConsumedAt.In(elsewhere))
	wantRecord(t, got, live, "Consume returns its times in UTC whatever the location of the time it was given")
}

func roundTripFiner(t tester, s magiclink.Store) {
	want := liveRecord(1)
	want.ConsumedAt = want.CreatedAt.Add(7 * time.Millisecond)
	want.RevokedAt = want.CreatedAt.Add(11 * time.Millisecond)
	given := want
	given.CreatedAt = given.CreatedAt.Add(999_999 * time.Nanosecond)
	given.ExpiresAt = given.ExpiresAt.Add(500_000 * time.Nanosecond)
	given.ConsumedAt = given.ConsumedAt.Add(999_999 * time.Nanosecond)
	given.RevokedAt = given.RevokedAt.Add(1 * time.Nanosecond)
	given.SessionTimeout += 999 * time.Millisecond
	mustCreate(t, s, given)
	wantStored(t, s, want, "what is finer than a millisecond (SessionTimeout: a second) is cut off, not rounded")
}
