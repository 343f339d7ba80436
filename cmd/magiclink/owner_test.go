package main_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/servetest"
)

// A directory that root has restored belongs to root, and the user of serve may not read it.
func TestFilesOfRootAfterARestore(t *testing.T) {
	requireRoot(t)
	folder, err := os.MkdirTemp("", "restored")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	require.NoError(t, os.Chmod(folder, 0o755))
	require.Zero(t, serve(t, folder, testClient).stop(syscall.SIGTERM))
	content, err := os.ReadFile(servetest.Binary(t))
	require.NoError(t, err)
	binary := filepath.Join(folder, "magiclink")
	require.NoError(t, os.WriteFile(binary, content, 0o755))

	asOther := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Dir = folder
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: somebodyElse, Gid: somebodyElse}}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		err := cmd.Run()
		return stderr.String(), err
	}
	start := []string{"serve", "-addr", "127.0.0.1:0"}
	require.NoError(t, filepath.WalkDir(filepath.Join(folder, "magiclink-data"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) == "mail" {
			return err
		}
		for _, args := range [][]string{start, {"purge"}, {"keys", "list"}} {
			said, err := asOther(args...)
			if args[0] == "serve" {
				require.Error(t, err)
			}
			if err != nil {
				require.Regexp(t, `: run magiclink as the user who owns (\./)?magiclink-data.*: chown -R 12345 (\./)?magiclink-data`, said, args)
			}
		}
		return os.Chown(path, somebodyElse, -1)
	}))
	said, err := asOther("purge")
	require.NoError(t, err, "the control: what it says helps: %s", said)
}

func requireRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	require.Empty(t, os.Getenv("CI"), "this test needs root, to run as another user")
	t.Skip("this test needs root, to run as another user")
}
