package contracttest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// errOutage carries a word that must reach the log and never a client.
var errOutage = errors.New("the-database-is-on-fire")

// directory is a BusinessDirectory over a list.
type directory map[string][]magiclink.Business

var tenants = directory{
	"t1": {{ID: acme, ExternalID: "acme"}, {ID: globex, ExternalID: "globex"}},
	"t2": {{ID: other, ExternalID: "acme"}},
}

func (d directory) FindBusiness(
	_ context.Context, tenant string, ref magiclink.BusinessRef,
) (magiclink.Business, error) {
	at := slices.IndexFunc(d[tenant], func(b magiclink.Business) bool {
		return b.ID == ref.ID || ref.ExternalID != "" && b.ExternalID == ref.ExternalID
	})
	if at < 0 {
		return magiclink.Business{}, magiclink.ErrBusinessNotFound
	}
	return d[tenant][at], nil
}

// directoryFunc is a BusinessDirectory that does as the test says.
type directoryFunc func(context.Context) (magiclink.Business, error)

func (f directoryFunc) FindBusiness(
	ctx context.Context, _ string, _ magiclink.BusinessRef,
) (magiclink.Business, error) {
	return f(ctx)
}

var brokenDirectory = directoryFunc(func(context.Context) (magiclink.Business, error) {
	return magiclink.Business{}, errOutage
})

// countingStore keeps what it was given in order, and can be told how to fail.
type countingStore struct {
	magiclink.Store
	fail func(context.Context) error

	mu      sync.Mutex
	records []magiclink.Record
}

func newCountingStore() *countingStore { return &countingStore{Store: memory.New()} }

func (s *countingStore) Create(ctx context.Context, record magiclink.Record) error {
	if s.fail != nil {
		return s.fail(ctx)
	}
	if err := s.Store.Create(ctx, record); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, record)
	return nil
}

// Unwrap lets the optional interfaces of the store inside be found.
func (s *countingStore) Unwrap() magiclink.Store { return s.Store }

func (s *countingStore) kept() []magiclink.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.records)
}

// hang waits until the context ends, as a database does that has lost its network.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}
