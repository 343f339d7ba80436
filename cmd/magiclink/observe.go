package main

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

// maxRequestID bounds a request id that a proxy has given.
const maxRequestID = 64

// observe gives each request an id and logs it by the name of its route: the rest of a URL may be a credential. It contains
// a panic of a handler, and does not log the value, which may hold anything.
func observe(logger *slog.Logger, routes routeNames, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, id := time.Now(), requestID(r)
		w.Header().Set("X-Request-Id", id)
		r = r.WithContext(withRequestID(r.Context(), id))
		recorder := &statusRecorder{ResponseWriter: w}
		defer func() {
			if recover() != nil {
				logger.ErrorContext(r.Context(), "a handler panicked")
				if recorder.status == 0 {
					writeJSON(recorder, http.StatusServiceUnavailable, `{"error":"temporarily unavailable, try again later","data":null}`)
				}
			}
			logger.LogAttrs(r.Context(), slog.LevelInfo, "request",
				slog.String("method", methodName(r)), slog.String("route", routes.name(r)),
				slog.Int("status", recorder.status), slog.Duration("took", time.Since(start)),
				slog.String("remote", remoteName(r)))
		}()
		next.ServeHTTP(recorder, r)
	})
}

// routeNames names the routes in the log.
type routeNames struct {
	page *httpadapter.Page
	base string
}

// name returns the pattern of the route that answers a request, and never a part of a link.
func (n routeNames) name(r *http.Request) string {
	exact := []string{
		httpadapter.TokenPath, httpadapter.IssuePath, httpadapter.RedeemPath, httpadapter.SessionPath, httpadapter.LogoutPath,
		httpadapter.JWKSPath, httpadapter.MetadataPath, httpadapter.OpenAPIPath, httpadapter.OpenAPIJSONPath,
		httpadapter.HealthPath, httpadapter.ReadyPath, httpadapter.SessionsPath,
		signin.RequestPath, signin.CheckPath, signin.ResendPath, signin.RequestJSONPath, signin.CodeJSONPath,
	}
	switch {
	case n.page.Matches(r):
		return n.basePath() + "/{path...}"
	case slices.Contains(exact, r.URL.Path):
		return r.URL.Path
	}
	for _, list := range []string{linksPath, sessionsPath} {
		if name, ok := listRoute(list, r.URL.Path); ok {
			return name
		}
	}
	return "/{path...}"
}

// listRoute names the routes of a list, of one of its members, and of what can be done with it.
func listRoute(list, path string) (name string, ok bool) {
	if path == list || path == list+"/revoke" {
		return path, true
	}
	rest, below := strings.CutPrefix(path, list+"/")
	id, rest, more := strings.Cut(rest, "/")
	switch {
	case !below || id == "":
		return "", false
	case !more:
		return list + "/{id}", true
	case rest == "revoke":
		return list + "/{id}/revoke", true
	}
	return "", false
}

func (n routeNames) basePath() string {
	u, err := url.Parse(n.base)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.EscapedPath(), "/")
}

// methodName returns the method if it is one of HTTP's own.
func methodName(r *http.Request) string {
	known := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
	if slices.Contains(known, r.Method) {
		return r.Method
	}
	return "other"
}

// requestID takes over the id of a proxy if it can stand in a log, and makes one otherwise.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	unfit := func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.')
	}
	if id == "" || len(id) > maxRequestID || strings.ContainsFunc(id, unfit) {
		return rand.Text()
	}
	return id
}

// statusRecorder remembers the status of the answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (r *statusRecorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (r *statusRecorder) Write(text []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(text)
}

// Unwrap lets http.ResponseController and http.MaxBytesReader reach the real writer.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
