package dbtest

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// program finds a program by its name. PostgreSQL's own lie outside of PATH: of several versions it takes the newest.
func program(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	found = append(found, existing("/usr/sbin/"+name)...)
	if len(found) == 0 {
		missing(t, name)
	}
	return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
}

func existing(path string) []string {
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	return []string{path}
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

func missing(t testing.TB, name string) {
	t.Helper()
	const hint = "%s is missing: run internal/dbtest/install.sh as root, or install the Debian package that has it"
	if os.Getenv("CI") == "true" {
		t.Fatalf(hint, name)
	}
	t.Skipf(hint, name)
}

// account is the user under which the servers run: PostgreSQL refuses to run as root. It is nil for the user of the test.
func account() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if found, err := user.Lookup(name); err == nil {
			uid, _ := strconv.Atoi(found.Uid)
			gid, _ := strconv.Atoi(found.Gid)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

// directory returns a new directory that belongs to the account.
func directory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "magiclink-db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if who := account(); who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// writeFile writes a file that belongs to the account.
func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if who := account(); who != nil {
		if err := os.Chown(path, int(who.Uid), int(who.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

func command(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...) //nolint:gosec // G204: the arguments are ours
	cmd.Dir = dir
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account(), Setpgid: true}
	return cmd
}

// run runs a program to its end.
func run(t testing.TB, dir, name string, args ...string) {
	t.Helper()
	if out, err := command(dir, program(t, name), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// process is a server that ends with the test process, even if that is killed: a shell waits until its input ends.
type process struct {
	cmd   *exec.Cmd
	input io.Closer
	log   string
}

func startProcess(t testing.TB, dir, signal, name string, args ...string) *process {
	t.Helper()
	script := fmt.Sprintf(`"$@" & server=$!; read _; kill -%s $server 2>/dev/null; wait $server`, signal)
	cmd := command(dir, "/bin/sh", append([]string{"-c", script, "sh", program(t, name)}, args...)...)
	p := &process{cmd: cmd, log: filepath.Join(dir, filepath.Base(name)+".log")}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() //nolint:errcheck // the process has it
	cmd.Stdout, cmd.Stderr = log, log
	if p.input, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p
}

// stop ends the server. It may be called again.
func (p *process) stop() {
	kill := time.AfterFunc(10*time.Second, func() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }) // the group
	defer kill.Stop()
	_ = p.input.Close()
	_ = p.cmd.Wait()
}

// freePort returns a port of the loopback interface on which nobody listens.
func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // nobody has connected
	return listener.Addr().(*net.TCPAddr).Port
}
