// Command sqlite commits an invoice with its link, and an account with the use of the link: both or neither, in one file.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

func main() {
	if err := run(context.Background(), "app.db"); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, file string) error {
	db, err := sql.Open("sqlite3", "file:"+file+"?_txlock=immediate&_synchronous=FULL&_busy_timeout=5000")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing is under way
	const tables = "CREATE TABLE IF NOT EXISTS invoices (email, link); CREATE TABLE IF NOT EXISTS accounts (email, link)"
	if _, err := db.ExecContext(ctx, tables); err != nil {
		return err
	}
	store, err := sqlite.New(db)
	if err != nil {
		return err
	}
	defer store.Close()                                     //nolint:errcheck // as above
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA) // a service loads its keys from a file
	if err != nil {
		return err
	}
	config := magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: keys, Store: store}
	issuer, errIssuer := magiclink.New(config)
	redeemer, errRedeemer := magiclink.NewRedeemer(config)
	var issued magiclink.MagicLinkResponse
	if err := errors.Join(errIssuer, errRedeemer); err != nil {
		return err
	}
	err = inTx(ctx, db, func(tx *sql.Tx) (err error) {
		create := magiclink.MagicLinkCreate{ExternalBusinessID: "app", Email: "jane@example.com", Path: "/invoices"}
		issued, err = issuer.WithStore(store.InTx(tx)).Issue(ctx, create)
		if err == nil {
			_, err = tx.ExecContext(ctx, "INSERT INTO invoices VALUES (?, ?)", "jane@example.com", issued.MagicLinkID)
		}
		return err
	})
	if err != nil {
		return err
	}
	fmt.Println("Mail this link now that it is committed:", issued.MagicLink)
	return inTx(ctx, db, func(tx *sql.Tx) error {
		redeemed, err := redeemer.WithStore(store.InTx(tx)).Redeem(ctx, magiclink.TokenOf(issued.MagicLink))
		if err != nil {
			return err // nothing is committed: neither the use nor the account
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO accounts VALUES (?, ?)", redeemed.Email, redeemed.MagicLinkID)
		return err
	})
}

// inTx commits what work has done, or nothing of it.
func inTx(ctx context.Context, db *sql.DB, work func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := work(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
