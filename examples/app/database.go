package main

import (
	"context"
	"database/sql"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/signin"
	"github.com/magiclink-go/magiclink/store/postgres"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// database holds the links, and beside them the accounts of those who may sign in.
type database struct {
	links  magiclink.Store
	tables *sql.DB
	close  func()
	domain string // everybody with an address at this domain may sign up
}

// openDatabase opens PostgreSQL if there is a URL, and SQLite otherwise.
func openDatabase(ctx context.Context, url, file, domain string) (database, error) {
	if url == "" {
		db, err := sql.Open("sqlite3", "file:"+file+"?_txlock=immediate&_synchronous=FULL&_busy_timeout=5000&_stmt_cache_size=8")
		if err != nil {
			return database{}, err
		}
		store, err := sqlite.New(db)
		return database{store, db, func() { _ = store.Close(); _ = db.Close() }, domain}, err
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return database{}, err
	}
	store, err := postgres.New(pool, postgres.Options{})
	if err == nil {
		err = store.Migrate(ctx)
	}
	return database{store, stdlib.OpenDBFromPool(pool), func() { _ = store.Close(); pool.Close() }, domain}, err
}

const createAccounts = `CREATE TABLE IF NOT EXISTS accounts (
	email      text PRIMARY KEY, -- in lower case
	invited_by text NOT NULL,    -- empty for somebody who has signed up
	verified   boolean NOT NULL  -- the person has signed in, so the address is theirs
)`

// resolve returns for whom a link is. The mail goes to the address that it returns.
func (d database) resolve(ctx context.Context, address string) (magiclink.MagicLinkCreate, error) {
	email, found := strings.ToLower(address), 0
	err := d.tables.QueryRowContext(ctx, "SELECT count(*) FROM accounts WHERE email = $1", email).Scan(&found)
	if err == nil && found == 0 && !strings.HasSuffix(email, "@"+d.domain) {
		err = signin.ErrUnknownAddress
	}
	return linkFor(email), err
}

func linkFor(email string) magiclink.MagicLinkCreate { // the TTL is that of an invitation: signin.Config has that of a sign-in
	return magiclink.MagicLinkCreate{ExternalBusinessID: "app", Email: email, TTL: 15, SessionTimeout: 7 * 24 * 60 * 60}
}

// signedIn makes the account at the first sign-in, and not before: now the person has shown that the address is theirs. It may run twice for
// one link. Until then an account is an empty invitation. If yours can hold a password or anything else before, remove that here from an account
// that is not verified: somebody else may have made it, and waits in it for the person.
func (d database) signedIn(_ http.ResponseWriter, r *http.Request, link magiclink.Redemption) error {
	return d.save(r.Context(), link.Email, "", link.Delivered == magiclink.DeliveredByMail)
}

func (d database) save(ctx context.Context, email, invitedBy string, verified bool) error {
	_, err := d.tables.ExecContext(ctx, `INSERT INTO accounts (email, invited_by, verified) VALUES ($1, $2, $3)
		ON CONFLICT (email) DO UPDATE SET verified = accounts.verified OR excluded.verified`, email, invitedBy, verified)
	return err
}
