package httpadapter_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

// A caller without credentials gets its answer although the rest of its body never comes, and a caller whose body is there keeps
// its connection.
func TestAnswerDoesNotWaitForABody(t *testing.T) {
	nobody := authenticator(func(*http.Request) (httpadapter.Principal, error) {
		return httpadapter.Principal{}, httpadapter.ErrNoCredentials
	})
	handler, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{Issuer: newIssuer(t), Authenticator: nobody})
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(handler)
	server.Config.ReadTimeout = time.Hour
	server.Start()
	t.Cleanup(server.Close)
	for _, length := range []int{2, 60_000} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second))) // an hour, without the bound
		request := "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
		fmt.Fprintf(conn, request, length, "{")
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, "a body of %d bytes", length)
		require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	}
	for range 2 {
		response, err := server.Client().Post(server.URL, "application/json", strings.NewReader("{}"))
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, response.StatusCode)
		require.False(t, response.Close, "the connection is kept")
		response.Body.Close()
	}
}
