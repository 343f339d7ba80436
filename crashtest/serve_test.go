package crashtest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// service is a running "magiclink serve".
type service struct {
	t      *testing.T
	cmd    *exec.Cmd
	data   string // its data directory
	origin string
	base   string // of its links: the same after a restart
	token  string
	exited chan struct{}
	mu     sync.Mutex
	stderr bytes.Buffer
}

var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// startServe starts serve in the folder and waits until it listens or has ended, when origin is empty. Wrap may put
// another program around it.
func startServe(t *testing.T, data string, wrap func(*exec.Cmd) *exec.Cmd) *service {
	t.Helper()
	binary, err := buildCommand()
	require.NoError(t, err)
	s := &service{t: t, data: data, base: "http://127.0.0.1:1/magic", exited: make(chan struct{})}
	s.cmd = exec.Command(binary, "serve", "-addr", "127.0.0.1:0", "-base-url", s.base, "-data", data)
	s.cmd.Env = append(os.Environ(), "MAGICLINK_CLIENT_ID=crm", "MAGICLINK_CLIENT_SECRET=correct-horse-battery-staple")
	if wrap != nil {
		s.cmd = wrap(s.cmd)
	}
	s.cmd.Stderr = logWriter{s}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	listening := make(chan string, 1)
	go func() {
		defer close(s.exited)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if rest, ok := strings.CutPrefix(lines.Text(), "Serving on "); ok {
				listening <- strings.SplitN(rest, ";", 2)[0]
			}
		}
		_ = s.cmd.Wait()
	}()
	t.Cleanup(s.kill)
	select {
	case s.origin = <-listening:
	case <-s.exited:
	case <-time.After(30 * time.Second):
		t.Fatalf("serve does not listen: %s", s.log())
	}
	return s
}

// serve is startServe for a start that has to succeed.
func serve(t *testing.T, data string, wrap func(*exec.Cmd) *exec.Cmd) *service {
	t.Helper()
	s := startServe(t, data, wrap)
	require.NotEmpty(t, s.origin, s.log())
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"crm"}, "client_secret": {"correct-horse-battery-staple"},
	}
	got := s.post("/v0/auth/token", "application/x-www-form-urlencoded", form.Encode())
	require.Equal(t, http.StatusOK, got.status, got.text)
	s.token = got.field(t, "access_token")
	return s
}

type logWriter struct{ s *service }

func (w logWriter) Write(text []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.s.stderr.Write(text)
}

func (s *service) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

// kill ends the service and the program around it.
func (s *service) kill() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-s.exited
}

// pid is that of the service itself, not of a program around it.
func (s *service) pid() int {
	s.t.Helper()
	own := strconv.Itoa(s.cmd.Process.Pid)
	children, err := os.ReadFile(filepath.Join("/proc", own, "task", own, "children"))
	require.NoError(s.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		return s.cmd.Process.Pid
	}
	return pid
}

// stop asks the service to end and returns its exit code.
func (s *service) stop() int {
	s.t.Helper()
	require.NoError(s.t, syscall.Kill(s.pid(), syscall.SIGTERM))
	select {
	case <-s.exited:
	case <-time.After(30 * time.Second):
		s.t.Fatal("serve does not stop")
	}
	return s.cmd.ProcessState.ExitCode()
}

func (s *service) database() string { return filepath.Join(s.data, "magiclink.db") }

// answer is an HTTP answer. Status 0 means that there was none.
type answer struct {
	status     int
	retryAfter string
	text       string
	took       time.Duration
}

func (a answer) field(t *testing.T, name string) string {
	t.Helper()
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.text), &body), a.text)
	if data, ok := body["data"].(map[string]any); ok {
		body = data
	}
	text, ok := body[name].(string)
	require.True(t, ok, a.text)
	return text
}

func (s *service) post(path, kind, body string) answer {
	begun := time.Now()
	r, err := http.NewRequest(http.MethodPost, s.origin+path, strings.NewReader(body))
	if err != nil {
		return answer{text: err.Error()}
	}
	r.Header.Set("Content-Type", kind)
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	return send(r, begun)
}

func send(r *http.Request, begun time.Time) answer {
	response, err := client.Do(r)
	if err != nil {
		return answer{text: err.Error()}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{text: err.Error()}
	}
	return answer{response.StatusCode, response.Header.Get("Retry-After"), string(text), time.Since(begun)}
}

func (s *service) issue() answer {
	return s.post("/v0/auth/magic-link", "application/json", `{"external_business_id":"acme","ttl":15}`)
}

func (s *service) redeem(link string) answer {
	_, token, _ := strings.Cut(link, "token=")
	return s.post("/v0/auth/magic-link/redeem", "application/json", `{"token":"`+token+`"}`)
}
