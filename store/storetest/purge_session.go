package storetest

import (
	"time"

	"github.com/magiclink-go/magiclink"
)

// The cases of this file are about [magiclink.Record.End]: the record of a used link is kept as long as its session lasts.
// A record that Purge must remove has ended on the real clock too, so that the cases suit an engine that removes records
// by its own clock alone.

// session returns the record of a link that was used two hours ago. Its session lasts for the given time. The link itself
// expires an hour from now or, if expired is set, has expired an hour ago.
func session(number int, lasts time.Duration, expired bool) magiclink.Record {
	r := liveRecord(number)
	if expired {
		r = expiredRecord(number)
	}
	r.CreatedAt = now().Add(-3 * time.Hour)
	r.SessionTimeout = lasts
	return consumed(r, now().Add(-2*time.Hour), firstBy)
}

func purgeKeepsSessions(t tester, s magiclink.Store) {
	const rule = "the record of a session is kept until ConsumedAt + SessionTimeout, although ExpiresAt has passed"
	created := session(1, 4*time.Hour, true)
	mustCreate(t, s, created)
	wantKept(t, s, created, now(), rule)
	wantKept(t, s, created, created.End(), rule+" (a record whose End is the given time stays)")

	used := liveRecord(2)
	mustCreate(t, s, used)
	used = mustConsume(t, s, used, now(), firstBy)
	wantKept(t, s, used, used.ExpiresAt.Add(time.Minute), rule+", also if the store itself consumed the link")
	wantKept(t, s, used, used.End().Add(999_999*time.Nanosecond), rule+", to the millisecond")
}

// wantPurged fails unless the record, which has ended on the real clock, is gone after a Purge. The store may have
// forgotten the record before.
func wantPurged(t tester, s magiclink.Store, r magiclink.Record, rule string) {
	t.Helper()
	if n := mustPurge(t, s, now(), everything); n > 1 {
		t.Errorf("%s: one record has ended; Purge returned %d", rule, n)
	}
	wantAbsent(t, s, r.ID, rule)
}

func purgeEndedSessions(t tester, s magiclink.Store) {
	const rule = "Purge removes the record of a used link once its session has ended (ConsumedAt + SessionTimeout)"
	longLink := session(1, time.Hour, false)
	mustCreate(t, s, longLink)
	wantPurged(t, s, longLink, rule+", although the link would not have expired yet")

	longSession := session(2, 90*time.Minute, true)
	mustCreate(t, s, longSession)
	wantPurged(t, s, longSession, rule+", which was after the link's expiry")

	used := liveRecord(3)
	used.SessionTimeout = time.Hour
	mustCreate(t, s, used)
	used = mustConsume(t, s, used, now().Add(-2*time.Hour), firstBy)
	wantPurged(t, s, used, rule+", also if the store itself consumed the link")
}

func purgeRevokedSessions(t tester, s magiclink.Store) {
	const rule = "the record of a used link that was revoked ends at ExpiresAt, whatever its session would have lasted"
	over := revoked(session(1, 10*time.Hour, true), now())
	mustCreate(t, s, over)
	wantPurged(t, s, over, rule)

	ended := session(2, 10*time.Hour, true)
	mustCreate(t, s, ended)
	ended = mustRevoke(t, s, ended, now())
	wantPurged(t, s, ended, rule+", also if the store itself revoked the link")

	kept := revoked(session(3, time.Hour, false), now())
	mustCreate(t, s, kept)
	wantKept(t, s, kept, now(), rule)
	wantKept(t, s, kept, kept.ExpiresAt, rule)

	// Here Revoke makes the record last longer: its session would have ended before ExpiresAt.
	later := session(4, 150*time.Minute, false)
	mustCreate(t, s, later)
	later = mustRevoke(t, s, later, now())
	if n := mustPurge(t, s, now().Add(45*time.Minute), everything); n != 0 {
		t.Errorf("%s, also if the store itself revoked the link: Purge must remove nothing; it returned %d", rule, n)
	}
	wantStored(t, s, later, rule)
}
