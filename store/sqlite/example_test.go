//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// An invoice and the link to it are committed together or not at all.
func ExampleInTx() {
	dir, err := os.MkdirTemp("", "magiclink")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "app.db")+"?_txlock=immediate&_synchronous=FULL")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	store, err := sqlite.New(db)
	if err != nil {
		panic(err)
	}
	defer store.Close()
	if _, err := db.Exec("CREATE TABLE invoices (id INTEGER PRIMARY KEY, email TEXT, link_id TEXT)"); err != nil {
		panic(err)
	}
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err != nil {
		panic(err)
	}
	issuer, err := magiclink.New(magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: keys, Store: store})
	if err != nil {
		panic(err)
	}

	invoice := func(ctx context.Context, email string) (link string, err error) {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return "", err
		}
		defer tx.Rollback() // does nothing after Commit
		response, err := issuer.WithStore(sqlite.InTx(tx)).Issue(ctx, magiclink.MagicLinkCreate{
			ExternalBusinessID: "app", Email: email, Path: "/invoices",
		})
		if err != nil {
			return "", err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO invoices (email, link_id) VALUES (?, ?)", email, response.MagicLinkID); err != nil {
			return "", err
		}
		return response.MagicLink, tx.Commit() // send the link only if the error is nil
	}
	_, err = invoice(context.Background(), "jane@example.com")
	fmt.Println(err)

	var links, invoices int
	err = db.QueryRow("SELECT (SELECT count(*) FROM magiclink_links), (SELECT count(*) FROM invoices)").Scan(&links, &invoices)
	fmt.Println(err, links, invoices)
	// Output:
	// <nil>
	// <nil> 1 1
}

// An account is made only if its link was used, and the link is used only if the account was made.
func ExampleStore_InTx() {
	signUp := func(ctx context.Context, db *sql.DB, store *sqlite.Store, redeemer *magiclink.Redeemer, token string) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // does nothing after Commit
		redeemed, err := redeemer.WithStore(store.InTx(tx)).Redeem(ctx, token)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO accounts (email) VALUES (?)", redeemed.Email); err != nil {
			return err
		}
		return tx.Commit()
	}
	_ = signUp
}
