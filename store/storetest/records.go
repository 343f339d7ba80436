package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/magiclink-go/magiclink"
)

// Two values of "by": firstBy consumes a link, otherBy comes later.
const (
	firstBy = "browser one"
	otherBy = "browser two"
)

// now is the real time in the form in which a store keeps it.
func now() time.Time { return time.UnixMilli(time.Now().UnixMilli()).UTC() }

// liveRecord returns a record with every field of a new link set. The link expires in an hour. Its session would last
// longer than that. The number makes the id.
func liveRecord(number int) magiclink.Record {
	at := now()
	return magiclink.Record{
		ID: fmt.Sprintf("mlk_%022d", number),
		Subject: magiclink.Subject{
			TenantID:           "tenant-1",
			BusinessID:         "biz_0000000000000000000001",
			ExternalBusinessID: "shop/4711",
			Email:              "jane.doe@example.com",
		},
		Path:           "/orders/17?tab=items#top",
		SessionTimeout: 90 * time.Minute,
		Extension:      `{"cart":17}`,
		CreatedAt:      at.Add(-123 * time.Millisecond),
		ExpiresAt:      at.Add(time.Hour + 456*time.Millisecond),
	}
}

// expiredRecord returns a record that expired an hour ago on the real clock: a store may have forgotten it. If the link
// was consumed when it was created, its session has ended too.
func expiredRecord(number int) magiclink.Record {
	r := liveRecord(number)
	r.CreatedAt = r.CreatedAt.Add(-3 * time.Hour)
	r.ExpiresAt = r.ExpiresAt.Add(-2 * time.Hour)
	return r
}

// consumed returns the record as it is after a Consume.
func consumed(r magiclink.Record, at time.Time, by string) magiclink.Record {
	r.ConsumedAt, r.ConsumedBy = at, by
	return r
}

// revoked returns the record as it is after a Revoke.
func revoked(r magiclink.Record, at time.Time) magiclink.Record {
	r.RevokedAt = at
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

// mustConsume consumes the link and returns the record as it must be afterwards.
func mustConsume(t tester, s magiclink.Store, r magiclink.Record, at time.Time, by string) magiclink.Record {
	t.Helper()
	want := consumed(r, at, by)
	got, err := s.Consume(t.Context(), r.ID, at, by)
	if err != nil {
		t.Fatalf("Consume of a live link that was neither revoked nor used must succeed; got %v", err)
	}
	wantRecord(t, got, want, "Consume returns the record as it is afterwards, with the ConsumedAt and ConsumedBy of the call")
	return want
}

// mustRevoke revokes the link and returns the record as it must be afterwards.
func mustRevoke(t tester, s magiclink.Store, r magiclink.Record, at time.Time) magiclink.Record {
	t.Helper()
	if err := s.Revoke(t.Context(), r.ID, at); err != nil {
		t.Fatalf("Revoke of a record that exists must succeed, whether or not the link was used or has expired; got %v", err)
	}
	return revoked(r, at)
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
	if err != nil {
		wantNoRecord(t, got, rule)
	}
}

func wantNoRecord(t tester, got magiclink.Record, rule string) {
	t.Helper()
	if got != (magiclink.Record{}) {
		t.Errorf("%s: with an error the returned Record must be the zero Record; got one with id %q", rule, got.ID)
	}
}

// wantRecord compares field by field. Times must be the same moment and in UTC.
func wantRecord(t tester, got, want magiclink.Record, rule string) {
	t.Helper()
	text := func(name, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s must be %q; got %q", rule, name, want, got)
		}
	}
	text("ID", got.ID, want.ID)
	text("TenantID", got.TenantID, want.TenantID)
	text("BusinessID", got.BusinessID, want.BusinessID)
	text("ExternalBusinessID", got.ExternalBusinessID, want.ExternalBusinessID)
	text("Email", got.Email, want.Email)
	text("Path", got.Path, want.Path)
	text("SessionTimeout", got.SessionTimeout.String(), want.SessionTimeout.String())
	text("Extension", got.Extension, want.Extension)
	wantTime(t, "CreatedAt", got.CreatedAt, want.CreatedAt, rule)
	wantTime(t, "ExpiresAt", got.ExpiresAt, want.ExpiresAt, rule)
	wantTime(t, "ConsumedAt", got.ConsumedAt, want.ConsumedAt, rule)
	wantTime(t, "RevokedAt", got.RevokedAt, want.RevokedAt, rule)
	text("ConsumedBy", got.ConsumedBy, want.ConsumedBy)
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
