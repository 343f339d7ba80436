package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/postgres"
	"github.com/magiclink-go/magiclink/store/storetest"
)

var everyIndex = []postgres.Index{postgres.ByTenant, postgres.ByEmail, postgres.ByBusiness, postgres.ByExternalBusiness}

func createIndexes(t testing.TB, store *postgres.Store, indexes ...postgres.Index) {
	t.Helper()
	for _, index := range indexes {
		require.NoError(t, store.CreateIndex(t.Context(), index))
	}
}

func TestStoreWithIndexes(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), nil)
	storetest.Run(t, func(t *testing.T) magiclink.Store {
		store := openStore(t, pool, newSchema())
		createIndexes(t, store, everyIndex...)
		return store
	})
}

func TestIndexesComeAndGo(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresURL(t), nil), newSchema()
	store, other := openStore(t, pool, schema), openStore(t, pool, schema)
	require.NoError(t, store.Create(t.Context(), link(1)))
	count := func() (n int) {
		const query = "SELECT count(*) FROM pg_indexes WHERE schemaname = $1 AND tablename = 'magiclink_links'"
		require.NoError(t, pool.QueryRow(t.Context(), query, schema).Scan(&n))
		return n
	}
	before := count()
	for range 2 {
		createIndexes(t, store, everyIndex...)
	}
	require.Equal(t, before+len(everyIndex), count())
	there, err := other.Indexes(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, everyIndex, there)
	require.NoError(t, other.Create(t.Context(), link(2)), "a process that knows nothing of the indexes")
	for range 2 {
		found, err := other.List(t.Context(), magiclink.ListQuery{Subject: link(1).Subject, Limit: 10})
		require.NoError(t, err)
		require.Len(t, found, 2)
		for _, index := range everyIndex {
			require.NoError(t, store.DropIndex(t.Context(), index))
		}
	}
	require.Equal(t, before, count())
	there, err = store.Indexes(t.Context())
	require.NoError(t, err)
	require.Empty(t, there)
	for _, unknown := range []postgres.Index{"", "magiclink_links_purge_at", `x"; DROP TABLE magiclink_links`} {
		require.ErrorContains(t, store.CreateIndex(t.Context(), unknown), "use one of the constants")
		require.ErrorContains(t, store.DropIndex(t.Context(), unknown), "use one of the constants")
	}
}

// fillTable inserts links with few tenants and many addresses.
func fillTable(t testing.TB, pool *pgxpool.Pool, schema string, from, to int) {
	t.Helper()
	_, err := pool.Exec(context.Background(), `INSERT INTO `+quote(schema)+`.magiclink_links (id, tenant_id, business_id, external_business_id,
		email, path, session_timeout, extension, created_at, expires_at, consumed_by, purge_at)
		SELECT 'mlk_' || lpad(i::text, 22, '0'), CASE WHEN i % 100 = 0 THEN 'rare' ELSE 'tenant-1' END, 'biz_' || i % 50, 'shop' || i % 50,
		'a' || i || '@example.com', '/orders', 86400, '', 1800000000000 + i, 1900000000000 + i, '', 1900000000000 + i
		FROM generate_series($1::bigint, $2::bigint) AS i`, from, to)
	require.NoError(t, err)
}

// TestListReadsThroughIndexes looks at the plans of a List: those for the values, and those that PostgreSQL would keep for a prepared
// statement; while the table is not analyzed, after it was analyzed, and with statistics from a time when the table was small.
func TestListReadsThroughIndexes(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.MaxConns = 3 })
	for _, there := range [][]postgres.Index{nil, everyIndex} {
		schema := newSchema()
		store := openStore(t, pool, schema)
		_, err := pool.Exec(t.Context(), "ALTER TABLE "+quote(schema)+".magiclink_links SET (autovacuum_enabled = false)")
		require.NoError(t, err)
		createIndexes(t, store, there...)
		fillTable(t, pool, schema, 1, 20_000)
		name := fmt.Sprint(len(there), " indexes ")
		t.Run(name+"not analyzed", func(t *testing.T) { checkPlans(t, pool, schema, there) })
		analyze := func() {
			_, err := pool.Exec(t.Context(), "ANALYZE "+quote(schema)+".magiclink_links")
			require.NoError(t, err)
		}
		analyze()
		t.Run(name+"analyzed", func(t *testing.T) { checkPlans(t, pool, schema, there) })
		_, err = pool.Exec(t.Context(), "TRUNCATE "+quote(schema)+".magiclink_links")
		require.NoError(t, err)
		fillTable(t, pool, schema, 1, 100)
		analyze()
		fillTable(t, pool, schema, 101, 20_000)
		t.Run(name+"analyzed when small", func(t *testing.T) { checkPlans(t, pool, schema, there) })
	}
}

func checkPlans(t *testing.T, pool *pgxpool.Pool, schema string, there []postgres.Index) {
	t.Helper()
	for index, subject := range map[postgres.Index]magiclink.Subject{
		postgres.ByTenant:           {TenantID: "tenant-1"},
		postgres.ByEmail:            {TenantID: "tenant-1", Email: "a19999@example.com"},
		postgres.ByBusiness:         {TenantID: "rare", BusinessID: "biz_1"},
		postgres.ByExternalBusiness: {TenantID: "nobody", ExternalBusinessID: "shop1"},
	} {
		want := string(index)
		if len(there) == 0 {
			want = "magiclink_links_pkey"
		}
		for _, before := range []string{"", "mlk_0000000000000000015000"} {
			for _, state := range []magiclink.State{"", magiclink.StateLive, magiclink.StateRevoked} {
				query := magiclink.ListQuery{Subject: subject, State: state, At: time.Now(), Before: before, Limit: 100}
				statement, args := postgres.ListStatement(schema, query, there...)
				for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
					plan := planOf(t, pool, statement, args, mode)
					// A bitmap of a small part of the index is possible where the statistics are exact.
					require.Regexp(t, "Index Scan (Backward using|on) "+want, plan, "%s\n%s", mode, statement)
					require.NotContains(t, plan, "Seq Scan", "%s\n%s", mode, statement)
				}
			}
		}
	}
}

