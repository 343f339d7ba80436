//go:build cgo

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// queueUp starts calls in order behind a lock that another connection holds, so that they share one batch, frees the
// lock and returns when all have ended.
func queueUp(t *testing.T, path string, calls ...func()) {
	t.Helper()
	unlock := lock(t, path)
	defer unlock()
	var group sync.WaitGroup
	for _, call := range calls {
		group.Go(call)
		synctest.Wait()
	}
	unlock()
	group.Wait()
}

// poison makes the statement fail that inserts the record with this number.
func poison(t *testing.T, path string, number int) {
	t.Helper()
	run(t, path, fmt.Sprintf(`CREATE TRIGGER poison%d BEFORE INSERT ON magiclink_links WHEN NEW.id = '%s'
		BEGIN SELECT RAISE(ABORT, 'poisoned'); END`, number, liveRecord(number).ID))
}

func TestAFailureDoesNotSinkItsBatch(t *testing.T) {
	for _, poisoned := range [][]int{{0}, {3}, {7}, {0, 1}, {2, 5, 7}, {0, 1, 2, 3, 4, 5, 6, 7}} {
		t.Run(fmt.Sprint(poisoned), func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
				fails := make(map[int]bool)
				for _, number := range poisoned {
					poison(t, path, number)
					fails[number] = true
				}
				errs := make([]error, 8)
				var calls []func()
				for i := range errs {
					calls = append(calls, func() { errs[i] = s.Create(t.Context(), liveRecord(i)) })
				}
				queueUp(t, path, calls...)
				for i, err := range errs {
					if !fails[i] {
						require.NoError(t, err)
						requirePresent(t, s, i)
						continue
					}
					require.EqualError(t, err, "magiclink/sqlite: create: poisoned")
					require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
					requireAbsent(t, s, i)
				}
			})
		})
	}
}

func TestVerdictsInABatch(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
		create(t, s, 1, 2, 3)
		ctx, now := t.Context(), time.Now()
		consume := func(number int, at time.Time) error {
			_, err := s.Consume(ctx, liveRecord(number).ID, at, "")
			return err
		}
		errs := make([]error, 9)
		queueUp(t, path,
			func() { errs[0] = s.Create(ctx, liveRecord(1)) },
			func() { errs[1] = consume(1, now) },
			func() { errs[2] = consume(1, now) },
			func() { errs[3] = s.Revoke(ctx, liveRecord(2).ID, now) },
			func() { errs[4] = consume(2, now) },
			func() { errs[5] = consume(3, now.Add(2*time.Hour)) },
			func() { errs[6] = consume(4, now) },
			func() { errs[7] = s.Create(ctx, liveRecord(4)) },
			func() { errs[8] = consume(4, now) },
		)
		for i, want := range []error{
			magiclink.ErrExists, nil, magiclink.ErrConsumed, nil, magiclink.ErrRevoked, magiclink.ErrExpired,
			magiclink.ErrNotFound, nil, nil,
		} {
			require.ErrorIs(t, errs[i], want, "call %d", i)
		}
	})
}

func TestCancelledInTheQueue(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
		for cancelled := range 3 { // the first leads
			ctx, cancel := context.WithCancel(t.Context())
			unlock := lock(t, path)
			errs := make([]error, 3)
			var group sync.WaitGroup
			for i := range errs {
				group.Go(func() {
					callers := t.Context()
					if i == cancelled {
						callers = ctx
					}
					errs[i] = s.Create(callers, liveRecord(10*cancelled+i))
				})
				synctest.Wait()
			}
			cancel()
			synctest.Wait()
			require.ErrorIs(t, errs[cancelled], context.Canceled, "it returns while the lock is still held")
			require.NotErrorIs(t, errs[cancelled], magiclink.ErrUnknownOutcome)
			unlock()
			group.Wait()
			for i := range errs {
				if i != cancelled {
					require.NoError(t, errs[i])
					requirePresent(t, s, 10*cancelled+i)
				}
			}
			requireAbsent(t, s, 10*cancelled+cancelled)
		}
	})
}

// Contexts that end at any moment: every answer has to agree with what the database then holds.
func TestCancelledAtAnyMoment(t *testing.T) {
	s := open(t, newPath(t))
	const callers, calls = 8, 40
	type outcome struct {
		number int
		err    error
	}
	outcomes := make(chan outcome, callers*calls)
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for i := range calls {
				number := caller*calls + i
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*25*time.Microsecond)
				outcomes <- outcome{number, s.Create(ctx, liveRecord(number))}
				cancel()
			}
		})
	}
	group.Wait()
	create(t, s, callers*calls) // whatever was under way has been committed before this one
	close(outcomes)
	for o := range outcomes {
		switch {
		case o.err == nil:
			requirePresent(t, s, o.number)
		case errors.Is(o.err, magiclink.ErrUnknownOutcome):
			require.ErrorIs(t, o.err, context.DeadlineExceeded)
		default:
			require.ErrorIs(t, o.err, context.DeadlineExceeded)
			requireAbsent(t, s, o.number)
		}
	}
}

func TestErrorsHoldNothingOfARecord(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	poison(t, path, 1)
	err := s.Create(t.Context(), liveRecord(1))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "canary")
}
