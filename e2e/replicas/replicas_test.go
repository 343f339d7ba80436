package replicas_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/internal/servetest"
)

const (
	patience = 30 * time.Second
	acme     = `{"external_business_id":"acme","email":"jane@example.com","path":"/reports"}`
)

func TestMain(m *testing.M) {
	code := servetest.Main(m)
	dbtest.Stop()
	os.Exit(code)
}

// onEachStore runs a test on each store that several machines can use.
func onEachStore(t *testing.T, test func(t *testing.T, store string)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) {
		store := dbtest.PostgresDatabase(t)
		got := servetest.Run(t, "", nil, "migrate", "-store", store)
		require.Zero(t, got.Code, got.Stderr)
		test(t, store)
	})
	t.Run("redis", func(t *testing.T) { test(t, dbtest.RedisURL(t)) })
}

// fleet is three replicas with one store, one key file and one configuration, behind a proxy.
type fleet struct {
	t        testing.TB
	folder   string // of the key file and the configuration
	origin   string // of the proxy
	replicas [3]*servetest.Process

	store string
	args  []string
	proxy *roundRobin
}

// start starts a fleet whose second and third replica have clocks that are two and four seconds ahead of the first one's. It adds the arguments to
// those of each replica.
func start(t testing.TB, store string, args ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, folder: t.TempDir(), store: store, args: args, proxy: &roundRobin{targets: make([]*url.URL, 3)}}
	front := httptest.NewServer(f.proxy)
	t.Cleanup(front.Close)
	f.origin = front.URL
	first := servetest.Start(t, servetest.Config{Dir: f.folder, Env: servetest.ClientEnv()}) // makes the two files
	require.Zero(t, first.Stop(syscall.SIGTERM))
	for i := range f.replicas {
		f.serve(i)
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, replica := range f.replicas {
				for line := range strings.Lines(replica.Stderr()) {
					if !strings.Contains(line, "msg=request") {
						t.Log(line)
					}
				}
			}
		}
	})
	return f
}

// serve starts a replica, or starts it again.
func (f *fleet) serve(i int) {
	f.t.Helper()
	f.replicas[i] = servetest.Start(f.t, servetest.Config{
		Dir: f.t.TempDir(), Env: []string{"MAGICLINK_STORE=" + f.store}, Skew: time.Duration(i)*2*time.Second + time.Nanosecond,
		Args: append(append(f.files(), "-base-url", f.origin+"/magic"), f.args...),
	})
	target, err := url.Parse(f.replicas[i].Origin)
	require.NoError(f.t, err)
	f.proxy.set(i, target)
}

func (f *fleet) files() []string {
	data := filepath.Join(f.folder, "magiclink-data")
	return []string{"-keys", filepath.Join(data, "keys.json"), "-config", filepath.Join(data, "config.json")}
}

// command runs a command on the files of the fleet.
func (f *fleet) command(args ...string) string {
	f.t.Helper()
	got := servetest.Run(f.t, f.folder, nil, append(args, f.files()...)...)
	require.Zero(f.t, got.Code, got.Stderr)
	return strings.TrimSpace(got.Stdout)
}

// token returns an access token. Its issuer is the proxy, so that each replica takes it.
func (f *fleet) token() string { return f.replicas[0].Token() }

// issue asks for a link at an origin.
func issue(origin, token string) servetest.Answer {
	return servetest.Send(http.MethodPost, origin+"/v0/auth/magic-link", acme,
		http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}})
}

// redeem redeems a link at an origin, as a back end does.
func redeem(origin, link string) servetest.Answer {
	return servetest.Send(http.MethodPost, origin+"/v0/auth/magic-link/redeem", `{"token":"`+servetest.TokenOf(link)+`"}`,
		http.Header{"Content-Type": {"application/json"}})
}

func (f *fleet) issueAt(replica int) (link string) {
	f.t.Helper()
	got := issue(f.replicas[replica].Origin, f.token())
	require.Equal(f.t, http.StatusCreated, got.Status, got.Body)
	return got.Text(f.t, "magic_link")
}

// roundRobin hands requests to its targets in turn. It does not know which of them are alive.
type roundRobin struct {
	mu      sync.Mutex
	targets []*url.URL
	next    int
}

func (p *roundRobin) set(i int, target *url.URL) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets[i] = target
}

func (p *roundRobin) target() *url.URL {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	return p.targets[p.next%len(p.targets)]
}

// ServeHTTP implements [http.Handler].
func (p *roundRobin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := p.target()
	proxy := httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	proxy.ServeHTTP(w, r)
}
