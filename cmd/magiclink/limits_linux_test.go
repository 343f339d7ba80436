package main_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/servetest"
)

// setFileLimit sets how many descriptors a running process may have.
func setFileLimit(t *testing.T, pid int, limit *syscall.Rlimit) (before syscall.Rlimit) {
	t.Helper()
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_NOFILE,
		uintptr(unsafe.Pointer(limit)), uintptr(unsafe.Pointer(&before)), 0, 0)
	require.Zero(t, errno)
	return before
}

// A process that had no descriptor left when the keys changed takes them over later.
func TestReloadAfterDescriptorsRanOut(t *testing.T) {
	folder, p, token, without := retiredKeys(t)
	few := syscall.Rlimit{Cur: 3, Max: 4096}
	few.Max = setFileLimit(t, p.PID(), nil).Max
	before := setFileLimit(t, p.PID(), &few)
	require.NoError(t, os.WriteFile(dataFile(folder, "keys.json"), []byte(without), 0o600))
	p.eventually(func() bool { return strings.Contains(p.errors(), "too many open files") }, "it has noticed")
	setFileLimit(t, p.PID(), &before)
	p.eventually(func() bool { return p.issue(token, acme).status == http.StatusUnauthorized }, "the retired key is refused")
}

// connect opens connections to the process and leaves them idle.
func connect(t *testing.T, p *process, n int, send string) []net.Conn {
	t.Helper()
	connections := make([]net.Conn, 0, n)
	for range n {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.origin, "http://"))
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		_, err = conn.Write([]byte(send))
		require.NoError(t, err)
		connections = append(connections, conn)
	}
	return connections
}

// openSockets counts the sockets of a process.
func openSockets(t *testing.T, pid int) (n int) {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, entry := range entries {
		if target, err := os.Readlink(folder + "/" + entry.Name()); err == nil && strings.HasPrefix(target, "socket:") {
			n++
		}
	}
	return n
}

// At the cap an idle connection makes room for a new one, and the number of connections stays below the cap.
func TestConnectionsAreCapped(t *testing.T) {
	p := serve(t, t.TempDir(), testClient, "-max-connections", "16")
	const get = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, send := range map[string]string{"silent": "", "kept alive": get, "half a header": "GET / HTTP/1.1\r\n"} {
		idle := connect(t, p, 40, send)
		require.Equal(t, http.StatusOK, p.get("/healthz").status, name)
		require.LessOrEqual(t, openSockets(t, p.PID()), 16+2, name) // with the listener, and one that waits for its place
		newest := idle[len(idle)-1]
		_, err := newest.Write([]byte(strings.TrimPrefix(get, send)))
		require.NoError(t, err)
		require.NoError(t, newest.SetReadDeadline(time.Now().Add(30*time.Second)))
		status, err := bufio.NewReader(newest).ReadString('\n')
		require.NoError(t, err, "%s: a young connection lives on", name)
		require.Contains(t, status, "HTTP/1.1")
	}
}

func TestConnectionsStayBelowTheDescriptors(t *testing.T) {
	folder := t.TempDir()
	p := serveUnder(t, func(serve *exec.Cmd) *exec.Cmd {
		serve.Path, serve.Args = "/bin/sh", append([]string{"sh", "-c", `ulimit -n 100; exec "$0" "$@"`}, serve.Args...)
		return serve
	}, folder, testClient)
	require.Contains(t, p.errors(), "connections=36")
	connect(t, p, 200, "")
	require.Equal(t, http.StatusOK, p.get("/readyz").status)
	require.Equal(t, http.StatusCreated, p.issue(p.token(), acme).status)
	require.NotContains(t, p.errors(), "too many open files")
}

// peakMemory is the greatest resident size of a process so far, in MiB.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(t, err)
	return kib >> 10
}

// Clients that have not authenticated themselves do not use up the memory.
func TestMemoryBeforeAuthentication(t *testing.T) {
	p := serve(t, t.TempDir(), testClient)
	body := strings.Repeat("x", 64<<10)
	for _, path := range []string{"/v0/auth/magic-link", "/v0/auth/token", "/v0/auth/magic-link/redeem", "/magic"} {
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, len(body))
		for range 500 {
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.origin, "http://"))
			require.NoError(t, err)
			t.Cleanup(func() { conn.Close() })
			_, _ = conn.Write([]byte(head + body[:len(body)-1])) // the server may have closed it already
		}
	}
	require.Equal(t, http.StatusCreated, p.issue(p.token(), acme).status)
	peak := peakMemory(t, p.PID())
	t.Logf("peak: %d MiB", peak)
	require.LessOrEqual(t, peak, 128)
}

// A command without enough descriptors says so, and not that the rights of the files are wrong.
func TestTooFewDescriptorsForTheDatabase(t *testing.T) {
	folder := installed(t)
	require.Zero(t, command(t, folder, nil, "links", "list").code)
	said := ""
	for _, limit := range []string{"7", "8", "9"} { // which file is the one too many depends on the runtime
		list := exec.Command("sh", "-c", `ulimit -n "$0" && exec "$@"`, limit, servetest.Binary(t), "links", "list")
		list.Dir = folder
		output, _ := list.CombinedOutput()
		said += string(output)
	}
	require.Contains(t, said, "raise the limit with ulimit -n")
	require.NotContains(t, said, "let the user of this process write")
}
