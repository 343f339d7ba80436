package postgres

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// DefaultSchema is the schema of the tables if [Options] names none.
const DefaultSchema = "magiclink"

// maxIdentifier is NAMEDATALEN-1: PostgreSQL truncates a longer name.
const maxIdentifier = 63

const (
	linksTable   = "magiclink_links"
	limitsTable  = "magiclink_limits"
	versionTable = "magiclink_version"
)

// schema is the name of the schema, not quoted. Every statement names the schema: a search_path is not kept behind
// pgbouncer.
type schema string

func newSchema(name string) (schema, error) {
	switch {
	case name == "":
		return DefaultSchema, nil
	case len(name) > maxIdentifier:
		return "", errors.New("the schema's name is longer than 63 bytes: shorten Options.Schema")
	case strings.ContainsRune(name, 0), !utf8.ValidString(name):
		return "", errors.New("the schema's name must be UTF-8 without NUL: correct Options.Schema")
	}
	return schema(name), nil
}

func (s schema) quoted() string { return pgx.Identifier{string(s)}.Sanitize() }

// literal returns the qualified name of a table as a text in SQL. It escapes a backslash, too, whatever the server's settings.
func (s schema) literal(name string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(s.table(name)) + "'"
}

// table returns the qualified and quoted name of a table.
func (s schema) table(name string) string { return pgx.Identifier{string(s), name}.Sanitize() }
