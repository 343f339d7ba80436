package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/postgres"
)

// setting sets a parameter of the server for each session of a pool, as ALTER ROLE … SET does.
func setting(name, value string, more ...func(*pgxpool.Config)) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) {
		c.ConnConfig.RuntimeParams[name] = value
		for _, change := range more {
			change(c)
		}
	}
}

// TestByteaOutput reads bytes in the format of servers before PostgreSQL 9.0, which some roles are still set to.
func TestByteaOutput(t *testing.T) {
	url := dbtest.PostgresURL(t)
	for name, m := range map[string]pgx.QueryExecMode{
		"Default": pgx.QueryExecModeCacheStatement, "Exec": pgx.QueryExecModeExec, "Simple": pgx.QueryExecModeSimpleProtocol,
	} {
		t.Run(name, func(t *testing.T) {
			store := openStore(t, openPool(t, url, setting("bytea_output", "escape", mode(m))), newSchema())
			want := link(1)
			for b := range 256 {
				want.Extension += string([]byte{byte(b), '\\', byte(b)})
			}
			require.NoError(t, store.Create(t.Context(), want))
			require.NoError(t, store.Create(t.Context(), link(2)))
			got, err := store.Get(t.Context(), want.ID)
			require.NoError(t, err)
			require.Equal(t, want, got)
			at := time.Now()
			got, err = store.Consume(t.Context(), want.ID, at, "\\x00\x01\xff")
			require.NoError(t, err)
			require.Equal(t, "\\x00\x01\xff", got.ConsumedBy)
			found, err := store.List(t.Context(), magiclink.ListQuery{Subject: magiclink.Subject{TenantID: "tenant-1"}, Limit: 10})
			require.NoError(t, err)
			require.Len(t, found, 2)
			require.Equal(t, got, found[1])
			rate := magiclink.Rate{Every: time.Minute, Burst: 2}
			for _, err := range callAll(16, func(int) error { _, err := store.Take(t.Context(), "\\key\xff", rate, at); return err }) {
				require.NoError(t, err)
			}
			_, err = store.Purge(t.Context(), at.Add(100*time.Hour), 10)
			require.NoError(t, err)
		})
	}
}

// TestIdleSessions has a server that ends sessions that are idle: the next call takes a new connection.
func TestIdleSessions(t *testing.T) {
	store := openStore(t, openPool(t, dbtest.PostgresURL(t), setting("idle_session_timeout", "100ms", maxConns(1))), newSchema())
	for i := range 4 {
		time.Sleep(200 * time.Millisecond) // the time of the server
		require.NoError(t, store.Create(t.Context(), link(i)))
	}
}

func maxConns(n int32) func(*pgxpool.Config) { return func(c *pgxpool.Config) { c.MaxConns = n } }

// TestFunctionsOfOthers lets somebody who may create functions in the schema public put his own beside those of the server.
// PostgreSQL takes a function whose types match exactly before a polymorphic one, wherever it is in the search_path.
func TestFunctionsOfOthers(t *testing.T) {
	pool := openPool(t, dbtest.PostgresDatabase(t), nil)
	store := openStore(t, pool, newSchema())
	for _, kind := range []string{"text", "bytea", "bigint"} {
		_, err := pool.Exec(t.Context(), "CREATE FUNCTION public.unnest("+kind+"[]) RETURNS SETOF "+kind+
			" LANGUAGE plpgsql AS $$ BEGIN RAISE 'captured'; END $$")
		require.NoError(t, err)
	}
	_, err := pool.Exec(t.Context(), "SELECT unnest('{}'::text[])")
	require.ErrorContains(t, err, "captured", "positive control")
	checkEveryStatement(t, store)
}

