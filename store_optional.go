package magiclink

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

// StoreAs finds an optional interface T of a store. It looks at the store itself and then, as long as there is a method
// Unwrap() Store, at the store inside, so that a wrapper that adds metrics or tracing hides nothing:
//
//	pinger, ok := magiclink.StoreAs[interface{ Ping(context.Context) error }](store)
//
// It reports false if no store in the chain implements T, and for a nil store. It looks at 100 stores of a chain at most, so that a
// wrapper which returns itself stops nobody.
func StoreAs[T any](store Store) (T, bool) {
	for range maxWrappers {
		if nilvalue.Is(store) {
			break
		}
		if found, ok := store.(T); ok {
			return found, true
		}
		wrapper, ok := store.(interface{ Unwrap() Store })
		if !ok {
			break
		}
		store = wrapper.Unwrap()
	}
	return *new(T), false
}

const maxWrappers = 100

const (
	purgeLimit    = 1000        // records in one call of Purge
	purgeDefault  = time.Minute // between two rounds
	purgeDeadline = time.Minute // for the context of one call of Purge
)

var errPurgeFailed = errors.New("the store panicked, or ended its goroutine")

// PurgeEvery removes records whose [Record.End] has passed, at once and then in every interval, until the context ends. It
// blocks: run it in a goroutine of its own.
//
//	go magiclink.PurgeEvery(ctx, store, 10*time.Minute, logger)
//
// An interval of zero or less means one minute. A nil logger means [slog.Default]. With a nil store PurgeEvery logs that and
// returns. It logs a failure, or a panic of the store, and tries again after the next interval. One call of Purge gets a deadline
// of one minute; a Purge that ignores its context delays PurgeEvery. The time is that of the real clock, whatever [Config.Now] is. It
// keeps records for one minute longer than necessary, since clocks of several machines differ and a Leeway is at most one minute. Several processes may purge one store at the same time.
func PurgeEvery(ctx context.Context, store Store, every time.Duration, logger *slog.Logger) {
	if logger == nil {
		logger = slog.Default()
	}
	if nilvalue.Is(store) {
		logger.ErrorContext(ctx, "magiclink: nothing is purged: the store is nil")
		return
	}
	if every <= 0 {
		every = purgeDefault
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		purgeAll(ctx, store, logger)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// purgeAll calls Purge until nothing is left to remove.
func purgeAll(ctx context.Context, store Store, logger *slog.Logger) {
	before, total := time.Now().Add(-maxLeeway), 0
	for ctx.Err() == nil {
		removed, err := purgeOnce(ctx, store, before)
		total += removed
		if err != nil && ctx.Err() == nil {
			logger.ErrorContext(ctx, "magiclink: purge failed", "removed", total, "error", err)
			return
		}
		if removed < purgeLimit {
			break
		}
	}
	if total > 0 {
		logger.DebugContext(ctx, "magiclink: purged", "removed", total)
	}
}

// purgeOnce calls Purge in a goroutine of its own: whatever the store does there, purging goes on in the next round. The
// value of a panic may hold anything and is not logged.
func purgeOnce(ctx context.Context, store Store, before time.Time) (removed int, err error) {
	ctx, cancel := context.WithTimeout(ctx, purgeDeadline)
	defer cancel()
	type outcome struct {
		removed int
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		result := outcome{err: errPurgeFailed}
		defer func() {
			_ = recover()
			done <- result
		}()
		result.removed, result.err = store.Purge(ctx, before, purgeLimit)
	}()
	result := <-done
	return result.removed, result.err
}
