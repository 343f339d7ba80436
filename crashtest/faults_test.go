package crashtest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var buildFaults = sync.OnceValues(func() (string, error) {
	library := filepath.Join(folder, "faults.so")
	return library, compile("gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, "testdata/faults.c", "-ldl")
})

// disk is one that fails on demand.
type disk struct {
	t       *testing.T
	library string
	control string // the directory of the faults that are on
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		missing(t, "gcc", err)
	}
	library, err := buildFaults()
	require.NoError(t, err)
	return &disk{t, library, t.TempDir()}
}

// under puts the disk under a command.
func (d *disk) under(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Env, "LD_PRELOAD="+d.library, "CRASHTEST_FAULTS="+d.control)
	return cmd
}

func (d *disk) fail(fault string) {
	d.t.Helper()
	require.NoError(d.t, os.WriteFile(filepath.Join(d.control, fault), nil, 0o600))
}

func (d *disk) heal(fault string) {
	d.t.Helper()
	require.NoError(d.t, os.Remove(filepath.Join(d.control, fault)))
}

// hangs reports whether a sync has begun to hang.
func (d *disk) hangs() bool {
	_, err := os.Stat(filepath.Join(d.control, "hangs"))
	return err == nil
}
