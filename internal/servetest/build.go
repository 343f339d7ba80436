package servetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// folder holds the command; empty until the command is needed.
var folder string

// Main runs the tests of a package and removes the command that they have built: call it from TestMain, and exit with
// the code that it returns.
func Main(m *testing.M) (code int) {
	defer func() { _ = os.RemoveAll(folder) }()
	return m.Run()
}

// Binary returns the path of the command. The first call of a test binary builds the command, from the source of the
// repository that the test belongs to. It is safe for concurrent use.
func Binary(tb testing.TB) string {
	tb.Helper()
	return built(tb, build)
}

// skewedBinary returns the path of a command whose clock can be wrong.
func skewedBinary(tb testing.TB) string {
	tb.Helper()
	return built(tb, buildSkewed)
}

func built(tb testing.TB, build func() (string, error)) string {
	tb.Helper()
	path, err := build()
	if err != nil {
		tb.Fatalf("build the command: %v", err)
	}
	return path
}

var (
	build       = sync.OnceValues(func() (string, error) { return buildAs("magiclink") })
	buildSkewed = sync.OnceValues(func() (string, error) { return buildAs("magiclink-skewed", "-tags", "skewedclock") })
	makeFolder  = sync.OnceValue(func() (err error) {
		folder, err = os.MkdirTemp("", "magiclink-servetest-")
		return err
	})
)

func buildAs(name string, flags ...string) (path string, err error) {
	source, err := sourceOfCommand()
	if err != nil {
		return "", err
	}
	if err := makeFolder(); err != nil {
		return "", err
	}
	path = filepath.Join(folder, name)
	command := exec.Command("go", append(append([]string{"build"}, flags...), "-o", path, ".")...) //nolint:gosec // G204: the arguments are ours
	command.Dir = source
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build in %s: %w\n%s", source, err, output)
	}
	return path, nil
}

// sourceOfCommand looks for cmd/magiclink in the folders above the test's own. The command may belong to another module
// than the test does, so the import path alone would not find it.
func sourceOfCommand() (string, error) {
	above, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		source := filepath.Join(above, "cmd", "magiclink")
		if _, err := os.Stat(filepath.Join(source, "main.go")); err == nil {
			return source, nil
		}
		parent := filepath.Dir(above)
		if parent == above {
			return "", errors.New("no folder above the test's has cmd/magiclink/main.go")
		}
		above = parent
	}
}

// Result is what a command that has ended leaves.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Run runs the command to its end in a working directory; an empty one is the test's own. Env is added to the
// environment of the test. A command that does not end, such as a serve that should have refused to start, is killed after
// half a minute; its Code is -1.
func Run(tb testing.TB, dir string, env []string, args ...string) Result {
	tb.Helper()
	var stdout, stderr output
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, Binary(tb), args...) //nolint:gosec // G204: tests choose the arguments
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		tb.Fatalf("run the command: %v", err)
	}
	return Result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}
