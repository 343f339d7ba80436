package storetest

import (
	"slices"
	"time"

	"github.com/magiclink-go/magiclink"
)

func mustRevokeSubject(t tester, r magiclink.SubjectRevoker, subject magiclink.Subject, issuedUpTo, at time.Time, want int, rule string) {
	t.Helper()
	got, err := r.RevokeSubject(t.Context(), subject, issuedUpTo, at)
	if err != nil {
		t.Fatalf("%s: RevokeSubject must succeed; got %v", rule, err)
	}
	if got != want {
		t.Errorf("%s: RevokeSubject returns how many records it has revoked that were not revoked before: want %d; got %d", rule, want, got)
	}
}

// jane is the subject of liveRecord, by address.
func jane() magiclink.Subject {
	return magiclink.Subject{TenantID: "tenant-1", Email: liveRecord(0).Email}
}

func revokeSubjectEveryState(t tester, s magiclink.Store, r magiclink.SubjectRevoker) {
	const rule = "RevokeSubject revokes links in every state and keeps the time of those that were revoked"
	live, used, gone, ended := liveRecord(1), liveRecord(2), liveRecord(3), liveRecord(4)
	mustCreate(t, s, live, used, gone, ended)
	used = mustConsume(t, s, used, now(), firstBy)
	earlier := now().Add(-time.Minute)
	gone = mustRevoke(t, s, gone, earlier)
	ended = mustRevoke(t, s, mustConsume(t, s, ended, now(), firstBy), earlier)
	at := live.ExpiresAt.Add(time.Minute) // the live link has expired by then
	mustRevokeSubject(t, r, jane(), now().Add(time.Minute), at.Add(time.Microsecond), 2, rule)
	for _, want := range []magiclink.Record{revoked(live, at), revoked(used, at), gone, ended} {
		wantStored(t, s, want, rule)
		got, err := s.Consume(t.Context(), want.ID, now(), firstBy)
		wantRefusal(t, got, err, magiclink.ErrRevoked, "after RevokeSubject the verdict is ErrRevoked, for the by that consumed the link too")
	}
}

func revokeSubjectWhich(t tester, s magiclink.Store, r magiclink.SubjectRevoker) {
	const rule = "RevokeSubject revokes the records of one tenant that agree in each field of the subject that is set"
	own := liveRecord(0).Subject
	with := func(change func(*magiclink.Subject)) magiclink.Subject {
		other := own
		change(&other)
		return other
	}
	subjects := []magiclink.Subject{
		own,
		with(func(s *magiclink.Subject) { s.TenantID = "tenant-2" }),
		with(func(s *magiclink.Subject) { s.TenantID = "" }),
		with(func(s *magiclink.Subject) { s.Email = "john@example.com" }),
		with(func(s *magiclink.Subject) { s.Email = "Jane.Doe@example.com" }),
		with(func(s *magiclink.Subject) { s.Email = "" }),
		with(func(s *magiclink.Subject) { s.BusinessID = "biz_0000000000000000000002" }),
		with(func(s *magiclink.Subject) { s.BusinessID = "" }),
		with(func(s *magiclink.Subject) { s.ExternalBusinessID = "shop/4712" }),
		with(func(s *magiclink.Subject) { s.ExternalBusinessID = "" }),
	}
	number := 0
	for _, subject := range []magiclink.Subject{
		{TenantID: own.TenantID, Email: own.Email},
		{TenantID: own.TenantID, BusinessID: own.BusinessID},
		{TenantID: own.TenantID, ExternalBusinessID: own.ExternalBusinessID},
		own,
		{Email: own.Email},
		{TenantID: own.TenantID, Email: "%"},
		{TenantID: "tenant", Email: own.Email},
	} {
		var records, matching []magiclink.Record
		for _, each := range subjects {
			number++
			record := liveRecord(number)
			record.Subject = each
			records = append(records, record)
		}
		mustCreate(t, s, records...)
		matching = plainFilter(records, magiclink.ListQuery{Subject: subject})
		at := now()
		mustRevokeSubject(t, r, subject, at, at, len(matching), rule)
		for _, record := range records {
			if slices.ContainsFunc(matching, func(m magiclink.Record) bool { return m.ID == record.ID }) {
				record = revoked(record, at)
			}
			wantStored(t, s, record, rule)
		}
		for _, record := range records { // so that the next round finds its own records alone
			mustRevoke(t, s, record, at)
		}
	}
}

func revokeSubjectIssuedUpTo(t tester, s magiclink.Store, r magiclink.SubjectRevoker) {
	const rule = "RevokeSubject revokes records whose CreatedAt is not after issuedUpTo, which is truncated to the millisecond"
	records := []magiclink.Record{liveRecord(1), liveRecord(2), liveRecord(3)}
	for i := range records {
		records[i].CreatedAt = records[0].CreatedAt.Add(time.Duration(i) * time.Millisecond)
	}
	mustCreate(t, s, records...)
	at := now()
	mustRevokeSubject(t, r, jane(), records[1].CreatedAt.Add(999*time.Microsecond), at, 2, rule)
	wantStored(t, s, revoked(records[0], at), rule)
	wantStored(t, s, revoked(records[1], at), rule)
	wantStored(t, s, records[2], rule)
}