// checkEveryStatement makes calls alone and side by side, so that each statement is used.
func checkEveryStatement(t *testing.T, store *postgres.Store) {
	t.Helper()
	at, rate := time.Now(), magiclink.Rate{Every: time.Minute, Burst: 100}
	subject := magiclink.Subject{TenantID: "tenant-1"}
	ctx := t.Context()
	require.NoError(t, store.Ping(ctx))
	for _, n := range []int{1, 64} {
		for name, call := range map[string]func(i int) error{
			"create": func(i int) error { return store.Create(ctx, link(100*n+i)) },
			"get":    func(int) error { _, err := store.Get(ctx, link(100*n).ID); return err },
			"take":   func(int) error { _, err := store.Take(ctx, "key", rate, at); return err },
			"list": func(int) error {
				_, err := store.List(ctx, magiclink.ListQuery{Subject: subject, Limit: 10})
				return err
			},
			"indexes": func(int) error { _, err := store.Indexes(ctx); return err },
			"peek":    func(int) error { _, err := store.Peek(ctx, "key"); return err },
			"reset":   func(int) error { return store.Reset(ctx, "other") },
		} {
			if name != "create" {
				_ = store.Create(ctx, link(100*n))
			}
			for _, err := range callAll(n, call) {
				if name == "create" && err == magiclink.ErrExists { //nolint:errorlint // as the contract says
					continue
				}
				require.NoError(t, err, name)
			}
		}
		for _, err := range callAll(n, func(i int) error { _, err := store.Consume(ctx, link(100*n+i).ID, at, "by"); return err }) {
			require.NoError(t, err)
		}
		require.NoError(t, store.Revoke(ctx, link(100*n).ID, at))
		_, err := store.RevokeSubject(ctx, magiclink.Subject{TenantID: "tenant-1", Email: "jane.doe@example.com"}, at.Add(time.Hour), at)
		require.NoError(t, err)
	}
	_, err := store.Purge(ctx, at.Add(1000*time.Hour), 1000)
	require.NoError(t, err)
}

// TestClientEncoding refuses sessions in which the server would store other characters than those of the caller.
func TestClientEncoding(t *testing.T) {
	url, schema := dbtest.PostgresURL(t), newSchema()
	openStore(t, openPool(t, url, nil), schema)
	for encoding, accepted := range map[string]bool{"utf8": true, "UNICODE": true, "SQL_ASCII": true, "LATIN1": false, "WIN1252": false} {
		pool := openPool(t, url, setting("client_encoding", encoding))
		store, err := postgres.New(pool, postgres.Options{Schema: schema})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		tx, err := pool.Begin(t.Context())
		require.NoError(t, err)
		_, inTx := store.InTx(tx).Get(t.Context(), link(1).ID)
		require.NoError(t, tx.Rollback(t.Context()))
		if accepted {
			require.NoError(t, store.Ping(t.Context()))
			require.ErrorIs(t, inTx, magiclink.ErrNotFound)
			continue
		}
		for _, err := range []error{store.Ping(t.Context()), store.Create(t.Context(), link(1)), inTx, store.Migrate(t.Context())} {
			require.ErrorContains(t, err, "client_encoding=UTF8")
			require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
		}
	}
}

// TestSimpleProtocolNeedsStandardStrings has a setting with which pgx sends nothing in the simple protocol.
func TestSimpleProtocolNeedsStandardStrings(t *testing.T) {
	url, schema := dbtest.PostgresURL(t), newSchema()
	openStore(t, openPool(t, url, nil), schema)
	for name, value := range map[string]string{"standard_conforming_strings": "off", "client_encoding": "SQL_ASCII"} {
		store, err := postgres.New(openPool(t, url, setting(name, value, mode(pgx.QueryExecModeSimpleProtocol))), postgres.Options{Schema: schema})
		require.NoError(t, err)
		err = store.Create(t.Context(), link(1))
		require.ErrorContains(t, err, "into the connection string")
		require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
		require.NoError(t, store.Close())
	}
	store := openStore(t, openPool(t, url, setting("standard_conforming_strings", "off")), schema)
	require.NoError(t, store.Create(t.Context(), link(1)), "the extended protocol does not mind")
}

