package crashtest_test

import (
	"bufio"
	"encoding/hex"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// syscallEvent is a system call on a file. Begin and end are moments in the order in which strace has seen them; a call
// stands before another only if it has ended before that began.
type syscallEvent struct {
	name       string
	path       string
	data       []byte // of a write
	begin, end int
	failed     bool
}

// strace returns the command that runs another under strace and writes a trace.
func strace(t *testing.T, cmd *exec.Cmd, trace string) *exec.Cmd {
	t.Helper()
	tool, err := exec.LookPath("strace")
	if err == nil {
		err = exec.Command(tool, "-o", os.DevNull, "true").Run() // ptrace may be forbidden
	}
	if err != nil {
		missing(t, "strace", err)
	}
	args := []string{
		"-f", "--seccomp-bpf", "-y", "-xx", "-s", "70000", "-e", "signal=none", "-o", trace,
		"-e", "trace=write,pwrite64,writev,sendto,fsync,fdatasync",
	}
	traced := exec.Command(tool, append(args, cmd.Args...)...)
	traced.Env = cmd.Env
	return traced
}

// readTrace returns the calls of a trace in the order of their beginnings.
func readTrace(t *testing.T, path string) []*syscallEvent {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	var events []*syscallEvent
	running := map[string]*syscallEvent{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for number := 0; lines.Scan(); number++ {
		pid, text, _ := strings.Cut(lines.Text(), " ")
		text = strings.TrimLeft(text, " ")
		failed := strings.Contains(text, ") = -1 ")
		if strings.HasPrefix(text, "<... ") {
			if e := running[pid]; e != nil {
				e.end, e.failed = number, failed
			}
			continue
		}
		e := parseCall(t, text)
		if e == nil {
			continue
		}
		e.begin, e.end, e.failed = number, number, failed
		if strings.HasSuffix(text, "<unfinished ...>") {
			e.end = math.MaxInt
			running[pid] = e
		}
		events = append(events, e)
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, events)
	return events
}

// parseCall reads the name, the path and the data of a call such as write(1<path>, "data", 4) = 4.
func parseCall(t *testing.T, text string) *syscallEvent {
	t.Helper()
	name, rest, _ := strings.Cut(text, "(")
	_, rest, isCall := strings.Cut(rest, "<")
	path, rest, hasPath := strings.Cut(rest, ">")
	if !isCall || !hasPath {
		return nil // a signal or an exit
	}
	data := ""
	if rest, ok := strings.CutPrefix(rest, `, "`); ok {
		data, _, _ = strings.Cut(rest, `"`)
	}
	return &syscallEvent{name: name, path: unhex(t, path), data: []byte(unhex(t, data))}
}

// unhex decodes the notation that strace uses for all strings.
func unhex(t *testing.T, text string) string {
	t.Helper()
	if !strings.HasPrefix(text, `\x`) {
		return text
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(text, `\x`, ""))
	require.NoError(t, err)
	return string(raw)
}

// runTraced runs a child to its end and returns the trace.
func runTraced(t *testing.T, args ...string) []*syscallEvent {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := strace(t, child(t, "writer", args...), trace)
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, string(text))
	return readTrace(t, trace)
}
