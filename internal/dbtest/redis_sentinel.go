package dbtest

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// SentinelMaster is the name by which the sentinels of [StartSentinels] know the primary.
const SentinelMaster = "links"

// StartSentinels starts three sentinels that watch the primary, and returns their hosts and ports when all of them know its replicas
// and one another. They promote a replica about two seconds after the primary is gone.
func StartSentinels(t testing.TB, primary *Redis) (addresses []string) {
	t.Helper()
	var all []*Redis
	for range 3 {
		all = append(all, startSentinel(t, primary))
	}
	for _, s := range all {
		s.Await(t, "SENTINEL MASTER "+SentinelMaster, fmt.Sprintf("num-slaves\r\n$1\r\n%d\r\n$19\r\nnum-other-sentinels\r\n$1\r\n2\r\n", primary.replicas))
		addresses = append(addresses, s.Address())
	}
	return addresses
}

func startSentinel(t testing.TB, primary *Redis) *Redis {
	t.Helper()
	s := &Redis{name: primary.name, dir: directory(t), Port: freePort(t), sentinel: true}
	path := filepath.Join(s.dir, "sentinel.conf") // the sentinel writes it
	writeFile(t, path, strings.Join([]string{
		"port " + strconv.Itoa(s.Port), "bind 127.0.0.1", "dir " + s.dir, "protected-mode no",
		fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d 2", SentinelMaster, primary.Port),
		"sentinel down-after-milliseconds " + SentinelMaster + " 1000", "sentinel failover-timeout " + SentinelMaster + " 5000",
	}, "\n")+"\n")
	s.run = startProcess(t, s.dir, "KILL", s.name, path, "--sentinel")
	s.Await(t, "PING", "PONG")
	return s
}

// Freeze stops the server without ending it, until [Redis.Thaw].
func (s *Redis) Freeze(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Thaw lets the server go on.
func (s *Redis) Thaw(t testing.TB) { s.signal(t, syscall.SIGCONT) }

func (s *Redis) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(-s.run.cmd.Process.Pid, signal); err != nil { // the group
		t.Fatal(err)
	}
}
