package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/postgres"
)

// link returns the record of a link that expires in an hour.
func link(number int) magiclink.Record {
	at := time.Now()
	return magiclink.Record{
		ID: fmt.Sprintf("mlk_%022d", number), Subject: magiclink.Subject{TenantID: "tenant-1", Email: "jane.doe@example.com"},
		Path: "/orders", SessionTimeout: time.Hour, CreatedAt: at, ExpiresAt: at.Add(time.Hour),
	}.Canonical()
}

// statementCounter is a tracer that counts statements.
type statementCounter struct{ n atomic.Int64 }

func (c *statementCounter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}

func (*statementCounter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// pgxBegin runs work with a store in a transaction and commits.
func pgxBegin(t *testing.T, pool *pgxpool.Pool, work func(magiclink.Store), store *postgres.Store) error {
	t.Helper()
	return pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		work(store.InTx(tx))
		return nil
	})
}

// interloper is a tracer that does something, once, when a statement with this text begins.
type interloper struct {
	text string
	once sync.Once
	do   func()
}

func (i *interloper) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if strings.Contains(data.SQL, i.text) {
		i.once.Do(i.do)
	}
	return ctx
}

func (*interloper) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// hostileTracer misbehaves when a statement begins.
type hostileTracer struct{ harm atomic.Pointer[func()] }

func (h *hostileTracer) set(harm func()) {
	if harm == nil {
		h.harm.Store(nil)
		return
	}
	h.harm.Store(&harm)
}

func (h *hostileTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if harm := h.harm.Load(); harm != nil {
		(*harm)()
	}
	return ctx
}

func (*hostileTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
