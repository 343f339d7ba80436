package dbtest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// Bouncer starts a pgbouncer in transaction mode before the server and returns a connection string. It skips the test if
// preparedStatements is above 0 and this pgbouncer, older than 1.21, does not know the setting.
func (s *Postgres) Bouncer(t testing.TB, preparedStatements int) string {
	t.Helper()
	dir, port := directory(t), freePort(t)
	// With auth_type any, the user of the server is named by the database.
	text := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d user=magiclink
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
ignore_startup_parameters = extra_float_digits
`, s.Port, port)
	switch known := bouncerKnowsStatements(t); {
	case known:
		text += fmt.Sprintf("max_prepared_statements = %d\n", preparedStatements)
	case preparedStatements > 0:
		t.Skip("this pgbouncer is older than 1.21 and keeps no prepared statements")
	}
	config := filepath.Join(dir, "pgbouncer.ini")
	writeFile(t, config, text)
	url := fmt.Sprintf("postgres://magiclink@127.0.0.1:%d/postgres?sslmode=disable&connect_timeout=2", port)
	s.await(t, url, startProcess(t, dir, "TERM", "pgbouncer", config))
	return url
}

func bouncerKnowsStatements(t testing.TB) bool {
	t.Helper()
	out, err := exec.Command(program(t, "pgbouncer"), "--version").Output() //nolint:gosec // G204: as above
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`PgBouncer (\d+)\.(\d+)`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("unknown version of pgbouncer: %s", out)
	}
	major, _ := strconv.Atoi(string(found[1]))
	minor, _ := strconv.Atoi(string(found[2]))
	return major > 1 || minor >= 21
}