// planOf prepares the statement and returns how PostgreSQL would carry it out.
func planOf(t *testing.T, pool *pgxpool.Pool, statement string, args pgx.NamedArgs, mode string) (plan string) {
	t.Helper()
	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		text, values, err := args.RewriteQuery(t.Context(), tx.Conn(), statement, nil)
		require.NoError(t, err)
		literals := make([]string, len(values))
		for i, value := range values {
			literals[i] = "'" + strings.ReplaceAll(fmt.Sprint(value), "'", "''") + "'"
		}
		for _, each := range []string{"SET LOCAL plan_cache_mode = " + mode, "PREPARE listing AS " + text} {
			_, err := tx.Exec(t.Context(), each, pgx.QueryExecModeSimpleProtocol)
			require.NoError(t, err)
		}
		rows, err := tx.Query(t.Context(), "EXPLAIN EXECUTE listing ("+strings.Join(literals, ", ")+")", pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		plan = strings.Join(lines, "\n")
		_, err = tx.Exec(t.Context(), "DEALLOCATE listing", pgx.QueryExecModeSimpleProtocol)
		return err
	}))
	return plan
}

// A search that finds nothing reads every record in steps, and its caller can leave. The Timeout is for each step alone.
func TestListEndsWithItsContext(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresURL(t), nil), newSchema()
	store := openStore(t, pool, schema)
	fillTable(t, pool, schema, 1, 150_000)
	query := magiclink.ListQuery{Subject: magiclink.Subject{TenantID: "tenant-1", Email: "nobody@example.com"}, Limit: 10}
	whole, err := limited(t, time.Minute, func(ctx context.Context) error {
		found, err := store.List(ctx, query)
		require.Empty(t, found)
		return err
	})
	require.NoError(t, err)
	_, err = limited(t, whole/10, func(ctx context.Context) error { _, err := store.List(ctx, query); return err })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	query.Email = "a1@example.com" // the oldest
	found, err := store.List(t.Context(), query)
	require.NoError(t, err)
	require.Len(t, found, 1)
}

// Every record is found, wherever the steps of a search end.
func TestListMissesNothingBetweenSteps(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresURL(t), nil), newSchema()
	store := openStore(t, pool, schema)
	const links = 2000
	fillTable(t, pool, schema, 1, links)
	for _, err := range callAll(links, func(i int) error {
		tenant := "tenant-1"
		if (i+1)%100 == 0 {
			tenant = "rare"
		}
		found, err := store.List(context.Background(), magiclink.ListQuery{
			Subject: magiclink.Subject{TenantID: tenant, Email: fmt.Sprintf("a%d@example.com", i+1)}, Limit: 1,
		})
		if err == nil && len(found) != 1 {
			err = fmt.Errorf("number %d is missing", i+1)
		}
		return err
	}) {
		require.NoError(t, err)
	}
}

// Another replica revokes a link between the search and the change.
func TestRevokeSubjectBesideAnotherReplica(t *testing.T) {
	schema := newSchema()
	other := openStore(t, openPool(t, dbtest.PostgresURL(t), nil), schema)
	for i := range 5 {
		require.NoError(t, other.Create(t.Context(), link(i)))
	}
	at := time.Now()
	tracer := &interloper{text: "ANY ($1::text[])", do: func() {
		if err := other.Revoke(context.Background(), link(2).ID, at.Add(-time.Minute)); err != nil {
			t.Error(err)
		}
	}}
	store := openStore(t, openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.ConnConfig.Tracer = tracer }), schema)
	n, err := store.RevokeSubject(t.Context(), link(0).Subject, at.Add(time.Minute), at)
	require.NoError(t, err)
	require.Equal(t, 4, n, "the other replica has revoked one")
	got, err := other.Get(t.Context(), link(2).ID)
	require.NoError(t, err)
	require.Equal(t, at.Add(-time.Minute).UnixMilli(), got.RevokedAt.UnixMilli())
}

// RevokeSubject waits for a link that a transaction of the application has locked, and holds up no other link meanwhile.
func TestRevokeSubjectWaitsForALockedLink(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), nil)
	store := openStore(t, pool, newSchema())
	for i := range 5 {
		require.NoError(t, store.Create(t.Context(), link(i)))
	}
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(context.Background())
	_, err = store.InTx(tx).Consume(t.Context(), link(2).ID, time.Now(), "application")
	require.NoError(t, err)

	done := make(chan struct{})
	var n int
	var failure error
	go func() {
		defer close(done)
		n, failure = store.RevokeSubject(t.Context(), link(0).Subject, time.Now().Add(time.Minute), time.Now())
	}()
	require.Eventually(t, func() bool {
		got, err := store.Get(t.Context(), link(0).ID)
		return err == nil && !got.RevokedAt.IsZero()
	}, 5*time.Second, time.Millisecond, "the other links are revoked")
	select {
	case <-done:
		require.Fail(t, "the locked link is still to come")
	case <-time.After(100 * time.Millisecond):
	}
	require.NoError(t, tx.Commit(t.Context()))
	<-done
	require.NoError(t, failure)
	require.Equal(t, 5, n)
	got, err := store.Get(t.Context(), link(2).ID)
	require.NoError(t, err)
	require.False(t, got.RevokedAt.IsZero() || got.ConsumedAt.IsZero())
}
