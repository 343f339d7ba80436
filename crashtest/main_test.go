package crashtest_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/servetest"
)

// roleVariable makes the test binary play a child instead of running tests.
const roleVariable = "CRASHTEST_ROLE"

// folder holds what is built once.
var folder string

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role, os.Args[1:]))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "magiclink-crashtest-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	return servetest.Main(m)
}

// play runs one of the children.
func play(role string, args []string) int {
	roles := map[string]func([]string) error{"load": playLoad, "writer": playWriter, "store": playStore}
	if err := roles[role](args); err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		return 1
	}
	return 0
}

// child prepares this binary for playing a role.
func child(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// missing skips the test, except in CI.
func missing(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		require.NoError(t, err, "CI has to have %s", what)
	}
	t.Skipf("%s: %v", what, err)
}

func compile(tool string, args ...string) error {
	text, err := exec.Command(tool, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", tool, err, text)
	}
	return nil
}

// outcomes are the errors that a child can report by name.
var outcomes = []struct {
	name string
	err  error
}{
	{"unknown", magiclink.ErrUnknownOutcome},
	{"exists", magiclink.ErrExists},
	{"not found", magiclink.ErrNotFound},
	{"revoked", magiclink.ErrRevoked},
	{"consumed", magiclink.ErrConsumed},
	{"expired", magiclink.ErrExpired},
}

// nameOutcome returns "ok", the name of an outcome, or "failed" for an error that promises that nothing has changed.
func nameOutcome(err error) string {
	if err == nil {
		return "ok"
	}
	for _, each := range outcomes {
		if errors.Is(err, each.err) {
			return each.name
		}
	}
	return "failed"
}
