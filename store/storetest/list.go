package storetest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// mustList returns one page.
func mustList(t tester, l magiclink.Lister, query magiclink.ListQuery) []magiclink.Record {
	t.Helper()
	page, err := l.List(t.Context(), query)
	if err != nil {
		t.Fatalf("List must succeed; got %v", err)
	}
	if len(page) > query.Limit {
		t.Fatalf("List returns at most Limit records: with a Limit of %d it returned %d", query.Limit, len(page))
	}
	return page
}

// walk returns all pages, each of the query's Limit.
func walk(t tester, l magiclink.Lister, query magiclink.ListQuery) (all []magiclink.Record) {
	t.Helper()
	for {
		page := mustList(t, l, query)
		all = append(all, page...)
		if len(page) < query.Limit {
			return all
		}
		if len(all) > everything {
			t.Fatalf("a walk over the pages must end: it goes on after %d records", len(all))
		}
		query.Before = page[len(page)-1].ID
	}
}

// wantListed fails unless the records are exactly these, newest first.
func wantListed(t tester, got, want []magiclink.Record, rule string) {
	t.Helper()
	want = slices.Clone(want)
	slices.SortFunc(want, func(a, b magiclink.Record) int { return strings.Compare(b.ID, a.ID) })
	if !slices.Equal(idsOf(got), idsOf(want)) {
		t.Errorf("%s: the ids, the largest first, must be %q; got %q", rule, idsOf(want), idsOf(got))
		return
	}
	for i := range want {
		wantRecord(t, got[i], want[i], rule)
	}
}

func idsOf(records []magiclink.Record) []string {
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	return ids
}

// ofTenant is the query for all records of the tenant of liveRecord.
func ofTenant(limit int) magiclink.ListQuery {
	return magiclink.ListQuery{Subject: magiclink.Subject{TenantID: "tenant-1"}, Limit: limit}
}

// plainFilter is the filter of a query, written down once more. It leaves the State to [magiclink.Record.State].
func plainFilter(records []magiclink.Record, q magiclink.ListQuery) (matching []magiclink.Record) {
	matches := func(filter, value string) bool { return filter == "" || filter == value }
	for _, r := range records {
		if r.TenantID == q.TenantID && matches(q.BusinessID, r.BusinessID) && matches(q.Email, r.Email) &&
			matches(q.ExternalBusinessID, r.ExternalBusinessID) && (q.Before == "" || r.ID < q.Before) &&
			(q.IssuedFrom.IsZero() || !r.CreatedAt.Before(q.IssuedFrom)) &&
			(q.IssuedBefore.IsZero() || r.CreatedAt.Before(q.IssuedBefore)) &&
			(q.State == "" || q.State.Includes(r.State(q.At))) {
			matching = append(matching, r)
		}
	}
	return matching
}

func listFields(t tester, s magiclink.Store, l magiclink.Lister) {
	const rule = "List returns records as Get does"
	if got := mustList(t, l, ofTenant(10)); len(got) != 0 {
		t.Errorf("an empty store lists nothing; got %d records", len(got))
	}
	var records []magiclink.Record
	for i := range 4 {
		records = append(records, liveRecord(i))
	}
	records[3].Extension, records[3].Path = "\x00\xff{", ""
	mustCreate(t, s, records...)
	records[1] = mustConsume(t, s, records[1], now(), firstBy)
	records[2] = mustRevoke(t, s, mustConsume(t, s, records[2], now(), firstBy), now())
	wantListed(t, mustList(t, l, ofTenant(10)), records, rule)
	for _, r := range records {
		wantStored(t, s, r, rule)
	}
}

// strangeIDs are ids of programs that have an idea of their own of what an id is.
var strangeIDs = []string{
	"mlk_aaaaaaaaaaaaaaaaaaaaaa", "mlk_aaaaaaaaaaaaaaaaaaaaaA", "mlk_A", "mlk_", "m", "MLK_z", "_", "~", " ", "0", "00", "mlk_%", "mlk_a_b",
	"é", "e\u0301", "z", "日本", "🔗", "a\x00", "a", "a\x01", "a\x00b", "a\\", "a\\0", "a]", "a\x7f", "'; DROP TABLE links; --",
}

func strangeRecords() (records []magiclink.Record) {
	for i, id := range strangeIDs {
		r := liveRecord(i)
		r.ID = id
		r.CreatedAt = r.CreatedAt.Add(time.Duration(i) * time.Minute) // in another order than the ids
		records = append(records, r)
	}
	return records
}

func listOrder(t tester, s magiclink.Store, l magiclink.Lister) {
	const rule = "List returns the largest ids first, compared byte by byte, whatever CreatedAt says"
	records := strangeRecords()
	mustCreate(t, s, records...)
	wantListed(t, mustList(t, l, ofTenant(everything)), records, rule)
	wantListed(t, walk(t, l, ofTenant(1)), records, rule+", over pages of one record")
}

