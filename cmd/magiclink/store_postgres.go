package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/postgres"
)

const (
	connectTimeout = 2 * time.Second  // of one attempt, unless the URL has a connect_timeout
	startTimeout   = 10 * time.Second // of the first look at a server
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
	if err != nil {
		return nil, nil, errors.Join(adviseServer(err), closeStore())
	}
	return store, closeStore, nil
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
