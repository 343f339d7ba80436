package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

func roundTripAllFields(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	wantStored(t, s, want, "Get returns every field that Create was given")
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
		wantStored(t, s, want, "every valid UTF-8 text comes back byte for byte")
	}
}

func roundTripExtension(t tester, s magiclink.Store) {
	var everyByte strings.Builder
	for b := range 256 {
		everyByte.WriteByte(byte(b))
	}
	for i, extension := range []string{
		"", "\x00", "\xff", " \x00nul inside and at the end\x00",
		"\xc3\x28 is invalid UTF-8, and so is \xed\xa0\x80\xf4\x90\x80\x80",
		" leading and trailing \n", "NULL", `\x00\\'"`, strings.Repeat("\xff", 1024), strings.Repeat(everyByte.String(), 4),
	} {
		rule := fmt.Sprintf("Extension is at most 1 KiB of any bytes and comes back byte for byte, here %d bytes", len(extension))
		want := liveRecord(i)
		want.Extension = extension
		mustCreate(t, s, want)
		wantStored(t, s, want, rule)
		wantStored(t, s, mustConsume(t, s, want, now(), firstBy), rule)
	}
}

// events returns the record of a link that was consumed and then revoked.
func events(number int) magiclink.Record {
	r := liveRecord(number)
	r = consumed(r, r.CreatedAt.Add(7*time.Millisecond), firstBy)
	return revoked(r, r.CreatedAt.Add(11*time.Millisecond))
}

func roundTripEvents(t tester, s magiclink.Store) {
	const rule = "Create stores ConsumedAt, ConsumedBy and RevokedAt too, as they are"
	both := events(1)
	onlyConsumed, onlyRevoked := events(2), events(3)
	onlyConsumed.RevokedAt = time.Time{}
	onlyRevoked.ConsumedAt, onlyRevoked.ConsumedBy = time.Time{}, ""
	for _, want := range []magiclink.Record{both, onlyConsumed, onlyRevoked} {
		mustCreate(t, s, want)
		wantStored(t, s, want, rule)
	}
}

func roundTripLocation(t tester, s magiclink.Store) {
	want := events(1)
	given := want
	for _, field := range []*time.Time{&given.CreatedAt, &given.ExpiresAt, &given.ConsumedAt, &given.RevokedAt} {
		*field = field.In(elsewhere)
	}
	mustCreate(t, s, given)
	wantStored(t, s, want, "a time given in another location comes back as the same moment in UTC")

	live := liveRecord(2)
	mustCreate(t, s, live)
	live = consumed(live, now(), firstBy)
	got, err := s.Consume(t.Context(), live.ID, live.ConsumedAt.In(elsewhere), firstBy)
	if err != nil {
		t.Fatalf("the location of a time does not matter: Consume must succeed; got %v", err)
	}
	wantRecord(t, got, live, "Consume returns its times in UTC, whatever the location of the time that it was given")
}

var elsewhere = time.FixedZone("elsewhere", 5*60*60+30*60)

func roundTripFiner(t tester, s magiclink.Store) {
	want := events(1)
	given := want
	given.CreatedAt = given.CreatedAt.Add(999_999 * time.Nanosecond)
	given.ExpiresAt = given.ExpiresAt.Add(500_000 * time.Nanosecond)
	given.ConsumedAt = given.ConsumedAt.Add(999_999 * time.Nanosecond)
	given.RevokedAt = given.RevokedAt.Add(1 * time.Nanosecond)
	given.SessionTimeout += 999 * time.Millisecond
	mustCreate(t, s, given)
	wantStored(t, s, want, "times are truncated to the millisecond and SessionTimeout to the second; nothing is rounded up")
}
