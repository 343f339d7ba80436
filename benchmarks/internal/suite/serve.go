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
	"strconv"
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

// Serve answers the route that issues links, from the store that is named, until the context ends. The stores "floor",
// "signing" and "storing" are floors: their handler reads the body and writes an answer that was made before, with "signing"
// after one signature, and with "storing" after one signature and one Create of our store for SQLite.
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
	mux.Handle(httpadapter.MagicLinkPath, handler)
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
	if name == "sqlite" || name == "storing" {
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
	case "floor":
		return fixedAnswer(handler, func(context.Context) error { return nil }), nil
	case "signing":
		return fixedAnswer(handler, sign), nil
	case "storing":
		return fixedAnswer(handler, signAndStore(store)), nil
	}
	return handler, nil
}

// sign signs a text about as long as what a link's token signs.
func sign(context.Context) error {
	ed25519.Sign(floorKey, floorText)
	return nil
}

var floorKey, floorText = seededKey(), make([]byte, 300)

func signAndStore(store magiclink.Store) func(context.Context) error {
	var records atomic.Int64
	return func(ctx context.Context) error {
		return errors.Join(sign(ctx), store.Create(ctx, newRecord(int(records.Add(1)))))
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
	bearer, err := httpadapter.NewBearer(httpadapter.BearerConfig{Keys: keys, Issuer: origin, Audience: origin})
	if err != nil {
		return nil, err
	}
	return httpadapter.New(httpadapter.Config{Issuer: pair.issuer, Authenticator: bearer})
}

// fixedAnswer is a floor: it answers what the handler has answered once, after the work.
func fixedAnswer(handler http.Handler, work func(context.Context) error) http.Handler {
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, httpadapter.MagicLinkPath, strings.NewReader(issueBody))
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
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
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
		ID: magiclink.NewAccessTokenID(now), Scopes: []string{httpadapter.ScopeCreate}, TenantID: "t1",
		IssuedAt: now, ExpiresAt: now.Add(time.Hour),
	})
	if err != nil {
		panic(err) // as above
	}
	return token
}

func issueRequest() []byte {
	return load.Request(http.MethodPost, httpadapter.MagicLinkPath, issueBody, "Authorization: Bearer "+accessToken())
}
