package main

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// maxRequestID bounds a request id that a proxy has given.
const maxRequestID = 64

// observe gives each request an id and logs how it went. Of the URL the path alone is logged: the query of a link is a
// credential. A panic ends here, without its value.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, id := time.Now(), requestID(r)
		w.Header().Set("X-Request-Id", id)
		recorder := &statusRecorder{ResponseWriter: w}
		defer func() {
			if recover() != nil {
				s.logger.ErrorContext(r.Context(), "a handler panicked", "request_id", id)
				if recorder.status == 0 {
					writeJSON(recorder, http.StatusServiceUnavailable, `{"error":"temporarily unavailable","data":null}`)
				}
			}
			s.logger.LogAttrs(r.Context(), slog.LevelInfo, "request",
				slog.String("request_id", id), slog.String("method", r.Method), slog.String("path", r.URL.Path),
				slog.Int("status", recorder.status), slog.Duration("took", time.Since(start)),
				slog.String("remote", r.RemoteAddr))
		}()
		next.ServeHTTP(recorder, r)
	})
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

func (r *statusRecorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Write(text []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(text)
}

// Unwrap lets http.ResponseController and http.MaxBytesReader reach the real writer.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
