package storetest

import (
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

func revokeLive(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	want.RevokedAt = now()
	mustRevoke(t, s, want.ID, want.RevokedAt.Add(999_999*time.Nanosecond))
	wantStored(t, s, want, "Revoke sets RevokedAt to the time it was given, cut to the millisecond, and nothing else")
	got, err := s.Consume(t.Context(), want.ID, now())
	wantRefusal(t, got, err, magiclink.ErrRevoked, "a revoked link cannot be consumed")
	wantStored(t, s, want, "a refused Consume changes nothing")
}

func revokeAgain(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	want.RevokedAt = now()
	mustRevoke(t, s, want.ID, want.RevokedAt)
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
	want.ConsumedAt = now()
	mustConsume(t, s, want.ID, want.ConsumedAt)
	want.RevokedAt = want.ConsumedAt.Add(time.Minute)
	if err := s.Revoke(t.Context(), want.ID, want.RevokedAt); err != nil {
		t.Errorf("a used link can be revoked; got %v", err)
	}
	wantStored(t, s, want, "Revoke of a used link sets RevokedAt and keeps ConsumedAt")
}

func revokeExpired(t tester, s magiclink.Store) {
	want := liveRecord(1)
	mustCreate(t, s, want)
	want.RevokedAt = want.ExpiresAt.Add(time.Minute)
	if err := s.Revoke(t.Context(), want.ID, want.RevokedAt); err != nil {
		t.Errorf("an expired link that the store still has can be revoked; got %v", err)
	}
	wantStored(t, s, want, "Revoke of an expired link sets RevokedAt")

	dead := deadRecord(2)
	mustCreate(t, s, dead)
	if err := s.Revoke(t.Context(), dead.ID, now()); err != nil && !errors.Is(err, magiclink.ErrNotFound) {
		t.Errorf("Revoke of a link that expired on the real clock succeeds, or ErrNotFound if forgotten; got %v", err)
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
