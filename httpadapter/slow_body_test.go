package httpadapter_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
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

// postSlowly sends the head of a request and the beginning of its body.
func postSlowly(t *testing.T, conn net.Conn, path, contentType, body string) {
	t.Helper()
	_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\n%s", path, contentType, body)
	require.NoError(t, err)
}

// A caller who is not known yet has five seconds for its body. Then it gets an answer, and its connection is closed.
func TestSlowBodyOfAnUnknownCaller(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(newService(t))
	server.Config.ReadTimeout = time.Hour
	server.Start()
	t.Cleanup(server.Close)
	conns := map[string]net.Conn{} // all at once, so that their times overlap
	for path, contentType := range map[string]string{
		httpadapter.TokenPath: typeForm, httpadapter.RedeemPath: typeJSON, "/magic": typeForm,
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute))) // an hour, without the bound
		postSlowly(t, conn, path, contentType, "{")
		conns[path] = conn
	}
	for path, conn := range conns {
		answers := bufio.NewReader(conn)
		response, err := http.ReadResponse(answers, nil)
		require.NoError(t, err, path)
		require.GreaterOrEqual(t, response.StatusCode, 400, path)
		require.True(t, response.Close, path)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err, path)
		_, err = answers.ReadByte()
		require.Equal(t, io.EOF, err, "the connection is closed: %s", path)
	}
}

// pipeListener accepts one connection in memory, whose time is that of a bubble.
type pipeListener struct {
	conns chan net.Conn
}

func (l pipeListener) Accept() (net.Conn, error) {
	conn, open := <-l.conns
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l pipeListener) Close() error { return nil }

func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// onPipe serves one connection and calls test with the client's end.
func onPipe(t *testing.T, server *http.Server, test func(conn net.Conn, answers *bufio.Reader)) {
	t.Helper()
	listener := pipeListener{make(chan net.Conn, 1)}
	here, there := net.Pipe()
	listener.conns <- there
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	test(here, bufio.NewReader(here))
	close(listener.conns)
	require.NoError(t, here.Close())
	require.NoError(t, server.Close())
	<-served
}

// The bound is five seconds, in which a body may come in pieces, and a server that is stricter stays so.
func TestTheBoundOfASlowBody(t *testing.T) {
	for readTimeout, want := range map[time.Duration]time.Duration{
		0: 5 * time.Second, time.Hour: 5 * time.Second, 10 * time.Second: 5 * time.Second, 2 * time.Second: 2 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			server := &http.Server{Handler: newService(t), ReadTimeout: readTimeout}
			onPipe(t, server, func(conn net.Conn, answers *bufio.Reader) {
				began := time.Now()
				postSlowly(t, conn, httpadapter.TokenPath, typeForm, "client")
				time.Sleep(time.Second)
				_, err := conn.Write([]byte("_id"))
				require.NoError(t, err)
				response, err := http.ReadResponse(answers, nil)
				require.NoError(t, err)
				require.Equal(t, want, time.Since(began))
				require.Equal(t, http.StatusUnprocessableEntity, response.StatusCode)
				_, err = io.Copy(io.Discard, response.Body)
				require.NoError(t, err)
			})
		})
	}
}

// slowClients is a directory that takes its time, and minds the context.
type slowClients struct{ httpadapter.ClientDirectory }

func (c slowClients) FindClient(ctx context.Context, id string) (httpadapter.Client, error) {
	select {
	case <-time.After(20 * time.Second):
		return c.ClientDirectory.FindClient(ctx, id)
	case <-ctx.Done():
		return httpadapter.Client{}, ctx.Err()
	}
}

// A body that has come takes the bound away: neither the work that follows nor a later request on the connection meets it, also
// when a middleware has read the body.
func TestAConnectionIsAsBeforeAfterItsBody(t *testing.T) {
	middlewares := map[string]func(http.Handler) http.Handler{
		"none": func(next http.Handler) http.Handler { return next },
		"puts the body back": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				r.Body = io.NopCloser(bytes.NewReader(body))
				next.ServeHTTP(w, r)
			})
		},
		"parses the form": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				require.NoError(t, r.ParseForm())
				next.ServeHTTP(w, r)
			})
		},
	}
	for name, middleware := range middlewares {
		for _, readTimeout := range []time.Duration{0, time.Minute} {
			t.Run(fmt.Sprintf("%s, %v", name, readTimeout), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					onPipe(t, &http.Server{Handler: middleware(slowService(t)), ReadTimeout: readTimeout}, askThrice(t))
				})
			})
		}
	}
}

// slowService has a directory of clients that takes its time.
func slowService(t *testing.T) http.Handler {
	t.Helper()
	clients, err := httpadapter.StaticClients(httpadapter.Client{ID: "crm", SecretSHA256: httpadapter.HashSecret("canary-secret")})
	require.NoError(t, err)
	service, err := httpadapter.NewService(httpadapter.ServiceConfig{
		Config:  magiclink.Config{BaseURL: baseURL, Keys: seededKeyring(t), Store: memory.New()},
		Clients: slowClients{clients}, Timeout: time.Minute,
	})
	require.NoError(t, err)
	return service
}

// askThrice asks for three access tokens on one connection, with a pause after each.
func askThrice(t *testing.T) func(net.Conn, *bufio.Reader) {
	t.Helper()
	const form = "client_id=crm&client_secret=canary-secret"
	return func(conn net.Conn, answers *bufio.Reader) {
		for range 3 {
			_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
				httpadapter.TokenPath, typeForm, len(form), form)
			require.NoError(t, err)
			response, err := http.ReadResponse(answers, nil)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.False(t, response.Close)
			_, err = io.Copy(io.Discard, response.Body)
			require.NoError(t, err)
			time.Sleep(10 * time.Second)
		}
	}
}
