package storetest

import (
	"errors"
	"time"

	"github.com/magiclink-go/magiclink"
)

// intruder returns a record that differs from the one with the same number in every field but the id.
func intruder(number int) magiclink.Record {
	at := now()
	return magiclink.Record{
		ID: liveRecord(number).ID,
		Subject: magiclink.Subject{
			TenantID:           "intruder",
			BusinessID:         "biz_9999999999999999999999",
			ExternalBusinessID: "other",
			Email:              "other@example.org",
		},
		Path:           "/other",
		SessionTimeout: time.Second,
		Extension:      "other",
		CreatedAt:      at.Add(time.Minute),
		ExpiresAt:      at.Add(5 * time.Hour),
	}
}

func createExists(t tester, s magiclink.Store) {
	first := liveRecord(1)
	mustCreate(t, s, first)
	for _, second := range []magiclink.Record{intruder(1), first} {
		if err := s.Create(t.Context(), second); !errors.Is(err, magiclink.ErrExists) {
			t.Errorf("Create with an id that is taken must return ErrExists; got %v", err)
		}
		wantStored(t, s, first, "a Create that returned ErrExists leaves the record that was there unchanged")
	}
}

func createExistsInAnyState(t tester, s magiclink.Store) {
	used, gone := liveRecord(1), liveRecord(2)
	mustCreate(t, s, used, gone)
	used = mustConsume(t, s, used, now(), firstBy)
	gone = mustRevoke(t, s, gone, now())
	for number, want := range map[int]magiclink.Record{1: used, 2: gone} {
		if err := s.Create(t.Context(), intruder(number)); !errors.Is(err, magiclink.ErrExists) {
			t.Errorf("the id of a used or revoked record is taken: Create must return ErrExists; got %v", err)
		}
		wantStored(t, s, want, "Create must not make a used or revoked link usable again")
	}
}

func getNotFound(t tester, s magiclink.Store) {
	wantAbsent(t, s, liveRecord(1).ID, "Get of an id that was never created")
	known := liveRecord(1)
	mustCreate(t, s, known)
	for _, id := range []string{"", liveRecord(2).ID, known.ID + "0", known.ID[:25], "mlk_%", "MLK_" + known.ID[4:]} {
		wantAbsent(t, s, id, "an id matches as a whole and byte for byte, or not at all")
	}
}

func getOtherRecords(t tester, s magiclink.Store) {
	lower, upper := liveRecord(1), liveRecord(2)
	lower.ID, upper.ID = "mlk_aaaaaaaaaaaaaaaaaaaaaa", "mlk_aaaaaaaaaaaaaaaaaaaaaA"
	third := liveRecord(3)
	mustCreate(t, s, lower, upper, third)
	lower = mustConsume(t, s, lower, now(), firstBy)
	upper = mustRevoke(t, s, upper, now())
	for _, want := range []magiclink.Record{lower, upper, third} {
		wantStored(t, s, want, "a call changes the record with its id and no other; ids differ by case")
	}
}
