//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// The transaction has the lock of the database, so a count on another connection would wait for it until it fails.
func TestLimitsInATransaction(t *testing.T) {
	path := newPath(t)
	s, db := open(t, path), immediate(t, path)
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	issuer, err := magiclink.New(magiclink.Config{
		BaseURL: "https://app.example.com/magic", Keys: keys, Store: s,
		Limits: magiclink.Limits{PerSubject: magiclink.Rate{Burst: 1, Every: time.Hour}},
	})
	require.NoError(t, err)
	input := magiclink.MagicLinkCreate{ExternalBusinessID: "app", Email: "jane@example.com"}
	subject := magiclink.Subject{ExternalBusinessID: "app", Email: "jane@example.com"}
	for name, bind := range map[string]func(*sql.Tx) magiclink.Store{"InTx": sqlite.InTx, "Store.InTx": s.InTx} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.NoError(t, issuer.ResetLimit(ctx, magiclink.Caller{}, subject))
			tx := begin(t, db)
			_, err := issuer.WithStore(bind(tx)).Issue(ctx, input)
			require.NoError(t, err)
			_, err = issuer.WithStore(bind(tx)).Issue(ctx, input)
			require.ErrorIs(t, err, magiclink.ErrLimited, "the transaction sees its own counts")
			require.NoError(t, tx.Rollback())

			tx = begin(t, db)
			link, err := issuer.WithStore(bind(tx)).Issue(ctx, input)
			require.NoError(t, err, "a rollback takes the link and its count back")
			require.NoError(t, tx.Commit())
			_, err = s.Get(ctx, link.MagicLinkID)
			require.NoError(t, err)
			_, err = issuer.Issue(ctx, input)
			require.ErrorIs(t, err, magiclink.ErrLimited, "a commit counts for everybody")

			tx = begin(t, db)
			require.NoError(t, issuer.WithStore(bind(tx)).ResetLimit(ctx, magiclink.Caller{}, subject))
			require.NoError(t, tx.Commit())
			_, err = issuer.Issue(ctx, input)
			require.NoError(t, err, "a reset that was committed")
		})
	}
}
