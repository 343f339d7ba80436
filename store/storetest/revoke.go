package storetest

import (
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

func revokeLive(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	at := now()
	mustRevoke(t, s, want, at.Add(999_999*time.Nanosecond))
	want = revoked(want, at)
	wantStored(t, s, want, "Revoke sets RevokedAt to the time that it was given, truncated to the millisecond, and nothing else")
	got, err := s.Consume(t.Context(), want.ID, now(), firstBy)
	wantRefusal(t, got, err, magiclink.ErrRevoked, "a revoked link cannot be consumed")
	wantStored(t, s, want, "a refused Consume changes nothing")
}

func revokeAgain(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	want = mustRevoke(t, s, want, now())
	for _, offset := range []time.Duration{0, time.Minute, -time.Minute} {
		if err := s.Revoke(t.Context(), want.ID, want.RevokedAt.Add(offset)); err != nil {
			t.Errorf("revoking again succeeds; got %v", err)
		}
		wantStored(t, s, want, "revoking again keeps the first time")
	}
}

func revokeConsumed(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	want = mustConsume(t, s, want, now(), firstBy)
	want = mustRevoke(t, s, want, want.ConsumedAt.Add(time.Minute))
	wantStored(t, s, want, "Revoke of a used link sets RevokedAt and keeps ConsumedAt and ConsumedBy")
}

func revokeExpired(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	want = mustRevoke(t, s, want, want.ExpiresAt.Add(time.Minute))
	wantStored(t, s, want, "Revoke of an expired link sets RevokedAt")

	expired := expiredRecord(2)
	mustCreate(t, s, expired)
	if err := s.Revoke(t.Context(), expired.ID, now()); err != nil && !errors.Is(err, magiclink.ErrNotFound) {
		t.Errorf("Revoke of a link that expired on the real clock succeeds, or returns ErrNotFound if the store has "+
			"forgotten the link; got %v", err)
	}
}

func revokeNotFound(t tester, s magiclink.Store) {
	other := liveRecord(1)
	mustCreate(t, s, other)
	id := liveRecord(2).ID
	if err := s.Revoke(t.Context(), id, now()); !errors.Is(err, magiclink.ErrNotFound) {
		t.Errorf("Revoke of an unknown id must return ErrNotFound; got %v", err)
	}
	wantAbsent(t, s, id, "a refused Revoke creates nothing")
	wantStored(t, s, other, "a refused Revoke changes no other record")
}
