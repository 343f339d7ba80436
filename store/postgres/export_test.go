package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/magiclink-go/magiclink"
)

// ListStatement returns the first statement of a List, for a table with these indexes.
func ListStatement(schemaName string, query magiclink.ListQuery, there ...Index) (statement string, args pgx.NamedArgs) {
	known := map[Index]bool{}
	for _, index := range there {
		known[index] = true
	}
	l := newListing(schema(schemaName), query, known)
	return l.stepSQL(query.Before), l.arguments(query.Before, l.firstStep(query.Limit), query.Limit)
}
