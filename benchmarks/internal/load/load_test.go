package load_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magiclink-go/magiclink/benchmarks/internal/load"
)

func TestCallersStop(t *testing.T) {
	t.Parallel()
	var left atomic.Int64
	left.Store(100)
	done, err := load.Callers(4, time.Minute, func(int) error {
		if left.Add(-1) < 0 {
			return load.ErrStop
		}
		return nil
	})
	if err != nil || done.Calls != 100 {
		t.Errorf("got %d calls and %v", done.Calls, err)
	}
}

func TestCallersReportFailures(t *testing.T) {
	t.Parallel()
	failure := errors.New("refused")
	if _, err := load.Callers(4, time.Minute, func(int) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
}

// Answers with a length and in chunks, one after the other on one connection.
func TestConn(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusCreated)
		if r.URL.Path == "/chunked" {
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(body)
	}))
	defer server.Close()
	conns, err := load.Dial(strings.TrimPrefix(server.URL, "http://"), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer load.Close(conns)
	for _, target := range []string{"/", "/chunked", "/"} {
		for _, text := range []string{"short", strings.Repeat("long", 5000), ""} {
			status, body, err := conns[0].Do(load.Request(http.MethodPost, target, text))
			if err != nil || status != http.StatusCreated || string(body) != text {
				t.Fatalf("%s: got %d with %d bytes and %v", target, status, len(body), err)
			}
		}
	}
}
