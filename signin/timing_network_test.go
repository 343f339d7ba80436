package signin_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/signin"
)

// The service in a process of its own, with one processor: there what it does beside its answers delays the next one the most. It is told by its paths
// under /control/ what a visitor does not say.
const (
	serverEnv = "MAGICLINK_TEST_TIMING_SERVER" // set in that process
	restEnv   = "MAGICLINK_TEST_TIMING_REST"   // the longest rest; zero is the twin that does not rest

	// serverRounds make digests that take longer than a next request on the same machine needs to come, and less than those of production.
	serverRounds = 2000
)

// TestTimingServer is that process.
func TestTimingServer(t *testing.T) {
	if os.Getenv(serverEnv) == "" {
		t.Skip("is run by TestTimesOverTheNetworkTellNothing")
	}
	runtime.GOMAXPROCS(1)
	defer signin.SetCodeRounds(serverRounds)()
	rest, err := time.ParseDuration(os.Getenv(restEnv))
	require.NoError(t, err)
	defer signin.SetLongestRest(rest)()
	s, mails := timingSite(t, stores["memory"](t))
	b := &batch{site: s, mails: mails}
	mux := http.NewServeMux()
	mux.Handle("/", s)
	mux.HandleFunc("/control/settle", func(http.ResponseWriter, *http.Request) { b.settled() })
	mux.HandleFunc("/control/over", func(http.ResponseWriter, *http.Request) { b.over() })
	served := httptest.NewServer(mux)
	defer served.Close()
	fmt.Println("listens on", served.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the other process ends
}

// remote is the service in the other process, over one connection as an attacker keeps it who measures.
type remote struct {
	t         *testing.T
	url       string
	transport *http.Transport
	dials     int
}

func startRemote(t *testing.T, rest time.Duration) *remote {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTimingServer$", "-test.timeout=0")
	command.Env = append(os.Environ(), serverEnv+"=1", restEnv+"="+rest.String())
	stdin, err := command.StdinPipe()
	require.NoError(t, err)
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		require.NoError(t, stdin.Close())
		_ = command.Wait()
	})
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if _, url, found := strings.Cut(lines.Text(), "listens on "); found {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return newRemote(t, url)
		}
	}
	require.FailNow(t, "the other process does not listen")
	return nil
}

func newRemote(t *testing.T, url string) *remote {
	t.Helper()
	r := &remote{t: t, url: url}
	r.transport = &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		r.dials++
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Cleanup(func() { require.Equal(t, 1, r.dials, "no answer closes the connection") })
	return r
}

func (r *remote) send(request *http.Request) *httptest.ResponseRecorder {
	r.t.Helper()
	request.URL.Scheme, request.URL.Host, request.RequestURI = "http", strings.TrimPrefix(r.url, "http://"), ""
	got, err := r.transport.RoundTrip(request)
	require.NoError(r.t, err)
	defer got.Body.Close()
	answer := httptest.NewRecorder()
	_, err = answer.Body.ReadFrom(got.Body)
	require.NoError(r.t, err)
	got.Header.Del("Date")
	maps.Copy(answer.Header(), got.Header)
	answer.Code = got.StatusCode
	return answer
}

func (r *remote) control(what string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "/control/"+what, nil)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, r.send(request).Code)
}

// before is the address for which a mail is sent before a visit: its own one where that uses its limit up.
func (*remote) before(v *visit, other int) string {
	if v.is(kindLimited) {
		return v.address
	}
	return addressOf(kindAgain, other)
}

// measure times the request that follows at once on another one, on the same connection.
func (r *remote) measure(j journey, rounds, seed int) (first, next measured) {
	r.t.Helper()
	s, _ := timingSite(r.t, stores["memory"](r.t)) // for the form: its token is good for every process
	client, random := j.client(r.t, s), rand.New(rand.NewPCG(uint64(rounds), uint64(seed)))
	drawn := slices.Repeat(networkKinds, rounds)
	random.Shuffle(len(drawn), func(a, b int) { drawn[a], drawn[b] = drawn[b], drawn[a] })
	first, next = measured{}, measured{}
	looks := [2]string{}
	for n, kind := range drawn {
		v := &visit{address: addressOf(kind, n), code: "2222-2222"}
		r.send(singlePage{r.t}.ask(&visit{address: r.before(v, len(drawn)+n)}))
		r.control("settle")
		for i, step := range []func(*visit) *http.Request{client.ask, func(v *visit) *http.Request { return j.timed(client, v) }} {
			request := step(v)
			began := time.Now()
			answer := r.send(request)
			took := time.Since(began).Seconds()
			times := []measured{first, next}[i]
			times[kind] = append(times[kind], took)
			client.learn(v, answer)
			look := looksOf(answer, v.address)
			if looks[i] == "" {
				looks[i] = look
			}
			require.Equal(r.t, looks[i], look, "for %s", v.address)
		}
		r.control("settle")
		if n%batchSize == batchSize-1 {
			r.control("over")
			looks = [2]string{}
		}
	}
	return first, next
}

// networkKinds are those for which the most different work is done after an answer.
var networkKinds = []string{kindKnown, kindAgain, kindUnknown, kindLimited, kindRefused, kindMailDown}

// What is done for an address after the answer to one request shows in no answer to the next one, which comes at once, on the same connection. The twin
// does not rest before that work.
func TestTimesOverTheNetworkTellNothing(t *testing.T) {
	for _, j := range []journey{
		{"looking at once", newPages, nil, client.look, 0},
		{"wrong code at once", newPages, nil, client.code, 0},
	} {
		t.Run(j.name, func(t *testing.T) {
			service, seed := startRemote(t, time.Millisecond), 0
			if samples(t) == 0 {
				service.measure(j, 3, seed)
				return
			}
			requireNoneApart(t, []string{"the first request", "the next one"}, func() []measured {
				seed++
				first, next := service.measure(j, samples(t), seed)
				return []measured{first, next}
			})
			_, twin := startRemote(t, 0).measure(j, fewer(samples(t)), seed+1)
			twin.print(t, t.Name()+", its twin, the next one")
			require.Contains(t, twin.apart(level), kindUnknown, "the control: a leak is told")
		})
	}
}
