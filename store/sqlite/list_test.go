//go:build cgo

package sqlite_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
	"github.com/magiclink-go/magiclink/store/storetest"
)

var everyIndex = []sqlite.Index{sqlite.ByTenant, sqlite.ByEmail, sqlite.ByBusiness, sqlite.ByExternalBusiness}

func createIndexes(t testing.TB, s *sqlite.Store, indexes ...sqlite.Index) {
	t.Helper()
	for _, index := range indexes {
		require.NoError(t, s.CreateIndex(t.Context(), index))
	}
}

func TestStoreWithIndexes(t *testing.T) {
	t.Parallel() // waits for the disk
	storetest.Run(t, func(t *testing.T) magiclink.Store {
		s := open(t, newPath(t))
		createIndexes(t, s, everyIndex...)
		return s
	})
}

func TestIndexesComeAndGo(t *testing.T) {
	path := newPath(t)
	s, other := open(t, path), open(t, path)
	create(t, s, 1, 2, 3)
	before := schemaOf(t, path)
	for range 2 {
		createIndexes(t, s, everyIndex...)
	}
	require.Len(t, schemaOf(t, path), len(before)+len(everyIndex))
	there, err := other.Indexes(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, everyIndex, there)
	create(t, other, 4) // a process that knows nothing of the indexes
	query := magiclink.ListQuery{Subject: magiclink.Subject{Email: "canary@example.com"}, Limit: 10}
	for range 2 {
		found, err := other.List(t.Context(), query)
		require.NoError(t, err)
		require.Len(t, found, 4)
		for _, index := range everyIndex {
			require.NoError(t, s.DropIndex(t.Context(), index))
		}
	}
	require.Equal(t, before, schemaOf(t, path))
	there, err = s.Indexes(t.Context())
	require.NoError(t, err)
	require.Empty(t, there)
	for _, unknown := range []sqlite.Index{"", "magiclink_links_purge_at", "x; DROP TABLE magiclink_links"} {
		require.ErrorContains(t, s.CreateIndex(t.Context(), unknown), "use one of the constants")
		require.ErrorContains(t, s.DropIndex(t.Context(), unknown), "use one of the constants")
	}
	requirePresent(t, s, 1)
}

