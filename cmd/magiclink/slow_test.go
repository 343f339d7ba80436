package main_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// A body of somebody unknown gets less time than that of an authenticated client, on every route that reads one.
func TestSlowBodiesOfUnknownCallers(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir(), testClient, "-store", "memory")
	const form, json = "application/x-www-form-urlencoded", "application/json"
	known := httpadapter.IssuePath
	heads := map[string]string{
		httpadapter.TokenPath: form, httpadapter.RedeemPath: json, "/magic": form,
		known: json + "\r\nAuthorization: Bearer " + p.token(),
	}
	closed := make(chan string, len(heads))
	for path, head := range heads {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.origin, "http://"))
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: %s\r\n\r\n{", path, head)
		require.NoError(t, err)
		go func() {
			answer, _ := io.ReadAll(conn)
			closed <- path + " " + strings.SplitN(string(answer), "\r\n", 2)[0]
		}()
	}
	var order []string
	for range heads {
		order = append(order, <-closed)
	}
	require.ElementsMatch(t, []string{
		httpadapter.TokenPath + " HTTP/1.1 422 Unprocessable Entity", httpadapter.RedeemPath + " HTTP/1.1 422 Unprocessable Entity",
		"/magic HTTP/1.1 403 Forbidden", known + " HTTP/1.1 422 Unprocessable Entity",
	}, order)
	require.Equal(t, known, strings.Fields(order[len(order)-1])[0])
}
