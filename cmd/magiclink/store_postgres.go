package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/postgres"
)

const (
	connectTimeout = 2 * time.Second  // of one attempt, unless the URL has a connect_timeout
	startTimeout   = 10 * time.Second // of the first look at a server
	pooledProbes   = 4                // connections that prepare the same statement: a busy pooler may give two of them different servers
)

// openPostgres refuses a server that cannot be reached, and tables that are not there: a service that cannot work should say
// so when it starts.
func openPostgres(ctx context.Context, url string) (magiclink.Store, func() error, error) {
	store, closeStore, err := connectPostgres(ctx, url)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err = store.Ping(ctx)
	if errors.Is(err, postgres.ErrNotMigrated) {
		err = fmt.Errorf("the database is not prepared for this version: run \"magiclink migrate\" with the same -store: %w", err)
	}
	if err == nil {
		err = checkPooler(ctx, url)
	}
	if err != nil {
		return nil, nil, errors.Join(adviseServer(err), closeStore())
	}
	return store, closeStore, nil
}

// checkPooler refuses a pooler that gives the statements which one connection has prepared to another one: most calls would fail. Ping alone
// succeeds as long as it is the first to prepare its statement. Any other error says nothing about that.
func checkPooler(ctx context.Context, url string) error {
	config, err := pgxpool.ParseConfig(url) // which knows the parameters of the pool
	if err != nil || config.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		return err
	}
	name := "magiclink_" + rand.Text()
	for range pooledProbes {
		conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
		if err != nil {
			return nil //nolint:nilerr // Ping has reached the server
		}
		defer conn.Close(ctx) //nolint:errcheck // nothing was written
		answer, _ := errors.AsType[*pgconn.PgError](prepare(ctx, conn, name))
		if answer != nil && (answer.Code == "42P05" || answer.Code == "26000") { // the name is taken, or unknown
			_, _ = conn.Exec(ctx, "DEALLOCATE "+pgx.Identifier{name}.Sanitize(), pgx.QueryExecModeSimpleProtocol)
			return fmt.Errorf("the pooler between this process and the server keeps no prepared statements: "+
				"add default_query_exec_mode=exec to the parameters of -store: %w", answer)
		}
	}
	return nil
}

// prepare prepares a statement and uses it.
func prepare(ctx context.Context, conn *pgx.Conn, name string) error {
	if _, err := conn.Prepare(ctx, name, "SELECT 1"); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, name)
	return err
}

// adviceOfPostgres says what to do about an answer of the server to the first connection, or nothing.
func adviceOfPostgres(err error) string {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok && strings.Contains(err.Error(), "ValidateConnect failed"):
		return "no server of -store is what its target_session_attrs asks for: name the primary"
	case !ok && strings.HasSuffix(err.Error(), noTLS): // sslmode=prefer goes on without TLS
		return "turn TLS on at the server, or, where the network is yours alone, write sslmode=disable in -store"
	case !ok:
		return ""
	}
	return map[string]string{
		"28P01": "correct the user or the password in -store, or in PGPASSWORD",
		"3D000": "correct the name of the database in -store, or make it with createdb",
		"42704": "correct the parameters of -store",
		"53300": "raise max_connections of the server or the limit of the role, or lower pool_max_conns in -store of all processes",
		"08P01": "where a pooler answers, give this command a connection to the server itself",
	}[answer.Code]
}

const noTLS = "server refused TLS connection"

// withoutTLSAttempts drops the attempts that sslmode=prefer has made with TLS in vain, where others without it say why they failed.
func withoutTLSAttempts(text string) string {
	lines := strings.Split(text, "\n\t")
	others := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.HasSuffix(line, noTLS) })
	if len(others) < 2 { // the first introduces the attempts
		return text
	}
	return strings.Join(others, "\n\t")
}

// connectPostgres returns a store that connects when it is used.
func connectPostgres(ctx context.Context, url string) (*postgres.Store, func() error, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, nil, usagef("-store: %s", err) // pgx hides the password
	}
	if config.ConnConfig.ConnectTimeout > time.Minute { // the default of pgx, in which a hanging attempt would take a place of the pool
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	store, err := postgres.New(pool, postgres.Options{})
	if err != nil {
		pool.Close()
		return nil, nil, err
	}
	return store, func() error {
		err := store.Close()
		pool.Close()
		return err
	}, nil
}
