package main

import (
	"context"
	"log/slog"
)

type requestIDKey struct{}

// withRequestID returns a context whose log lines have the id of the request.
func withRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// requestIDHandler puts the id of the request in front of each line that is logged with its context, so that it can be found by the
// X-Request-Id of the answer.
type requestIDHandler struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h requestIDHandler) Handle(ctx context.Context, record slog.Record) error {
	id, ok := ctx.Value(requestIDKey{}).(string)
	if !ok {
		return h.Handler.Handle(ctx, record)
	}
	with := slog.NewRecord(record.Time, record.Level, record.Message, record.PC)
	with.AddAttrs(slog.String("request_id", id))
	record.Attrs(func(a slog.Attr) bool {
		with.AddAttrs(a)
		return true
	})
	return h.Handler.Handle(ctx, with)
}

// WithAttrs implements [slog.Handler].
func (h requestIDHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestIDHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h requestIDHandler) WithGroup(name string) slog.Handler {
	return requestIDHandler{h.Handler.WithGroup(name)}
}
