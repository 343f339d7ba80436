package storetest

import (
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

const everything = 1000 // a limit above the number of records in any case

func mustPurge(t tester, s magiclink.Store, before time.Time, limit int) int {
	t.Helper()
	n, err := s.Purge(t.Context(), before, limit)
	if err != nil {
		t.Fatalf("Purge must succeed; got %v", err)
	}
	if n < 0 || n > limit {
		t.Fatalf("Purge removes at most limit records: with a limit of %d it returned %d", limit, n)
	}
	return n
}

// present returns how many of the records the store still has.
func present(t tester, s magiclink.Store, records []magiclink.Record) int {
	t.Helper()
	n := 0
	for _, r := range records {
		_, err := s.Get(t.Context(), r.ID)
		switch {
		case err == nil:
			n++
		case !errors.Is(err, magiclink.ErrNotFound):
			t.Fatalf("Get must return the record or ErrNotFound; got %v", err)
		}
	}
	return n
}

// sevenOf returns seven records with the numbers from 10 on.
func sevenOf(kind func(number int) magiclink.Record) []magiclink.Record {
	var records []magiclink.Record
	for i := range 7 {
		records = append(records, kind(10+i))
	}
	return records
}

// A store may have forgotten what has ended on the real clock: it then has fewer records to remove, never more.
func purgeExpired(t tester, s magiclink.Store) {
	expired := sevenOf(expiredRecord)
	expired[1] = consumed(expired[1], expired[1].CreatedAt, firstBy)
	expired[2] = revoked(expired[2], expired[2].CreatedAt)
	mustCreate(t, s, expired...)
	had := present(t, s, expired)
	n := mustPurge(t, s, now(), everything)
	if n > had {
		t.Errorf("Purge returns how many records it removed: it returned %d, the store had %d", n, had)
	}
	if left := present(t, s, expired); left > 0 {
		t.Errorf("a Purge that returns fewer than limit has left nothing to remove, used and revoked links included: "+
			"it returned %d of %d, %d are left", n, everything, left)
	}
	if again := mustPurge(t, s, now(), everything); again != 0 {
		t.Errorf("a second Purge finds nothing; it returned %d", again)
	}
}

// wantKept fails unless a Purge removes nothing and the record is as it was.
func wantKept(t tester, s magiclink.Store, want magiclink.Record, before time.Time, rule string) {
	t.Helper()
	if n := mustPurge(t, s, before, everything); n != 0 {
		t.Errorf("%s: Purge must remove nothing; it returned %d", rule, n)
	}
	wantStored(t, s, want, rule)
}

func purgeBoundary(t tester, s magiclink.Store) {
	r := liveRecord(1)
	mustCreate(t, s, r)
	wantKept(t, s, r, r.End(), "Purge removes records whose End is before the given time; a record whose End is that time stays")
	wantKept(t, s, r, r.End().Add(999_999*time.Nanosecond), "times are truncated to the millisecond before they are compared")
	r = mustConsume(t, s, r, now(), firstBy)
	wantKept(t, s, r, r.End(), "a used link ends with its session; a record whose End is the given time stays")
}

// The links are live on the real clock, so that no store forgets them by itself: the numbers must agree exactly.
// An engine that removes only by its own clock removes none of them and says so.
func purgeLimit(t tester, s magiclink.Store) {
	records := sevenOf(liveRecord)
	mustCreate(t, s, records...)
	before := records[0].ExpiresAt.Add(time.Hour)
	left := len(records)
	for _, limit := range []int{2, 1, 3, everything} {
		n := mustPurge(t, s, before, limit)
		left -= n
		if got := present(t, s, records); got != left {
			t.Fatalf("Purge removes at most limit records and returns how many: limit %d, it returned %d, "+
				"%d of 7 should be left, %d are", limit, n, left, got)
		}
	}
	expired := sevenOf(func(number int) magiclink.Record { return expiredRecord(100 + number) })
	mustCreate(t, s, expired...)
	for range expired {
		had := present(t, s, expired)
		if n := mustPurge(t, s, now(), 3); n < 3 {
			if left := present(t, s, expired); left > 0 {
				t.Errorf("fewer than limit means that none was left: it returned %d of 3, had %d, left %d", n, had, left)
			}
			return
		}
	}
	t.Errorf("repeated Purges with a limit of 3 must remove 7 records and then return fewer than 3")
}

func purgeLimitBelowOne(t tester, s magiclink.Store) {
	r := liveRecord(1)
	mustCreate(t, s, r)
	for _, limit := range []int{0, -1, -1000} {
		n, err := s.Purge(t.Context(), r.ExpiresAt.Add(time.Hour), limit)
		if err == nil {
			t.Errorf("a limit below 1 is an error: Purge with %d returned nil", limit)
		}
		if n != 0 {
			t.Errorf("a limit below 1 removes nothing: Purge with %d returned %d", limit, n)
		}
		wantStored(t, s, r, "a limit below 1 removes nothing")
	}
}

func purgeKeepsTheLiving(t tester, s magiclink.Store) {
	live := sevenOf(liveRecord)
	live[1] = consumed(live[1], live[1].CreatedAt, firstBy)
	live[2] = revoked(live[2], live[2].CreatedAt)
	live[3] = revoked(consumed(live[3], live[3].CreatedAt, firstBy), live[3].CreatedAt)
	mustCreate(t, s, live...)
	mustCreate(t, s, expiredRecord(1), expiredRecord(2))
	if n := mustPurge(t, s, now(), everything); n > 2 {
		t.Errorf("Purge removes only what has ended: it returned %d, 2 records have ended", n)
	}
	for _, r := range live {
		wantStored(t, s, r, "Purge keeps what has not ended, used and revoked links included")
	}
}

func purgeCallersClock(t tester, s magiclink.Store) {
	expired := expiredRecord(1)
	mustCreate(t, s, expired)
	if n := mustPurge(t, s, expired.ExpiresAt.Add(-time.Minute), everything); n != 0 {
		t.Errorf("Purge goes by the time that it was given, not by the engine's clock: it returned %d, nothing had ended", n)
	}
}

func purgeEmpty(t tester, s magiclink.Store) {
	if n := mustPurge(t, s, now(), 1); n != 0 {
		t.Errorf("Purge of an empty store removes nothing; it returned %d", n)
	}
}

func purgeFreesTheID(t tester, s magiclink.Store) {
	expired := expiredRecord(1)
	mustCreate(t, s, expired)
	mustPurge(t, s, now(), everything)
	wantAbsent(t, s, expired.ID, "a purged record is gone for Get")
	got, err := s.Consume(t.Context(), expired.ID, expired.CreatedAt, firstBy)
	wantRefusal(t, got, err, magiclink.ErrNotFound, "a purged record is gone for Consume")
	if err := s.Revoke(t.Context(), expired.ID, now()); !errors.Is(err, magiclink.ErrNotFound) {
		t.Errorf("a purged record is gone for Revoke: want ErrNotFound; got %v", err)
	}
	used, gone := expiredRecord(2), expiredRecord(3)
	used, gone = consumed(used, used.CreatedAt, firstBy), revoked(gone, gone.CreatedAt)
	mustCreate(t, s, used, gone)
	mustPurge(t, s, now(), everything)
	for number := range 3 {
		fresh := liveRecord(number + 1)
		mustCreate(t, s, fresh)
		wantStored(t, s, fresh, "the id of a purged record can be used anew, and nothing of that record comes back")
	}
}
