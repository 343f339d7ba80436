// Command postgres commits an invoice with its link, and an account with the use of the link: both or neither.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/postgres"
)

func main() {
	if err := run(context.Background(), os.Getenv("DATABASE_URL")); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, database string) error {
	pool, err := pgxpool.New(ctx, database)
	if err != nil {
		return err
	}
	defer pool.Close()
	store, err := postgres.New(pool, postgres.Options{})
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // nothing is under way
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	if _, err = pool.Exec(ctx, `CREATE TABLE IF NOT EXISTS invoices (email text, link text);
		CREATE TABLE IF NOT EXISTS accounts (email text, link text)`); err != nil {
		return err
	}
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA) // a service loads its keys from a file
	if err != nil {
		return err
	}
	config := magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: keys, Store: store}
	issuer, errIssuer := magiclink.New(config)
	redeemer, errRedeemer := magiclink.NewRedeemer(config)
	if err := errors.Join(errIssuer, errRedeemer); err != nil {
		return err
	}

	var issued magiclink.MagicLinkResponse
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) (err error) {
		issued, err = issuer.WithStore(store.InTx(tx)).Issue(ctx, magiclink.MagicLinkCreate{
			BusinessID: "biz_GA6EG2qFxA97NZHtxeLPUy", Email: "jane@example.com", Path: "/invoices",
		})
		if err == nil {
			_, err = tx.Exec(ctx, "INSERT INTO invoices VALUES ($1, $2)", "jane@example.com", issued.MagicLinkID)
		}
		return err
	})
	if err != nil {
		return err
	}
	fmt.Println("Mail this link now that it is committed:", issued.MagicLink)

	token := magiclink.TokenOf(issued.MagicLink)
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		redeemed, err := redeemer.WithStore(store.InTx(tx)).Redeem(ctx, token)
		if err != nil {
			return err // nothing is committed: neither the use nor the account
		}
		fmt.Println("Redeemed by", redeemed.Email)
		_, err = tx.Exec(ctx, "INSERT INTO accounts VALUES ($1, $2)", redeemed.Email, redeemed.MagicLinkID)
		return err
	})
}
