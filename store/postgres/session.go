package postgres

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

var errNotConforming = errors.New("the simple protocol needs standard_conforming_strings: write standard_conforming_strings=on into the connection string, or use another mode of queries")

// checkSession refuses a session in which the server takes the texts of this package for another encoding than UTF-8. It would
// store other characters, which another session does not find. The server has told the encoding beforehand, and tells each
// change. CheckSession also refuses what pgx would refuse, so that it is known that nothing was sent.
func checkSession(conn *pgx.Conn) error {
	if conn == nil {
		return nil
	}
	encoding, standard := conn.PgConn().ParameterStatus("client_encoding"), conn.PgConn().ParameterStatus("standard_conforming_strings")
	if encoding == "UTF8" && standard == "on" {
		return nil
	}
	simple := conn.Config().DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol // a copy of all settings, which takes time
	if simple && standard != "on" {
		return errNotConforming
	}
	switch {
	case encoding == "UTF8":
		return nil
	case !simple && (encoding == "UNICODE" || encoding == "SQL_ASCII" || encoding == ""): // converts nothing; or another server, which does not tell
		return nil
	}
	return fmt.Errorf("the session has the client_encoding %s: write client_encoding=UTF8 into the connection string, "+
		"and use a database with the encoding UTF8", encoding)
}
