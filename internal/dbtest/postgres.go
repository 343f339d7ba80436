package dbtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const patience = 30 * time.Second

// Postgres is a private PostgreSQL server.
type Postgres struct {
	Port int
	dir  string
	data string
	more []string // settings
	run  *process
}

// StartPostgres starts a server with further settings, such as "fsync=off".
func StartPostgres(t testing.TB, settings ...string) *Postgres {
	t.Helper()
	program(t, "initdb")
	s := &Postgres{dir: directory(t), Port: freePort(t), more: settings}
	s.data = filepath.Join(s.dir, "data")
	run(t, s.dir, "initdb", "-D", s.data, "-U", "magiclink", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
	s.Start(t)
	return s
}

// Start starts the server again, after Stop.
func (s *Postgres) Start(t testing.TB) {
	t.Helper()
	args := []string{
		"-D", s.data, "-p", strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "max_connections=60", "-c", "shared_buffers=256MB",
	}
	for _, setting := range s.more {
		args = append(args, "-c", setting)
	}
	s.run = startProcess(t, s.dir, "QUIT", "postgres", args...)
	s.await(t, s.URL(), s.run)
}

// URL returns a connection string.
func (s *Postgres) URL() string {
	return fmt.Sprintf("postgres://magiclink@127.0.0.1:%d/postgres?sslmode=disable&connect_timeout=2", s.Port)
}

// Address returns the host and port.
func (s *Postgres) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }

// Stop stops the server at once, as a crash does.
func (s *Postgres) Stop(t testing.TB) {
	t.Helper()
	run(t, s.dir, "pg_ctl", "stop", "-D", s.data, "-m", "immediate", "-w")
	s.run.stop()
}

// Standby starts a server that follows this one.
func (s *Postgres) Standby(t testing.TB) *Postgres {
	t.Helper()
	standby := &Postgres{dir: directory(t), Port: freePort(t), more: s.more}
	standby.data = filepath.Join(standby.dir, "data")
	run(t, standby.dir, "pg_basebackup", "-D", standby.data, "-d", s.URL(), "-R", "-c", "fast", "--no-sync")
	standby.Start(t)
	return standby
}

// Promote makes a standby a server that takes writes.
func (s *Postgres) Promote(t testing.TB) {
	t.Helper()
	run(t, s.dir, "pg_ctl", "promote", "-D", s.data, "-w")
}

// await waits until a server answers.
func (s *Postgres) await(t testing.TB, url string, p *process) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = connect(url); err == nil {
			return
		}
	}
	log, _ := os.ReadFile(p.log)
	t.Fatalf("the server does not answer: %v\n%s", err, log)
}

func connect(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err := psql(ctx, url, "SELECT 1")
	return err
}

// psql returns the one value that a query returns.
func psql(ctx context.Context, url, query string) (value string, err error) {
	var complaint strings.Builder
	cmd := exec.CommandContext(ctx, "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command", query, url) //nolint:gosec // G204: the arguments are ours
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, complaint.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// Log returns what the server has logged.
func (s *Postgres) Log() string {
	text, _ := os.ReadFile(s.run.log)
	return string(text)
}

// CatchUp waits until the standby has everything that the primary has.
func (s *Postgres) CatchUp(t testing.TB, primary *Postgres) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	position := query(ctx, t, primary, "SELECT pg_current_wal_lsn()::text")
	for query(ctx, t, s, "SELECT (pg_last_wal_replay_lsn() >= '"+position+"')::text") != "true" {
		time.Sleep(10 * time.Millisecond)
	}
}

func query(ctx context.Context, t testing.TB, s *Postgres, sql string) (value string) {
	t.Helper()
	value, err := psql(ctx, s.URL(), sql)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