func listPages(t tester, s magiclink.Store, l magiclink.Lister) {
	var records []magiclink.Record
	for i := range 30 {
		records = append(records, liveRecord(i))
	}
	other := liveRecord(31)
	other.TenantID = "tenant-2"
	mustCreate(t, s, append(slices.Clone(records), other)...)
	for _, limit := range []int{1, 2, 7, 15, 29, 30, 31, magiclink.MaxListLimit} {
		wantListed(t, walk(t, l, ofTenant(limit)), records, "the pages together are all records, each once")
	}
	query := ofTenant(10)
	query.Before = records[20].ID
	wantListed(t, mustList(t, l, query), records[10:20], "Before is exclusive")
	query.Before = records[0].ID
	wantListed(t, mustList(t, l, query), nil, "after the smallest id comes nothing")
}

// listPagesBesideCreatePurge changes the store between any two pages.
func listPagesBesideCreatePurge(t tester, s magiclink.Store, l magiclink.Lister) {
	const rule = "a walk returns each record that is there all the time exactly once, whatever is created and purged between pages"
	var lasting []magiclink.Record
	for i := range 40 {
		r := liveRecord(100 + i)
		if i%4 == 3 {
			r.ExpiresAt = r.ExpiresAt.Add(-30 * time.Minute) // purged during the walk
		} else {
			lasting = append(lasting, r)
		}
		mustCreate(t, s, r)
	}
	query, seen := ofTenant(5), map[string]int{}
	for page := 0; ; page++ {
		got := mustList(t, l, query)
		for _, r := range got {
			seen[r.ID]++
		}
		if len(got) < query.Limit || page > 20 {
			break
		}
		query.Before = got[len(got)-1].ID
		mustCreate(t, s, liveRecord(1000+page))
		if page == 2 {
			mustPurge(t, s, liveRecord(0).ExpiresAt.Add(-15*time.Minute), everything)
		}
	}
	for _, r := range lasting {
		if seen[r.ID] != 1 {
			t.Errorf("%s: one was returned %d times", rule, seen[r.ID])
		}
	}
	for id, times := range seen {
		if times > 1 || id >= liveRecord(1000).ID {
			t.Errorf("%s: %s was returned %d times, and records that are newer than the first page never", rule, id, times)
		}
	}
}

func listTenants(t tester, s magiclink.Store, l magiclink.Lister) {
	tenants := []string{"", "tenant-1", "tenant-10", "Tenant-1", "tenant", "tenant-1 ", "tenant-1\x00", `tenant-1\`, "%", "' OR 1=1 --"}
	byTenant := map[string][]magiclink.Record{}
	for i := range 5 * len(tenants) {
		r := liveRecord(i)
		r.TenantID = tenants[i%len(tenants)]
		byTenant[r.TenantID] = append(byTenant[r.TenantID], r)
		mustCreate(t, s, r)
	}
	for _, tenant := range append(tenants, "unknown", "_", "*") {
		for _, email := range []string{"", liveRecord(0).Email} {
			query := magiclink.ListQuery{Subject: magiclink.Subject{TenantID: tenant, Email: email}, Limit: 2}
			wantListed(t, walk(t, l, query), byTenant[tenant],
				"List returns the records of one tenant; the empty tenant is one, and tenants match as a whole and byte for byte")
		}
	}
}

func listHostileCursors(t tester, s magiclink.Store, l magiclink.Lister) {
	const rule = "Before is compared and nothing else: no cursor leads to other records than those of the tenant with smaller ids"
	records := strangeRecords()
	var foreign []magiclink.Record
	for i := range 10 {
		r := liveRecord(100 + i)
		r.TenantID = "tenant-2"
		foreign = append(foreign, r)
	}
	mustCreate(t, s, append(slices.Clone(records), foreign...)...)
	cursors := append(slices.Clone(strangeIDs), idsOf(foreign)...)
	cursors = append(cursors, "' OR tenant_id='tenant-2' --", "tenant-2", "tenant-2:mlk_", "tenant-1\x00tenant-2", "\x00", "\x7f", "\U0010ffff", "mlk_\x00",
		`"`, "$1", "?", ":id", "*", "{}", `{"tenant":"tenant-2"}`, "(mlk_", "[mlk_", "+", "-", "\r\nDEL x", strings.Repeat("z", 100_000),
		strings.Repeat("\U0010ffff", 100), "-1", "0 OR 1", "NULL", "\\0", "\\", "%", "mlk_' UNION SELECT * FROM links --")
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	for range 100 {
		text := make([]rune, random.IntN(40))
		for i := range text {
			text[i] = random.Int32N([]int32{0x80, 0x800, 0xd800}[random.IntN(3)])
		}
		cursors = append(cursors, string(text))
	}
	for _, cursor := range cursors {
		query := ofTenant(everything)
		query.Before = cursor
		wantListed(t, mustList(t, l, query), plainFilter(records, query), rule)
	}
}
