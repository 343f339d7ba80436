package replicas_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/magiclinktest"
	"github.com/magiclink-go/magiclink/signin"
	"github.com/magiclink-go/magiclink/store/postgres"
	"github.com/magiclink-go/magiclink/store/redis"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

const (
	appOrigin = "https://app.example.com"
	flowName  = "__Host-magiclink_signin"
	jane      = "jane@open.example"
)

// boundless is a limit that nobody reaches.
var boundless = magiclink.Rate{Burst: 1_000_000, Every: time.Millisecond}

// sharedStores open three stores, each as a replica does, that share what they keep.
var sharedStores = map[string]func(*testing.T) [3]magiclink.Store{
	"sqlite": func(t *testing.T) [3]magiclink.Store {
		t.Helper()
		path := t.TempDir() + "/magiclink.db"
		return three(func() magiclink.Store {
			store, err := sqlite.Open(path)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, store.Close()) })
			return store
		})
	},
	"postgres": func(t *testing.T) [3]magiclink.Store {
		t.Helper()
		url := dbtest.PostgresDatabase(t)
		return three(func() magiclink.Store {
			config, err := pgxpool.ParseConfig(url)
			require.NoError(t, err)
			config.MaxConns = 8
			pool, err := pgxpool.NewWithConfig(t.Context(), config)
			require.NoError(t, err)
			t.Cleanup(pool.Close)
			store, err := postgres.New(pool, postgres.Options{})
			require.NoError(t, err)
			require.NoError(t, store.Migrate(t.Context()))
			t.Cleanup(func() { require.NoError(t, store.Close()) })
			return store
		})
	},
	"redis": func(t *testing.T) [3]magiclink.Store {
		t.Helper()
		url, prefix := dbtest.RedisURL(t), fmt.Sprintf("magiclink-test:%s:%d:", t.Name(), time.Now().UnixNano())
		return three(func() magiclink.Store {
			options, err := goredis.ParseURL(url)
			require.NoError(t, err)
			options.ContextTimeoutEnabled = true
			client := goredis.NewClient(options)
			t.Cleanup(func() { require.NoError(t, client.Close()) })
			store, err := redis.New(client, redis.Options{Prefix: prefix, Indexes: []redis.Index{redis.ByTenant, redis.ByEmail}})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, store.Close()) })
			return store
		})
	},
}

func three(open func() magiclink.Store) (stores [3]magiclink.Store) {
	for i := range stores {
		stores[i] = open()
	}
	return stores
}

// tally counts events.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *tally) take(_ context.Context, event magiclink.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[string(event.Op)+" "+string(event.Reason)]++
}

func (c *tally) of(op magiclink.Op, reason magiclink.Reason) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[string(op)+" "+string(reason)]
}

// sites are three replicas of a service with a flow, in this process. Everybody at open.example may sign in.
type sites struct {
	t        *testing.T
	services [3]*httpadapter.Service
	flows    [3]*signin.Flow
	inbox    *magiclinktest.Inbox
	told     tally
	next     atomic.Int64
}

func newSites(t *testing.T, stores [3]magiclink.Store, change ...func(*signin.Config)) *sites {
	t.Helper()
	keys, err := magiclink.NewKeyring(ed25519.NewKeyFromSeed([]byte("a seed of 32 bytes for the tests")))
	require.NoError(t, err)
	s := &sites{t: t, inbox: magiclinktest.NewInbox()}
	for i, store := range stores {
		config := signin.Config{
			Config: magiclink.Config{
				BaseURL: appOrigin + "/magic", Keys: keys, Store: store, Businesses: magiclink.AnyBusiness, OnEvent: s.told.take,
			},
			Mailer: s.inbox, Resolve: openExample,
		}
		for _, c := range change {
			c(&config)
		}
		s.flows[i], err = signin.New(config)
		require.NoError(t, err)
		s.services[i], err = httpadapter.NewService(httpadapter.ServiceConfig{
			Config: config.Config, SignIn: s.flows[i], SessionsPath: httpadapter.SessionsPath, Clients: operators(t),
		})
		require.NoError(t, err)
	}
	t.Cleanup(s.settle)
	return s
}

const operatorSecret = "correct-horse-battery-staple"

// operators are the programs that may use the API.
func operators(t *testing.T) httpadapter.ClientDirectory {
	t.Helper()
	clients, err := httpadapter.StaticClients(httpadapter.Client{
		ID: "crm", SecretSHA256: httpadapter.HashSecret(operatorSecret), Scopes: []string{httpadapter.ScopeRead, httpadapter.ScopeRevoke},
	})
	require.NoError(t, err)
	return clients
}

func openExample(_ context.Context, address string) (magiclink.MagicLinkCreate, error) {
	if !strings.HasSuffix(address, "@open.example") {
		return magiclink.MagicLinkCreate{}, signin.ErrUnknownAddress
	}
	return magiclink.MagicLinkCreate{ExternalBusinessID: "acme"}, nil
}

// settle waits until all mails are sent.
func (s *sites) settle() {
	for _, flow := range s.flows {
		if err := flow.Wait(context.Background()); err != nil {
			s.t.Errorf("Wait: %v", err)
		}
	}
}

// ServeHTTP hands the requests to the replicas in turn.
func (s *sites) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.services[s.next.Add(1)%3].ServeHTTP(w, r)
}

func (s *sites) browser() *magiclinktest.Browser {
	return magiclinktest.NewBrowser(s.t, magiclinktest.Handler(s))
}

// signedIn reports whether a browser has a session.
func signedIn(browser *magiclinktest.Browser) bool {
	return browser.Open(appOrigin+"/session").Status == http.StatusOK
}

// post sends a body to one of the JSON routes of a replica, from an address.
func (s *sites) post(replica int, client, path string, body map[string]string) (status int, answer string) {
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Errorf("Marshal: %v", err)
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(text)))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = client + ":1024"
	w := httptest.NewRecorder()
	s.services[replica%3].ServeHTTP(w, r)
	got, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(got)
}

// address is one of many client addresses.
func address(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255) }

// together calls many times from many goroutines. Each gets the numbers of its calls in turn.
func together(goroutines, calls int, call func(n int)) {
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			for n := g; n < calls; n += goroutines {
				call(n)
			}
		})
	}
	group.Wait()
}

// size is how much a test does: the whole of it in full tests, and a part otherwise.
func size(whole, part int) int {
	if dbtest.Full() {
		return whole
	}
	return part
}

// racyLimiter is a twin of a store whose Take reads and then writes.
type racyLimiter struct {
	magiclink.Store
	arrivals *sync.Map
}

// Unwrap lets no other Limiter be found, since this one comes first.
func (r racyLimiter) Unwrap() magiclink.Store { return r.Store }

func (r racyLimiter) Take(_ context.Context, key string, rate magiclink.Rate, at time.Time) (time.Duration, error) {
	before, _ := r.arrivals.LoadOrStore(key, int64(0))
	time.Sleep(time.Millisecond) // as long as a round trip
	next, wait := rate.Take(before.(int64), at)
	if wait == 0 {
		r.arrivals.Store(key, next)
	}
	return wait, nil
}

func (r racyLimiter) Reset(context.Context, string) error { return nil }

func racy(stores [3]magiclink.Store) [3]magiclink.Store {
	arrivals := new(sync.Map)
	for i := range stores {
		stores[i] = racyLimiter{stores[i], arrivals}
	}
	return stores
}
