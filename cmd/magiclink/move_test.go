package main_test

import (
	"database/sql"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
)

// The statements by which docs/guide/scaling.md moves links from SQLite to PostgreSQL keep what links and sessions are.
func TestMoveFromSQLiteToPostgres(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/guide/scaling.md")
	require.NoError(t, err)
	statement := func(pattern string) string {
		found := regexp.MustCompile(`(?s)` + pattern).FindString(string(guide))
		require.NotEmpty(t, found, pattern)
		return found
	}
	folder := installed(t)
	issue := func(email string) string {
		return strings.TrimSpace(command(t, folder, nil, "issue", "-external-business", "acme", "-email", email, "-path", `/a,"b"?c=d`, "-ttl", "15").stdout)
	}
	live, used, revoked, ended := issue("live@example.com"), issue("used@example.com"), issue("revoked@example.com"), issue("ended@example.com")
	for _, link := range []string{used, ended} {
		require.Zero(t, command(t, folder, nil, "redeem", link).code)
	}
	for _, email := range []string{"revoked@example.com", "ended@example.com"} {
		require.Zero(t, command(t, folder, nil, "links", "revoke", "-email", email).code)
	}
	list := func(env []string) string { return command(t, folder, env, "links", "list", "-json", "-all").stdout }
	before := list(nil)
	require.Equal(t, 4, strings.Count(before, "magic_link_id"))

	server := dbtest.StartPostgres(t)
	env := []string{"MAGICLINK_STORE=" + server.URL()}
	require.Zero(t, command(t, folder, env, "migrate").code)
	require.Contains(t, command(t, folder, env, "redeem", "-inspect", live).stderr, "the store does not have it", "the control: nothing was copied yet")
	conn, err := pgx.Connect(t.Context(), server.URL())
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows := export(t, dataFile(folder, "magiclink.db"), statement(`SELECT id, tenant_id.*?USING \(id\)`))
	_, err = conn.PgConn().CopyFrom(t.Context(), strings.NewReader(rows), statement(`COPY magiclink\.magiclink_links.*?FROM STDIN CSV`))
	require.NoError(t, err)

	require.JSONEq(t, before, list(env))
	for link, says := range map[string]string{used: "already used", revoked: "revoked", ended: "revoked"} {
		require.Contains(t, command(t, folder, env, "redeem", link).stderr, says)
	}
	require.Zero(t, command(t, folder, env, "redeem", live).code)
	require.Contains(t, command(t, folder, env, "redeem", live).stderr, "already used")
	require.Zero(t, serve(t, folder, env).stop(syscall.SIGTERM))
}

// export writes what "sqlite3 -csv" writes: an empty text in quotes, and nothing for NULL.
func export(t *testing.T, path, query string) string {
	t.Helper()
	rows, err := database(t, path).Query(query)
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var all strings.Builder
	for rows.Next() {
		cells, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		require.NoError(t, rows.Scan(to...))
		for i, cell := range cells {
			if i > 0 {
				all.WriteString(",")
			}
			if cell.Valid {
				all.WriteString(`"` + strings.ReplaceAll(cell.String, `"`, `""`) + `"`)
			}
		}
		all.WriteString("\n")
	}
	require.NoError(t, rows.Err())
	return all.String()
}
