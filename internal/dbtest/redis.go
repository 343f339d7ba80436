package dbtest

import (
	"bufio"
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Redis is a private Redis or Valkey server.
type Redis struct {
	Port int
	name string // of the program
	dir  string
	more []string // directives
	run  *process

	replicas int  // that were started
	sentinel bool // knows no QUIT
}

// StartRedis starts a Redis server with further directives, such as "appendonly yes". It keeps its data in memory alone unless a
// directive says otherwise. MAGICLINK_TEST_REDIS_SERVER names another program than redis-server.
func StartRedis(t testing.TB, directives ...string) *Redis {
	t.Helper()
	return startRedis(t, redisServer(), directives)
}

func redisServer() string { return cmp.Or(os.Getenv("MAGICLINK_TEST_REDIS_SERVER"), "redis-server") }

// clientOf returns the program that goes with a server: redis-cli with redis-server.
func clientOf(server string) string { return strings.TrimSuffix(server, "-server") + "-cli" }

// StartValkey starts a Valkey server. It skips the test where the program is missing, since not every Debian has a package of it.
func StartValkey(t testing.TB, directives ...string) *Redis {
	t.Helper()
	return startRedis(t, valkeyServer(t), directives)
}

func valkeyServer(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath("valkey-server"); err != nil {
		t.Skip("valkey-server is missing: install the Debian package valkey-server, from Debian 13 on or from bookworm-backports")
	}
	return "valkey-server"
}

func startRedis(t testing.TB, name string, directives []string) *Redis {
	t.Helper()
	program(t, name)
	s := &Redis{name: name, dir: directory(t), Port: freePort(t), more: directives}
	s.Start(t)
	return s
}

// Start starts the server again, after Stop.
func (s *Redis) Start(t testing.TB) {
	t.Helper()
	config := []string{
		"port " + strconv.Itoa(s.Port), "bind 127.0.0.1", "dir " + s.dir, "save \"\"", "appendonly no", "daemonize no", "protected-mode no",
		"repl-diskless-sync-delay 0",
	}
	path := filepath.Join(s.dir, "server.conf")
	writeFile(t, path, strings.Join(append(config, s.more...), "\n")+"\n")
	s.run = startProcess(t, s.dir, "KILL", s.name, path)
	s.Await(t, "PING", "PONG", "NOAUTH")
}

// Stop kills the server.
func (s *Redis) Stop(t testing.TB) {
	t.Helper()
	s.run.stop()
}

// Address returns the host and port.
func (s *Redis) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }

// URL returns a connection string.
func (s *Redis) URL() string { return "redis://" + s.Address() + "/0" }

// Replica starts a server that follows this one, and waits until it does.
func (s *Redis) Replica(t testing.TB, directives ...string) *Redis {
	t.Helper()
	return s.ReplicaThrough(t, s.Address(), directives...)
}

// ReplicaThrough starts a server that follows this one through a proxy at the address.
func (s *Redis) ReplicaThrough(t testing.TB, address string, directives ...string) *Redis {
	t.Helper()
	replica := startRedis(t, s.name, append(directives, "replicaof "+strings.ReplaceAll(address, ":", " ")))
	replica.Await(t, "INFO replication", "master_link_status:up")
	s.replicas++
	s.Await(t, fmt.Sprintf("PUBLISH replicas count\r\nWAIT %d 100", s.replicas), fmt.Sprintf(":0\r\n:%d", s.replicas)) // they confirm what comes now
	return replica
}

// Promote makes a replica a server that takes writes.
func (s *Redis) Promote(t testing.TB) {
	t.Helper()
	s.Await(t, "REPLICAOF NO ONE", "OK")
}

// Await sends a command until the answer contains one of the texts.
func (s *Redis) Await(t testing.TB, command string, texts ...string) {
	t.Helper()
	var answer string
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		answer, err = s.ask(command)
		if err == nil && slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(answer, text) }) {
			return
		}
	}
	log, _ := os.ReadFile(s.run.log)
	t.Fatalf("%s: %q does not come: %q %v\n%s", command, texts, answer, err, log)
}

// Ask sends one command, of words without spaces, and returns the answer as it comes.
func (s *Redis) Ask(t testing.TB, command string) string {
	t.Helper()
	answer, err := s.ask(command)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// ask sends a command and closes the connection after the answer.
func (s *Redis) ask(command string) (string, error) {
	conn, err := net.DialTimeout("tcp", s.Address(), time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close() //nolint:errcheck // nothing is left to say
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	end := "QUIT\r\n"
	if s.sentinel {
		end = ""
	}
	if _, err = fmt.Fprintf(conn, "%s\r\n%s", command, end); err != nil {
		return "", err
	}
	if s.sentinel { // other servers would forget a client that waits for the answer to WAIT
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	var answer strings.Builder
	_, err = bufio.NewReader(conn).WriteTo(&answer)
	return strings.TrimSuffix(answer.String(), "+OK\r\n"), err
}
