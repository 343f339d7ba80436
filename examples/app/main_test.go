package main

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The application starts with nothing but its flags, answers, and ends without an error when it is told to. A second start finds its keys.
func TestRun(t *testing.T) {
	*dir, *databaseURL, *smtpURL, *listen = filepath.Join(t.TempDir(), "data"), "", "", freeAddress(t)
	*origin = "http://" + *listen
	for range 2 {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- run(ctx) }()
		require.Eventually(t, func() bool { return answers(t, *origin+"/healthz") }, 20*time.Second, 20*time.Millisecond)
		stop()
		require.NoError(t, <-ended)
		require.FileExists(t, filepath.Join(*dir, "keys.json"))
	}
	require.False(t, answers(t, *origin+"/healthz"))
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func answers(t *testing.T, address string) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}
