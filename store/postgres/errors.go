package postgres

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATE codes of PostgreSQL (Appendix A of its manual) and, where it says so, of CockroachDB.
const (
	codeReadOnly           = "25006"
	codeTransactionTimeout = "25P04"
	codeUnknownStatement   = "26000"
	codeNoSchema           = "3F000"
	codeSerialization      = "40001"
	codeCompletionUnknown  = "40003" // CockroachDB: the result is ambiguous
	codeDeadlock           = "40P01"
	codeTransactionUnknown = "08007"
	codeNotSupported       = "0A000"
	codeNotAllowed         = "42501"
	codeStatementExists    = "42P05"
	codeTaken              = "23505"
	codeNoTable            = "42P01"
	codeTooMany            = "53300" // connections
	codeLockNotAvailable   = "55P03"
	codeCanceled           = "57014"
	codeIdleSession        = "57P05"
	classData              = "22"
	classIntegrity         = "23"
	classLimit             = "54"
	severityError          = "ERROR"
	adviceSimple           = "the pooler between this process and the server keeps no prepared statements: set ConnConfig.DefaultQueryExecMode to pgx.QueryExecModeExec, or default_query_exec_mode=exec in the connection string"
	adviceReadOnly         = "the server is read-only: connect to the primary, for example by target_session_attrs=read-write; if it is the primary, unset default_transaction_read_only of the role"
	adviceGrant            = "the role may not use the tables: grant USAGE on the schema and SELECT, INSERT, UPDATE, DELETE on its tables, and let no row-level security hide rows from the role"
	adviceCanceled         = "the server has ended the statement early: raise statement_timeout of the role, unless somebody has called pg_cancel_backend"
	adviceTransaction      = "the server has ended the transaction early: raise transaction_timeout of the role"
	adviceLocked           = "another transaction keeps what is needed locked for longer than lock_timeout: try again, keep transactions short, or raise lock_timeout of the role"
)

func code(err error) string {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		return answer.Code
	}
	return ""
}

// conflicts reports whether the server could not serialize the statement and has changed nothing.
func conflicts(err error) bool { return code(err) == codeSerialization || code(err) == codeDeadlock }

// idled reports whether the server had ended the session before the statement came, since nothing had come for long.
func idled(err error) bool { return code(err) == codeIdleSession }

// outdated reports whether the server has refused a prepared statement, since somebody has changed the type of a column in the
// meantime. Pgx prepares it anew for the next attempt.
func outdated(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && answer.Code == codeNotSupported && answer.Routine == "RevalidateCachedQuery"
}

// ownFault reports whether one row of a statement may have failed it, so that each call can be repeated alone.
func ownFault(err error) bool {
	c := code(err)
	if len(c) < 2 || !harmless(err) {
		return false
	}
	class := c[:2]
	return class == classData || class == classIntegrity || class == classLimit || c == codeLockNotAvailable
}

// harmless reports whether the statement has certainly changed nothing. An error of the server has rolled the statement back. A
// fatal error, which ends the connection, may have come after the commit.
func harmless(err error) bool {
	if pgconn.SafeToRetry(err) || idled(err) {
		return true
	}
	answer, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || answer.Code == codeCompletionUnknown || answer.Code == codeTransactionUnknown {
		return false
	}
	severity := answer.SeverityUnlocalized
	if severity == "" { // a server before PostgreSQL 9.6, or another one
		severity = answer.Severity
	}
	return severity == severityError
}

// broken reports whether the connection broke.
func broken(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return err != nil && (!ok || answer.SeverityUnlocalized == "FATAL")
}

// withAdvice says what to do about an error that the application can cure.
func withAdvice(err error) error {
	if code(err) == codeNoTable || code(err) == codeNoSchema {
		return fmt.Errorf("%w: %w", ErrNotMigrated, err)
	}
	advice, known := map[string]string{
		codeStatementExists: adviceSimple, codeUnknownStatement: adviceSimple,
		codeReadOnly: adviceReadOnly, codeNotAllowed: adviceGrant,
		codeCanceled: adviceCanceled, codeTransactionTimeout: adviceTransaction, codeLockNotAvailable: adviceLocked,
	}[code(err)]
	if !known {
		return err
	}
	return fmt.Errorf("%s: %w", advice, err)
}
