package smtptest

import (
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	patience = 30 * time.Second
	daemon   = "postfix" // the user that Postfix runs as
	mailbox  = "nobody"  // the user who owns the Maildir: Postfix does not deliver as root
)

// Server is a private Postfix.
type Server struct {
	// Certificate is that of the server, as PEM. It is valid for localhost and 127.0.0.1.
	Certificate []byte

	dir           string
	port, tlsPort int
	cmd           *exec.Cmd
	input         io.Closer
}

// Start starts a server with further settings of main.cf, such as "smtpd_timeout = 1s". It is stopped when the test ends.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	need(t)
	s := &Server{dir: directory(t), port: freePort(t), tlsPort: freePort(t)}
	for _, name := range []string{"etc", "etc/sasl", "queue", "data", "Maildir"} {
		check(t, os.Mkdir(s.path(name), 0o755)) //nolint:gosec // G301: several users work here
	}
	own(t, s.path("data"), daemon)
	own(t, s.path("Maildir"), mailbox)
	var key []byte
	s.Certificate, key = certificate(t)
	for name, content := range map[string]string{
		"main.cf": s.mainConfig(settings), "master.cf": s.masterConfig(), "sasl/smtpd.conf": s.saslConfig(),
		"cert.pem": string(s.Certificate), "key.pem": string(key),
	} {
		check(t, os.WriteFile(s.path("etc/"+name), []byte(content), 0o600))
	}
	s.run(t)
	return s
}

// run starts the server and waits until it answers. A shell stops the server as soon as the input of the shell ends. It tries until the
// server is gone, since a server that is about to start cannot be stopped yet.
func (s *Server) run(t testing.TB) {
	t.Helper()
	const script = `postfix -c "$1" start-fg & read _; while kill -0 $! 2>/dev/null; do postfix -c "$1" abort; sleep 0.1; done; wait`
	s.cmd = exec.Command("/bin/sh", "-c", script, "sh", s.path("etc")) //nolint:gosec // G204: the arguments are ours
	s.cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log, err := os.Create(s.path("log"))
	check(t, err)
	defer log.Close() //nolint:errcheck // the process has it
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.input, err = s.cmd.StdinPipe()
	check(t, err)
	check(t, s.cmd.Start())
	t.Cleanup(s.Stop)
	s.await(t)
}

// await waits until both ports greet.
func (s *Server) await(t testing.TB) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = greets(s.Address()); err == nil {
			return
		}
	}
	t.Fatalf("postfix does not answer: %v\n%s", err, s.Log())
}

func greets(address string) error {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing is left to say
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	greeting := make([]byte, 4)
	if _, err := io.ReadFull(conn, greeting); err != nil {
		return err
	}
	if string(greeting) != "220 " {
		return fmt.Errorf("it greets with %q", greeting)
	}
	return nil
}

// Stop stops the server. It may be called again.
func (s *Server) Stop() {
	kill := time.AfterFunc(patience, func() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) }) // the shell's group
	defer kill.Stop()
	_ = s.input.Close()
	_ = s.cmd.Wait()
}

// AddUser adds a user who can authenticate. The name has a domain, such as "app@example.com".
func (s *Server) AddUser(t testing.TB, name, password string) {
	t.Helper()
	local, domain, _ := strings.Cut(name, "@")
	cmd := exec.Command(program(t, "saslpasswd2"), "-p", "-c", "-f", s.path("etc/sasldb2"), "-u", domain, local) //nolint:gosec // G204: the arguments are ours
	cmd.Stdin = strings.NewReader(password)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("saslpasswd2: %v\n%s", err, out)
	}
	own(t, s.path("etc/sasldb2"), daemon)
}

// Address returns the host and port where the server expects STARTTLS.
func (s *Server) Address() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

// TLSAddress returns the host and port where the server expects TLS from the first byte.
func (s *Server) TLSAddress() string { return "127.0.0.1:" + strconv.Itoa(s.tlsPort) }

// Roots returns the certificates to trust.
func (s *Server) Roots() *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.Certificate)
	return roots
}

// Maildir returns the directory with the mails. Those that were delivered are in its directory "new".
func (s *Server) Maildir() string { return s.path("Maildir") }

// Mails waits until the server has delivered at least n mails, and returns all of them, the oldest first.
func (s *Server) Mails(t testing.TB, n int) [][]byte {
	t.Helper()
	var names []string
	for deadline := time.Now().Add(patience); len(names) < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d mails were delivered\n%s", len(names), n, s.Log())
		}
		names, _ = filepath.Glob(s.path("Maildir/new/*"))
	}
	slices.SortFunc(names, func(a, b string) int { return modified(a).Compare(modified(b)) })
	var mails [][]byte
	for _, name := range names {
		content, err := os.ReadFile(name) //nolint:gosec // G304: the file is the server's
		check(t, err)
		mails = append(mails, content)
	}
	return mails
}

func modified(name string) time.Time {
	info, err := os.Stat(name)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Log returns what the server has logged.
func (s *Server) Log() string {
	text, _ := os.ReadFile(s.path("log"))
	return string(text)
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// need ends the test where Postfix cannot run.
func need(t testing.TB) {
	t.Helper()
	program(t, "postfix")
	if os.Getuid() != 0 {
		lacking(t, "Postfix runs only as root: run the test as root")
	}
}

// program finds a program, also outside of PATH.
func program(t testing.TB, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	lacking(t, name+" is missing: run internal/smtptest/install.sh as root")
	return ""
}

func lacking(t testing.TB, hint string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(hint)
	}
	t.Skip(hint)
}

// directory returns a new directory that all users may enter: Postfix works as several of them.
func directory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "magiclink-smtp")
	check(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	check(t, os.Chmod(dir, 0o755)) //nolint:gosec // G302: see above
	return dir
}

func own(t testing.TB, path, name string) {
	t.Helper()
	uid, gid := idsOf(name)
	check(t, os.Chown(path, uid, gid))
}

// idsOf returns the numbers of a user and of the user's group, or those of nobody.
func idsOf(name string) (uid, gid int) {
	found, err := user.Lookup(name)
	if err != nil {
		return 65534, 65534
	}
	uid, _ = strconv.Atoi(found.Uid)
	gid, _ = strconv.Atoi(found.Gid)
	return uid, gid
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer listener.Close() //nolint:errcheck // nobody has connected
	return listener.Addr().(*net.TCPAddr).Port
}
