package storetest

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/magiclink-go/magiclink"
)

// listFilters compares many queries with a plain filter over all records.
func listFilters(t tester, s magiclink.Store, l magiclink.Lister) {
	const rule = "List returns what a plain filter over all records returns"
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same each time
	at := now()
	var records []magiclink.Record
	for i := range 150 {
		r := randomRecord(random, i, at)
		mustCreate(t, s, r)
		records = append(records, r)
	}
	matched := 0
	for range 300 {
		query := randomQuery(random, at)
		want := plainFilter(records, query)
		wantListed(t, walk(t, l, query), want, rule+": "+describe(query))
		matched += len(want)
	}
	if matched < 300 {
		t.Errorf("the queries match too little to show anything: %d records", matched)
	}
}

// describe returns all fields of a query. The suite made them up, so they need no hiding.
func describe(q magiclink.ListQuery) string {
	return fmt.Sprintf("tenant %q, business %q, external %q, address %q, %q at %v, issued from %v to %v, before %q, limit %d",
		q.TenantID, q.BusinessID, q.ExternalBusinessID, q.Email, q.State, q.At, q.IssuedFrom, q.IssuedBefore, q.Before, q.Limit)
}

var (
	someTenants    = []string{"tenant-1", "tenant-1", "tenant-1", "tenant-2", ""}
	someBusinesses = []string{"", "biz_0000000000000000000001", "biz_0000000000000000000002"}
	someExternals  = []string{"", "shop/4711", `shop\0`, "shop\x00"}
	someEmails     = []string{"", "jane.doe@example.com", "Jane.doe@example.com", "john@example.com"}
)

func pick(random *rand.Rand, from []string) string { return from[random.IntN(len(from))] }

func randomSubject(random *rand.Rand) magiclink.Subject {
	return magiclink.Subject{
		TenantID: pick(random, someTenants), BusinessID: pick(random, someBusinesses),
		ExternalBusinessID: pick(random, someExternals), Email: pick(random, someEmails),
	}
}

// randomRecord returns a record in any state. It ends later than now on the real clock.
func randomRecord(random *rand.Rand, number int, at time.Time) magiclink.Record {
	minutes := func(most int) time.Duration { return time.Duration(1+random.IntN(most)) * time.Minute }
	r := liveRecord(number)
	r.Subject = randomSubject(random)
	r.CreatedAt = at.Add(minutes(5))
	r.ExpiresAt = r.CreatedAt.Add(minutes(15))
	r.SessionTimeout = minutes(30)
	if random.IntN(2) == 0 {
		r = consumed(r, r.CreatedAt.Add(minutes(10)), firstBy)
	}
	if random.IntN(4) == 0 {
		r = revoked(r, r.CreatedAt.Add(minutes(10)))
	}
	return r
}

func randomQuery(random *rand.Rand, at time.Time) magiclink.ListQuery {
	states := []magiclink.State{
		"", "", magiclink.StateLive, magiclink.StateUsed, magiclink.StateSession, magiclink.StateRevoked, magiclink.StateExpired,
	}
	moment := func() time.Time {
		if random.IntN(2) == 0 {
			return time.Time{}
		}
		return at.Add(time.Duration(random.IntN(40)) * time.Minute)
	}
	query := magiclink.ListQuery{
		Subject: magiclink.Subject{TenantID: pick(random, someTenants)},
		State:   states[random.IntN(len(states))], At: at.Add(time.Duration(random.IntN(60)) * time.Minute), Limit: 1 + random.IntN(60),
	}
	all := randomSubject(random)
	for _, field := range []struct {
		to   *string
		from string
	}{{&query.BusinessID, all.BusinessID}, {&query.ExternalBusinessID, all.ExternalBusinessID}, {&query.Email, all.Email}} {
		if random.IntN(3) == 0 {
			*field.to = field.from
		}
	}
	switch random.IntN(3) {
	case 0:
		query.IssuedFrom = moment()
	case 1:
		query.IssuedBefore = moment()
	}
	if random.IntN(3) == 0 {
		query.Before = liveRecord(random.IntN(160)).ID
	}
	return query
}

// listStates judges records at each side of each boundary.
func listStates(t tester, s magiclink.Store, l magiclink.Lister) {
	const rule = "a State is what Record.State says at the time At, which the caller passes"
	live := liveRecord(1)
	use := live.CreatedAt.Add(time.Minute)
	short := liveRecord(3)
	short.SessionTimeout = 2 * time.Minute // over long before the link would have expired
	records := []magiclink.Record{
		live, consumed(liveRecord(2), use, firstBy), consumed(short, use, ""), revoked(liveRecord(4), use),
		revoked(consumed(liveRecord(5), use, firstBy), use.Add(time.Minute)),
	}
	for i := range records {
		records[i].CreatedAt, records[i].ExpiresAt = live.CreatedAt, live.ExpiresAt
	}
	mustCreate(t, s, records...)
	var moments []time.Time
	for _, r := range records {
		moments = append(moments, r.CreatedAt, r.ExpiresAt, r.End())
	}
	for _, moment := range moments {
		for _, step := range []time.Duration{-time.Millisecond, -time.Microsecond, 0, time.Microsecond, time.Millisecond} {
			at := moment.Add(step)
			for _, state := range []magiclink.State{
				magiclink.StateLive, magiclink.StateUsed, magiclink.StateSession, magiclink.StateRevoked, magiclink.StateExpired,
			} {
				query := ofTenant(10)
				query.State, query.At = state, at
				got := mustList(t, l, query)
				query.At = time.UnixMilli(at.UnixMilli())
				wantListed(t, got, plainFilter(records, query), fmt.Sprintf("%s: %s at %s", rule, state, at.Format(time.RFC3339Nano)))
			}
		}
	}
}

