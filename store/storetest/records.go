package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/magiclink-go/magiclink"
)

// now is the real time as a store keeps it.
func now() time.Time { return time.UnixMilli(time.Now().UnixMilli()).UTC() }

// liveRecord is a record with every field of a fresh link set, alive for an hour. The number makes its id.
func liveRecord(number int) magiclink.Record {
	at := now()
	return magiclink.Record{
		ID:                 fmt.Sprintf("mlk_%022d", number),
		TenantID:           "tenant-1",
		BusinessID:         "biz_0000000000000000000001",
		ExternalBusinessID: "shop/4711",
		Email:              "jane.doe@example.com",
		Path:               "/orders/17?tab=items#top",
		SessionTimeout:     90 * time.Minute,
		CreatedAt:          at.Add(-123 * time.Millisecond),
		ExpiresAt:          at.Add(time.Hour + 456*time.Millisecond),
	}
}

// deadRecord is a record that has expired an hour ago on the real clock: a store may forget it at once.
func deadRecord(number int) magiclink.Record {
	r := liveRecord(number)
	r.CreatedAt = r.CreatedAt.Add(-3 * time.Hour)
	r.ExpiresAt = r.ExpiresAt.Add(-2 * time.Hour)
	return r
}

func mustCreate(t tester, s magiclink.Store, records ...magiclink.Record) {
	t.Helper()
	for _, r := range records {
		if err := s.Create(t.Context(), r); err != nil {
			t.Fatalf("Create of a record with a new id must succeed; got %v", err)
		}
	}
}

func mustConsume(t tester, s magiclink.Store, id string, at time.Time) magiclink.Record {
	t.Helper()
	r, err := s.Consume(t.Context(), id, at)
	if err != nil {
		t.Fatalf("Consume of a live link that was neither revoked nor used must succeed; got %v", err)
	}
	return r
}

func mustRevoke(t tester, s magiclink.Store, id string, at time.Time) {
	t.Helper()
	if err := s.Revoke(t.Context(), id, at); err != nil {
		t.Fatalf("Revoke of a record that exists must succeed; got %v", err)
	}
}

// wantStored fails unless Get returns exactly this record.
func wantStored(t tester, s magiclink.Store, want magiclink.Record, rule string) {
	t.Helper()
	got, err := s.Get(t.Context(), want.ID)
	if err != nil {
		t.Fatalf("%s: Get must return the record; got %v", rule, err)
	}
	wantRecord(t, got, want, rule)
}

// wantAbsent fails unless Get says that there is no such record.
func wantAbsent(t tester, s magiclink.Store, id, rule string) {
	t.Helper()
	got, err := s.Get(t.Context(), id)
	wantRefusal(t, got, err, magiclink.ErrNotFound, rule)
}

// wantRefusal fails unless err matches want and the record beside it is the zero Record.
func wantRefusal(t tester, got magiclink.Record, err, want error, rule string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: want an error that matches %q; got %v", rule, want, err)
	}
	if err != nil && got != (magiclink.Record{}) {
		t.Errorf("%s: with an error the returned Record must be the zero Record; got one with id %q", rule, got.ID)
	}
}

// wantRecord compares field by field. Times have to be the same moment and in UTC.
func wantRecord(t tester, got, want magiclink.Record, rule string) {
	t.Helper()
	field := func(name string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s must be %v; got %v", rule, name, want, got)
		}
	}
	field("ID", got.ID, want.ID)
	field("TenantID", got.TenantID, want.TenantID)
	field("BusinessID", got.BusinessID, want.BusinessID)
	field("ExternalBusinessID", got.ExternalBusinessID, want.ExternalBusinessID)
	field("Email", got.Email, want.Email)
	field("Path", got.Path, want.Path)
	field("SessionTimeout", got.SessionTimeout, want.SessionTimeout)
	wantTime(t, "CreatedAt", got.CreatedAt, want.CreatedAt, rule)
	wantTime(t, "ExpiresAt", got.ExpiresAt, want.ExpiresAt, rule)
	wantTime(t, "ConsumedAt", got.ConsumedAt, want.ConsumedAt, rule)
	wantTime(t, "RevokedAt", got.RevokedAt, want.RevokedAt, rule)
}

func wantTime(t tester, name string, got, want time.Time, rule string) {
	t.Helper()
	const layout = "2006-01-02T15:04:05.000000000Z07:00"
	switch {
	case want.IsZero() && !got.IsZero():
		t.Errorf("%s: %s must be the zero time, which means \"not set\"; got %s", rule, name, got.Format(layout))
	case !got.Equal(want):
		t.Errorf("%s: %s must be %s, kept to the millisecond; got %s", rule, name, want.Format(layout), got.Format(layout))
	case got.Location() != time.UTC:
		t.Errorf("%s: %s must be in time.UTC; got the location %s", rule, name, got.Location())
	}
}
