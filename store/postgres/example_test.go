package postgres_test

import (
	"context"
	"log"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/postgres"
)

func ExampleNew() {
	ctx := context.Background()
	config, err := pgxpool.ParseConfig("postgres://app@db.example.com/app")
	if err != nil {
		log.Fatal(err)
	}
	config.ConnConfig.ConnectTimeout = 2 * time.Second
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec // behind a pgbouncer that keeps no prepared statements
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	store, err := postgres.New(pool, postgres.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close() // before the pool
	if err := store.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
}

// An account is made only if its link was used, and the link is used only if the account was made.
func ExampleStore_InTx() {
	signUp := func(ctx context.Context, pool *pgxpool.Pool, store *postgres.Store, redeemer *magiclink.Redeemer, token string) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			redeemed, err := redeemer.WithStore(store.InTx(tx)).Redeem(ctx, token)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, "INSERT INTO accounts (email) VALUES ($1)", redeemed.Email)
			return err
		})
	}
	_ = signUp
}