// TestServerEndsEarly meets limits of the server on the time of a statement. Nothing is changed, and the error says what to do.
func TestServerEndsEarly(t *testing.T) {
	url, schema := dbtest.PostgresURL(t), newSchema()
	admin := openPool(t, url, nil)
	holder := openStore(t, admin, schema)
	require.NoError(t, holder.Create(t.Context(), link(1)))
	for name, advice := range map[string]string{"statement_timeout": "raise statement_timeout", "lock_timeout": "raise lock_timeout"} {
		store := openStore(t, openPool(t, url, setting(name, "50ms")), schema)
		tx, err := admin.Begin(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // also when the test fails: the pool waits for it
		_, err = holder.InTx(tx).Consume(t.Context(), link(1).ID, time.Now(), "holder")
		require.NoError(t, err)
		_, err = store.Consume(t.Context(), link(1).ID, time.Now(), "other")
		require.ErrorContains(t, err, advice)
		require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
		require.NoError(t, tx.Rollback(t.Context()))
	}
	readOnly, err := postgres.New(openPool(t, url, setting("default_transaction_read_only", "on")), postgres.Options{Schema: schema})
	require.NoError(t, err)
	require.ErrorContains(t, readOnly.Ping(t.Context()), "unset default_transaction_read_only")
	require.ErrorContains(t, readOnly.Create(t.Context(), link(2)), "unset default_transaction_read_only")
	require.NoError(t, readOnly.Close())
}

// TestColumnChangesType changes the types that the prepared statements of a running store return.
func TestColumnChangesType(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresURL(t), maxConns(4)), newSchema()
	store := openStore(t, pool, schema)
	table := pgx.Identifier{schema, "magiclink_links"}.Sanitize()
	for i, kind := range []string{"varchar", "text", "varchar(300)", "text"} {
		checkCalls(t, store, 10*i)
		_, err := pool.Exec(t.Context(), "ALTER TABLE "+table+" ALTER COLUMN path TYPE "+kind+` COLLATE "C"`)
		require.NoError(t, err)
	}
	checkCalls(t, store, 100)
}

func checkCalls(t *testing.T, store *postgres.Store, number int) {
	t.Helper()
	for i := range 2 {
		require.NoError(t, store.Create(t.Context(), link(number+i)))
		_, err := store.Get(t.Context(), link(number+i).ID)
		require.NoError(t, err)
		_, err = store.Consume(t.Context(), link(number+i).ID, time.Now(), "by")
		require.NoError(t, err)
	}
	for _, err := range callAll(32, func(int) error { _, err := store.Get(t.Context(), link(number).ID); return err }) {
		require.NoError(t, err)
	}
}

// TestTriggerKeepsRowsOut has a trigger of somebody else, which lets an INSERT succeed without a row. Create must not acknowledge
// that.
func TestTriggerKeepsRowsOut(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresDatabase(t), nil), newSchema()
	store := openStore(t, pool, schema)
	_, err := pool.Exec(t.Context(), `CREATE FUNCTION public.skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
		CREATE TRIGGER skip BEFORE INSERT ON `+pgx.Identifier{schema, "magiclink_links"}.Sanitize()+` FOR EACH ROW EXECUTE FUNCTION public.skip()`,
		pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
	require.ErrorContains(t, store.Create(t.Context(), link(1)), "remove the trigger")
	for _, err := range callAll(32, func(i int) error { return store.Create(t.Context(), link(i)) }) {
		require.Error(t, err)
	}
}

// TestLogOfTheServer lets the server log every statement with its parameters. People are in that log, but nothing that signs
// anybody in.
func TestLogOfTheServer(t *testing.T) {
	server := dbtest.StartPostgres(t, "fsync=off", "log_statement=all")
	store := openStore(t, openPool(t, server.URL(), nil), newSchema())
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	config := magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: keys, Store: store}
	issuer, err := magiclink.New(config)
	require.NoError(t, err)
	redeemer, err := magiclink.NewRedeemer(config)
	require.NoError(t, err)
	sessions, err := magiclink.NewSessions(config)
	require.NoError(t, err)
	link, err := issuer.Issue(t.Context(), magiclink.MagicLinkCreate{ExternalBusinessID: "acme", Email: "jane.doe@example.com"})
	require.NoError(t, err)
	token := magiclink.TokenOf(link.MagicLink)
	redeemed, err := redeemer.Redeem(t.Context(), token)
	require.NoError(t, err)
	session, _, err := sessions.Grant(t.Context(), redeemed)
	require.NoError(t, err)
	_, err = sessions.Verify(t.Context(), session)
	require.NoError(t, err)
	log := server.Log()
	require.Contains(t, log, "jane.doe@example.com")
	require.Contains(t, log, link.MagicLinkID)
	for _, secret := range []string{token, session} {
		signature := secret[strings.LastIndexByte(secret, '.')+1:]
		require.Greater(t, len(signature), 20)
		require.NotContains(t, log, signature)
	}
}
