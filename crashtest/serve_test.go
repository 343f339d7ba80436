package crashtest_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/servetest"
)

// baseURL is what links begin with. It is the same after a restart, when the port is another.
const baseURL = "http://127.0.0.1:1/magic"

// service is a running "magiclink serve".
type service struct {
	*servetest.Process
	data string // its data directory
}

// launch starts serve in the folder and waits until it listens or has ended. Wrap may put another program around it.
func launch(t *testing.T, data string, wrap func(*exec.Cmd) *exec.Cmd) *service {
	t.Helper()
	return &service{data: data, Process: servetest.Launch(t, servetest.Config{
		Args: []string{"-base-url", baseURL, "-data", data}, Env: servetest.ClientEnv(), Wrap: wrap,
	})}
}

// serve is launch for a start that has to succeed. The service has an access token already.
func serve(t *testing.T, data string, wrap func(*exec.Cmd) *exec.Cmd) *service {
	t.Helper()
	s := launch(t, data, wrap)
	require.NotEmpty(t, s.Origin, s.Stderr())
	s.Token()
	return s
}

func (s *service) database() string { return filepath.Join(s.data, "magiclink.db") }

func (s *service) issue() servetest.Answer {
	return s.Issue(`{"external_business_id":"acme","ttl":15}`)
}