func revokeSubjectAgain(t tester, s magiclink.Store, r magiclink.SubjectRevoker) {
	const rule = "RevokeSubject of a subject that was revoked revokes nothing, and keeps the first time"
	record := liveRecord(1)
	mustCreate(t, s, record)
	at := now()
	mustRevokeSubject(t, r, jane(), at, at, 1, rule)
	mustRevokeSubject(t, r, jane(), at, at.Add(time.Minute), 0, rule)
	wantStored(t, s, revoked(record, at), rule)
	second := liveRecord(2)
	mustCreate(t, s, second)
	mustRevokeSubject(t, r, jane(), at, at.Add(time.Hour), 1, "RevokeSubject counts what is new")
}

// revokeSubjectMany has more records than a batch.
func revokeSubjectMany(t tester, s magiclink.Store, r magiclink.SubjectRevoker) {
	const rule, many = "RevokeSubject revokes all records of the subject, however many", 1100
	errs := make([]error, many)
	race(many, func(i int) {
		record := liveRecord(i)
		if i%10 == 0 {
			record.Email = "john@example.com"
		}
		errs[i] = s.Create(t.Context(), record)
	})
	for _, err := range errs {
		if err != nil {
			t.Fatalf("Create of a record with a new id must succeed; got %v", err)
		}
	}
	at := now()
	mustRevokeSubject(t, r, jane(), at, at, many-many/10, rule)
	for _, number := range []int{1, 499, 501, 999, 1001, many - 1} {
		if got := liveRecordAs(t, s, number); !got.RevokedAt.Equal(at) {
			t.Errorf("%s: number %d of %d was not revoked", rule, number, many)
		}
	}
	if got := liveRecordAs(t, s, 500); !got.RevokedAt.IsZero() {
		t.Errorf("%s: the record of another subject was revoked", rule)
	}
}

func revokeSubjectRefusals(t tester, s magiclink.Store, r magiclink.SubjectRevoker) {
	record := liveRecord(1)
	mustCreate(t, s, record)
	at := now()
	for name, call := range map[string]struct {
		subject        magiclink.Subject
		issuedUpTo, at time.Time
	}{
		"a subject that names only a tenant": {magiclink.Subject{TenantID: "tenant-1"}, at, at},
		"the zero Subject":                   {magiclink.Subject{}, at, at},
		"a zero issuedUpTo":                  {jane(), time.Time{}, at},
		"a zero at":                          {jane(), at, time.Time{}},
		"an at that truncates to zero":       {jane(), at, time.Time{}.Add(time.Microsecond)},
		"an address that is no text":         {magiclink.Subject{TenantID: "tenant-1", Email: "\xff"}, at, at},
	} {
		if n, err := r.RevokeSubject(t.Context(), call.subject, call.issuedUpTo, call.at); err == nil || n != 0 {
			t.Errorf("RevokeSubject refuses %s: want an error and 0; got %d and %v", name, n, err)
		}
		wantStored(t, s, record, "a RevokeSubject that is refused changes nothing: "+name)
	}
	mustRevokeSubject(t, r, jane(), at, at, 1, "a good call")
}

func revokeSubjectContext(t tester, s magiclink.Store, r magiclink.SubjectRevoker) {
	record := liveRecord(1)
	mustCreate(t, s, record)
	at := now()
	for _, e := range endedContexts(t) {
		n, err := r.RevokeSubject(e.ctx, jane(), at, at)
		e.wantEnded(t, "RevokeSubject", err)
		if n != 0 {
			t.Errorf("a RevokeSubject whose context ended before it began revokes nothing; it returned %d", n)
		}
		wantStored(t, s, record, "a RevokeSubject whose context ended before it began changes nothing")
	}
	mustRevokeSubject(t, r, jane(), at, at, 1, "RevokeSubject with a live context")
}

// raceRevokeSubject lets several calls revoke the same records while the links are used.
func raceRevokeSubject(t tester, s magiclink.Store, r magiclink.SubjectRevoker) {
	const rule = "of racing RevokeSubjects each record is counted by exactly one; each Consume comes before or after"
	const links = 12
	for round := range rounds {
		for i := range links {
			mustCreate(t, s, liveRecord(100*round+i))
		}
		at := now()
		counts, errs := make([]int, racers), make([]error, racers)
		race(racers, func(i int) {
			if i < 4 {
				counts[i], errs[i] = r.RevokeSubject(t.Context(), jane(), at, at.Add(time.Duration(i)*time.Millisecond))
				return
			}
			_, errs[i] = s.Consume(t.Context(), liveRecord(100*round+i-4).ID, at, racerBy(i))
		})
		sum := 0
		for _, n := range counts {
			sum += n
		}
		if sum != links {
			t.Fatalf("%s: of %d records %d were counted", rule, links, sum)
		}
		won := winners(t, errs, rule, magiclink.ErrRevoked)
		for i := range links {
			record := liveRecordAs(t, s, 100*round+i)
			if record.RevokedAt.IsZero() {
				t.Errorf("%s: a record survived that was there before", rule)
			}
			if used := !record.ConsumedAt.IsZero(); used != slices.Contains(won, i+4) {
				t.Errorf("%s: the record says used=%v and Consume said the opposite", rule, used)
			}
		}
	}
}
