package crashtest_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// A disk that has room for one page and for no record makes the service unready, until there is room again.
func TestNotReadyOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), nil)
	require.Equal(t, http.StatusCreated, s.issue().Status)
	require.Equal(t, http.StatusOK, s.Send(http.MethodGet, "/readyz", "").Status, "the control")
	log, err := os.Stat(s.database() + "-wal")
	require.NoError(t, err)
	const frame = 24 + 4096

	s.limitFiles(t, fmt.Sprint(log.Size()+frame+frame/2))
	require.Equal(t, http.StatusServiceUnavailable, s.issue().Status)
	for range 3 {
		require.Equal(t, http.StatusServiceUnavailable, s.Send(http.MethodGet, "/readyz", "").Status)
	}
	s.limitFiles(t, "unlimited")
	require.Equal(t, http.StatusOK, s.Send(http.MethodGet, "/readyz", "").Status)
	require.Equal(t, http.StatusCreated, s.issue().Status)
}

// limitFiles bounds the size of the files that the service writes.
func (s *service) limitFiles(t *testing.T, bytes string) {
	t.Helper()
	out, err := exec.Command("prlimit", "--pid", strconv.Itoa(s.PID()), "--fsize="+bytes+":unlimited").CombinedOutput()
	if err != nil {
		missing(t, "prlimit (Debian package util-linux)", fmt.Errorf("%w: %s", err, out))
	}
}