func listIssued(t tester, s magiclink.Store, l magiclink.Lister) {
	const rule = "IssuedFrom is inclusive and IssuedBefore exclusive, both truncated to the millisecond"
	first := liveRecord(0).CreatedAt
	var records []magiclink.Record
	for i := range 6 {
		r := liveRecord(i)
		r.CreatedAt = first.Add(time.Duration(i) * time.Millisecond)
		records = append(records, r)
	}
	mustCreate(t, s, records...)
	at := func(i int) time.Time { return records[i].CreatedAt.Add(999 * time.Microsecond) }
	for _, c := range []struct {
		from, before time.Time
		want         []magiclink.Record
	}{
		{time.Time{}, time.Time{}, records},
		{at(2), time.Time{}, records[2:]},
		{time.Time{}, at(2), records[:2]},
		{at(1), at(5), records[1:5]},
		{at(3), at(3), nil},
		{at(4), at(2), nil},
		{first.Add(-time.Hour), first, nil},
		{first.Add(-time.Hour), first.Add(time.Hour), records},
	} {
		query := ofTenant(4)
		query.IssuedFrom, query.IssuedBefore = c.from, c.before
		wantListed(t, walk(t, l, query), c.want, rule)
	}
}

func listRefusals(t tester, s magiclink.Store, l magiclink.Lister) {
	mustCreate(t, s, liveRecord(1))
	for name, change := range map[string]func(*magiclink.ListQuery){
		"a Limit of 0":             func(q *magiclink.ListQuery) { q.Limit = 0 },
		"a negative Limit":         func(q *magiclink.ListQuery) { q.Limit = -1 },
		"a Limit of 1001":          func(q *magiclink.ListQuery) { q.Limit = magiclink.MaxListLimit + 1 },
		"an unknown State":         func(q *magiclink.ListQuery) { q.State, q.At = "unused", now() },
		"a State without At":       func(q *magiclink.ListQuery) { q.State = magiclink.StateLive },
		"a cursor that is no text": func(q *magiclink.ListQuery) { q.Before = "\xff" },
		"an address that is no text": func(q *magiclink.ListQuery) {
			q.Email = "jane\xc3@example.com"
		},
		"a tenant that is no text": func(q *magiclink.ListQuery) { q.TenantID = "\xf0\x9f" },
	} {
		query := ofTenant(1)
		change(&query)
		if got, err := l.List(t.Context(), query); err == nil || got != nil {
			t.Errorf("List refuses %s: want an error and no records; got %d records and %v", name, len(got), err)
		}
	}
	wantListed(t, mustList(t, l, ofTenant(1)), []magiclink.Record{liveRecordAs(t, s, 1)}, "a good query")
}

// liveRecordAs returns the record with this number as the store has it.
func liveRecordAs(t tester, s magiclink.Store, number int) magiclink.Record {
	t.Helper()
	r, err := s.Get(t.Context(), liveRecord(number).ID)
	if err != nil {
		t.Fatalf("Get must return the record; got %v", err)
	}
	return r
}

func listContext(t tester, s magiclink.Store, l magiclink.Lister) {
	r := liveRecord(1)
	mustCreate(t, s, r)
	for _, e := range endedContexts(t) {
		got, err := l.List(e.ctx, ofTenant(1))
		e.wantEnded(t, "List", err)
		if got != nil {
			t.Errorf("a List whose context ended before it began returns no records; got %d", len(got))
		}
	}
	wantListed(t, mustList(t, l, ofTenant(1)), []magiclink.Record{r}, "List with a live context")
}

// raceListAndCreate walks while others create records on both sides of the cursor, until the walk has ended.
func raceListAndCreate(t tester, s magiclink.Store, l magiclink.Lister) {
	for round := range 3 {
		query := ofTenant(7)
		query.TenantID, query.Before = fmt.Sprint("tenant-", round), liveRecord(10_000*round+5000).ID
		record := func(number int) magiclink.Record {
			r := liveRecord(10_000*round + number)
			r.TenantID = query.TenantID
			return r
		}
		before := map[string]bool{}
		for i := range 60 {
			before[record(100+2*i).ID] = true
			mustCreate(t, s, record(100+2*i))
		}
		var got []magiclink.Record
		var walked atomic.Bool
		errs := make([]error, racers)
		race(racers, func(i int) {
			if i == 0 {
				defer walked.Store(true) // also when the case has failed
				got = walk(t, l, query)
				return
			}
			for n := 0; n < 10 && errs[i] == nil && !walked.Load(); n++ {
				errs[i] = s.Create(t.Context(), record(101+2*(10*i+n)))
			}
		})
		wantEachOnce(t, got, before)
		for _, err := range errs {
			if err != nil {
				t.Errorf("Create beside List must succeed; got %v", err)
			}
		}
	}
}

func wantEachOnce(t tester, got []magiclink.Record, before map[string]bool) {
	t.Helper()
	const rule = "a walk beside racing Creates returns each record that was there before exactly once, and none twice"
	seen := map[string]bool{}
	for _, r := range got {
		if seen[r.ID] {
			t.Errorf("%s: one was returned twice", rule)
		}
		seen[r.ID] = true
		delete(before, r.ID)
	}
	if len(before) > 0 {
		t.Errorf("%s: %d were not returned", rule, len(before))
	}
}
