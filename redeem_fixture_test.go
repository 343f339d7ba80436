package magiclink_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// redeeming is an Issuer, a Redeemer and Sessions of one configuration, with what stands behind them.
type redeeming struct {
	*magiclink.Issuer
	*magiclink.Redeemer
	sessions *magiclink.Sessions
	store    *tapStore
	clock    *clock
	told     *recorder // what the Redeemer reports
	log      *lockedBuffer
}

// newRedeeming makes them upon a store. The changes are to the configuration of the Redeemer alone.
func newRedeeming(tb testing.TB, store magiclink.Store, change ...func(*magiclink.RedeemerConfig)) redeeming {
	tb.Helper()
	f := redeeming{
		store: &tapStore{Store: store}, clock: &clock{now: noon}, told: new(recorder), log: new(lockedBuffer),
	}
	keys := seededKeyring(tb)
	logger := slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	f.Issuer, err = magiclink.New(magiclink.Config{
		BaseURL: baseURL, Keys: keys, Store: f.store, Now: f.clock.Now, Logger: logger,
	})
	require.NoError(tb, err)
	config := magiclink.RedeemerConfig{
		BaseURL: baseURL, Keys: keys, Store: f.store, Now: f.clock.Now, Logger: logger, OnEvent: f.told.take,
	}
	for _, c := range change {
		c(&config)
	}
	f.Redeemer, err = magiclink.NewRedeemer(config)
	require.NoError(tb, err)
	f.sessions, err = magiclink.NewSessions(magiclink.SessionsConfig{BaseURL: baseURL, Keys: keys, Now: f.clock.Now})
	require.NoError(tb, err)
	return f
}

// link issues one and returns its token.
func (f redeeming) link(tb testing.TB, in magiclink.MagicLinkCreate) (token, id string) {
	tb.Helper()
	response, err := f.Issue(tb.Context(), in)
	require.NoError(tb, err)
	return tokenOf(tb, response.MagicLink), response.MagicLinkID
}

// at moves the clock.
func (f redeeming) at(moment time.Time) { f.clock.set(moment) }

func (c *clock) set(moment time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = moment
}

// stores are the stores that the library comes with.
var stores = map[string]func(testing.TB) magiclink.Store{
	"memory": func(testing.TB) magiclink.Store { return memory.New() },
	"sqlite": func(tb testing.TB) magiclink.Store {
		tb.Helper()
		store, err := sqlite.Open(filepath.Join(tb.TempDir(), "links.db"))
		require.NoError(tb, err)
		tb.Cleanup(func() { require.NoError(tb, store.Close()) })
		return store
	},
}

// tapStore is a store that counts the calls, and does as the test says before and after them.
type tapStore struct {
	magiclink.Store
	gets, consumes atomic.Int64

	before func(context.Context) error                             // instead of Get and Consume, if it fails
	got    func(magiclink.Record, error) (magiclink.Record, error) // what Get has returned
	used   func(magiclink.Record, error) (magiclink.Record, error) // what Consume has returned
	create func(*magiclink.Record)                                 // changes what is stored
}

func (s *tapStore) Create(ctx context.Context, record magiclink.Record) error {
	if s.create != nil {
		s.create(&record)
	}
	return s.Store.Create(ctx, record)
}

func (s *tapStore) Get(ctx context.Context, id string) (magiclink.Record, error) {
	s.gets.Add(1)
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return magiclink.Record{}, err
		}
	}
	record, err := s.Store.Get(ctx, id)
	if s.got != nil {
		return s.got(record, err)
	}
	return record, err
}

func (s *tapStore) Consume(ctx context.Context, id string, at time.Time) (magiclink.Record, error) {
	s.consumes.Add(1)
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return magiclink.Record{}, err
		}
	}
	record, err := s.Store.Consume(ctx, id, at)
	if s.used != nil {
		return s.used(record, err)
	}
	return record, err
}

// calls is how often the store was asked about a link.
func (s *tapStore) calls() int64 { return s.gets.Load() + s.consumes.Load() }

// lockedBuffer takes what several goroutines write.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(text)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
