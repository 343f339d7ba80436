package signin_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// callStore keeps the names of the calls that it gets while a client waits.
type callStore struct {
	magiclink.Store
	mu    sync.Mutex
	calls []string
	extra bool // the leaking twin: it looks a used link up once more
}

// inRequest marks the calls that a client waits for.
type inRequest struct{}

func (s *callStore) tell(ctx context.Context, call string) {
	if ctx.Value(inRequest{}) == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
}

// told returns the calls since the last time.
func (s *callStore) told() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := strings.Join(s.calls, " ")
	s.calls = nil
	return calls
}

func (s *callStore) Get(ctx context.Context, id string) (magiclink.Record, error) {
	s.tell(ctx, "Get")
	record, err := s.Store.Get(ctx, id)
	if s.extra && !record.ConsumedAt.IsZero() {
		s.tell(ctx, "Get")
	}
	return record, err
}

func (s *callStore) Create(ctx context.Context, record magiclink.Record) error {
	s.tell(ctx, "Create")
	return s.Store.Create(ctx, record)
}

func (s *callStore) Consume(ctx context.Context, id string, at time.Time, by string) (magiclink.Record, error) {
	s.tell(ctx, "Consume")
	return s.Store.Consume(ctx, id, at, by)
}

func (s *callStore) Revoke(ctx context.Context, id string, at time.Time) error {
	s.tell(ctx, "Revoke")
	return s.Store.Revoke(ctx, id, at)
}

func (s *callStore) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (time.Duration, error) {
	s.tell(ctx, key[:strings.LastIndexByte(key, ':')])
	return s.Store.(magiclink.Limiter).Take(ctx, key, rate, at)
}

func (s *callStore) Reset(ctx context.Context, key string) error {
	s.tell(ctx, "Reset")
	return s.Store.(magiclink.Limiter).Reset(ctx, key)
}

// callsOf returns what a request of each kind asks the store for before it is answered, and the kinds for which that is not the same.
func (j journey) callsOf(t *testing.T, extra bool) (calls string, others []string) {
	t.Helper()
	store := &callStore{Store: memory.New(), extra: extra}
	s, mails := timingSite(t, store)
	b := newBatch(s, mails, j.client(t, s), kinds, 0)
	if j.before != nil {
		j.before(b)
	}
	for i, v := range b.visits {
		store.told()
		r := j.timed(b.client, v)
		b.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithValue(r.Context(), inRequest{}, true)))
		switch got := store.told(); {
		case i == 0:
			calls = got
		case got != calls:
			others = append(others, fmt.Sprint(kinds[i], ": ", got))
		}
	}
	b.over()
	return calls, others
}

// On every store, near or far: no request asks it for more, for less or for something else because of the address.
func TestStoreCallsTellNothing(t *testing.T) {
	for _, j := range journeys {
		t.Run(j.name, func(t *testing.T) {
			calls, others := j.callsOf(t, false)
			t.Log(calls)
			require.Empty(t, others, "%s", calls)
			calls, others = j.callsOf(t, true)
			require.Equal(t, strings.Contains(calls, "signin:code "), len(others) > 0, "the control: %v", others)
		})
	}
}