// fillTable inserts links behind the store's back, with few tenants and many addresses.
func fillTable(t testing.TB, path string, links int) {
	t.Helper()
	db := pool(t, path)
	_, err := db.ExecContext(context.Background(), fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO magiclink_links SELECT printf('mlk_%%022d', i), iif(i %% 100 = 0, 'rare', 'tenant-1'), 'biz_' || (i %% 50), 'shop' || (i %% 50),
		'a' || i || '@example.com', '/orders', 86400, x'', 1800000000000 + i, 1900000000000 + i, NULL, 1900000000000 + i FROM n`, links))
	require.NoError(t, err)
}

// TestListReadsThroughIndexes looks at the plans of a List, before and after statistics were gathered that speak against the index.
func TestListReadsThroughIndexes(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	fillTable(t, path, 2000)
	db := pool(t, path)
	tenant := magiclink.Subject{TenantID: "tenant-1"}
	email := magiclink.Subject{TenantID: "tenant-1", Email: "a1@example.com"}
	business := magiclink.Subject{TenantID: "tenant-1", BusinessID: "biz_1"}
	external := magiclink.Subject{TenantID: "tenant-1", ExternalBusinessID: "shop1"}
	check := func(t *testing.T, subject magiclink.Subject, want string, there ...sqlite.Index) {
		t.Helper()
		for _, state := range []magiclink.State{"", magiclink.StateLive, magiclink.StateSession, magiclink.StateRevoked} {
			query := magiclink.ListQuery{Subject: subject, State: state, At: time.Now(), Before: "mlk_z", Limit: 10, IssuedFrom: time.Unix(1, 0)}
			statements, args := sqlite.ListStatements(query, there...)
			for i, statement := range statements {
				plan := strings.Join(queryPlan(t, db, statement, args[i]...), "\n")
				require.Contains(t, plan, want, statement)
				require.NotContains(t, plan, "SCAN", statement)
				require.NotContains(t, plan, "TEMP B-TREE", statement)
			}
		}
	}
	all := func(t *testing.T) {
		t.Helper()
		check(t, tenant, "magiclink_links_tenant (tenant_id=? AND id<?)", everyIndex...)
		check(t, email, "magiclink_links_email (tenant_id=? AND email=? AND id<?)", everyIndex...)
		check(t, business, "magiclink_links_business (tenant_id=? AND business_id=? AND id<?)", everyIndex...)
		check(t, external, "magiclink_links_external_business (tenant_id=? AND external_business_id=? AND id<?)", everyIndex...)
	}
	for _, subject := range []magiclink.Subject{tenant, email, business, external} {
		check(t, subject, "USING PRIMARY KEY (id<?)")
	}
	createIndexes(t, s, everyIndex...)
	t.Run("not analyzed", all)
	_, err := db.ExecContext(t.Context(), "ANALYZE")
	require.NoError(t, err)
	t.Run("analyzed", all)
}

// A search that finds nothing reads every record, and its caller can leave.
func TestListEndsWithItsContext(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	fillTable(t, path, 150_000)
	query := magiclink.ListQuery{Subject: magiclink.Subject{TenantID: "tenant-1", Email: "nobody@example.com"}, Limit: 10}
	began := time.Now()
	found, err := s.List(t.Context(), query)
	whole := time.Since(began)
	require.NoError(t, err)
	require.Empty(t, found)

	ctx, cancel := context.WithTimeout(t.Context(), whole/10)
	defer cancel()
	_, err = s.List(ctx, query)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	query.Email = "a1@example.com" // the oldest
	found, err = s.List(t.Context(), query)
	require.NoError(t, err)
	require.Len(t, found, 1)
}

// Every record is found, wherever the steps of a search end.
func TestListMissesNothingBetweenSteps(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	const links = 1500
	fillTable(t, path, links)
	for i := 1; i <= links; i++ {
		tenant := "tenant-1"
		if i%100 == 0 {
			tenant = "rare"
		}
		query := magiclink.ListQuery{Subject: magiclink.Subject{TenantID: tenant, Email: fmt.Sprintf("a%d@example.com", i)}, Limit: 1}
		found, err := s.List(t.Context(), query)
		require.NoError(t, err)
		require.Len(t, found, 1, "number %d", i)
	}
}

// Calls that revoke one subject at the same time find the same records. Each record counts once.
func TestRevokeSubjectCountsOnce(t *testing.T) {
	path := newPath(t)
	stores := []*sqlite.Store{open(t, path), open(t, path)}
	const links, callers = 400, 8
	for round := range 5 {
		var group sync.WaitGroup
		for i := range links {
			group.Go(func() { create(t, stores[0], 1000*round+i) })
		}
		group.Wait()
		counts := make([]int, callers)
		at := time.Now()
		for i := range counts {
			group.Go(func() {
				n, err := stores[i%2].RevokeSubject(t.Context(), magiclink.Subject{Email: "canary@example.com"}, at, at)
				if counts[i] = n; err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		sum := 0
		for _, n := range counts {
			sum += n
		}
		require.Equal(t, links, sum, counts)
	}
}

func TestOptionalInterfacesOfAClosedStore(t *testing.T) {
	s := open(t, newPath(t))
	require.NoError(t, s.Close())
	for name, store := range map[string]*sqlite.Store{"is closed": s, "use Open or New": {}} {
		_, err := store.List(t.Context(), magiclink.ListQuery{Limit: 1})
		require.ErrorContains(t, err, name)
		_, err = store.RevokeSubject(t.Context(), magiclink.Subject{Email: "x"}, time.Now(), time.Now())
		require.ErrorContains(t, err, name)
		_, err = store.Take(t.Context(), "key", magiclink.Rate{Burst: 1, Every: time.Second}, time.Now())
		require.ErrorContains(t, err, name)
		require.ErrorContains(t, store.Reset(t.Context(), "key"), name)
		require.ErrorContains(t, store.CreateIndex(t.Context(), sqlite.ByEmail), name)
	}
}
