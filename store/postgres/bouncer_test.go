package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/storetest"
)

func TestBouncer(t *testing.T) {
	server := dbtest.SharedPostgres(t)
	for name, c := range map[string]struct {
		prepared int
		change   func(*pgxpool.Config)
	}{
		"Exec":               {0, mode(pgx.QueryExecModeExec)},
		"SimpleProtocol":     {0, mode(pgx.QueryExecModeSimpleProtocol)},
		"PreparedStatements": {200, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := server.Bouncer(t, c.prepared)
			storetest.Run(t, fresh(openPool(t, url, c.change)))
		})
	}
}

// TestBouncerWithoutPreparedStatements is the mistake that everybody makes once: the error says what to do.
func TestBouncerWithoutPreparedStatements(t *testing.T) {
	url, schema := dbtest.SharedPostgres(t).Bouncer(t, 0), newSchema()
	var failure error
	for i := range 8 { // the pooler gives them the same connection to the server
		store := openStore(t, openPool(t, url, nil), schema)
		if err := store.Create(t.Context(), link(i)); err != nil {
			failure = err
		}
	}
	require.ErrorContains(t, failure, "QueryExecModeExec")
}
