package suite

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/benchmarks/internal/load"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

const issueBody = `{"business_id":"` + business + `","ttl":15,"session_timeout":3600,"email":"jane@example.com","path":"/reports?year=2026"}`

// Serve answers the route that issues links, from the named server, until the context ends. "memory" and "sqlite" are ours.
// The others are floors: their handler reads the body and writes an answer that was made before. "fixed" does nothing else;
// "memory floor" and "sqlite floor" sign once and call Create of that store once.
func Serve(ctx context.Context, store, dir, profile string, stdout io.Writer) error {
	handler, err := newHandler(store, dir)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if profile != "" {
		file, err := os.Create(filepath.Join(profile, "http-"+store+".pprof")) //nolint:gosec // G304: the path is the caller's own
		if err != nil {
			return err
		}
		defer file.Close() //nolint:errcheck // a profile that is cut short says so
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	mux := http.NewServeMux()
	mux.Handle(httpadapter.IssuePath, handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Fprintf(stdout, "port %d\n", listener.Addr().(*net.TCPAddr).Port)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func newHandler(name, dir string) (http.Handler, error) {
	var store magiclink.Store = memory.New()
	if strings.HasPrefix(name, "sqlite") {
		var err error
		if store, err = sqlite.Open(filepath.Join(dir, name+".db")); err != nil {
			return nil, err
		}
	}
	handler, err := issueHandler(store)
	if err != nil {
		return nil, err
	}
	switch name {
	case "fixed":
		return fixedAnswer(handler, func(context.Context) error { return nil }), nil
	case "memory floor", "sqlite floor":
		return fixedAnswer(handler, signAndStore(store)), nil
	}
	return handler, nil
}

// signAndStore signs a text about as long as that of a link's token, and stores a record whose texts are allocated by
// themselves, as they are when they come from a request.
func signAndStore(store magiclink.Store) func(context.Context) error {
	key, text := seededKey(), make([]byte, 300)
	var records atomic.Int64
	return func(ctx context.Context) error {
		ed25519.Sign(key, text)
		r := newRecord(int(records.Add(1)))
		r.BusinessID, r.ExternalBusinessID = strings.Clone(r.BusinessID), strings.Clone(r.ExternalBusinessID)
		r.Email, r.Path = strings.Clone(r.Email), strings.Clone(r.Path)
		return store.Create(ctx, r)
	}
}

func issueHandler(store magiclink.Store) (http.Handler, error) {
	pair, err := newPair(store)
	if err != nil {
		return nil, err
	}
	keys, err := magiclink.NewKeyring(seededKey())
	if err != nil {
		return nil, err
	}
	bearer, err := httpadapter.NewBearerAuthenticator(httpadapter.BearerConfig{Keys: keys, Issuer: origin, Audience: origin})
	if err != nil {
		return nil, err
	}
	return httpadapter.NewIssueHandler(httpadapter.IssueConfig{Issuer: pair.issuer, Authenticator: bearer})
}

// fixedAnswer is a floor: it answers what the handler has answered once, after the work.
func fixedAnswer(handler http.Handler, work func(context.Context) error) http.Handler {
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, httpadapter.IssuePath, strings.NewReader(issueBody))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+accessToken())
	handler.ServeHTTP(recorder, request)
	answer := recorder.Body.Bytes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		if err := errors.Join(err, work(r.Context())); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		header := w.Header()
		for name, values := range recorder.Header() { // those that the contract demands
			header[name] = values
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(answer)
	})
}

// accessToken lets its bearer issue links from a server of this package.
func accessToken() string {
	keys, err := magiclink.NewKeyring(seededKey())
	if err != nil {
		panic(err) // the key is a constant
	}
	now := time.Now()
	token, err := keys.SignAccessToken(magiclink.AccessToken{
		Issuer: origin, Audience: []string{origin}, Subject: "bench", ClientID: "bench",
		Scopes: []string{httpadapter.ScopeCreate}, TenantID: "t1",
		IssuedAt: now, ExpiresAt: now.Add(time.Hour),
	})
	if err != nil {
		panic(err) // as above
	}
	return token
}

func issueRequest() []byte {
	return load.Request(http.MethodPost, httpadapter.IssuePath, issueBody, "Authorization: Bearer "+accessToken())
}
