package signin_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/webform"
	"github.com/magiclink-go/magiclink/signin"
)

// kinds of addresses. All have the same length, since what a page and a cookie hold of an address depends on its length.
const (
	kindKnown     = "known" // the one to which the others are compared
	kindUnknown   = "nobod"
	kindLimited   = "limit"
	kindRefused   = "refus" // Resolve fails
	kindMalformed = "malfo" // Resolve returns what no link can be made of
	kindMailDown  = "nmail" // the mail server is down
	kindTold      = "ntold" // the mail server refuses the address
)

var kinds = []string{kindKnown, kindUnknown, kindLimited, kindRefused, kindMalformed, kindMailDown, kindTold}

// addressOf is another address of a kind for each number.
func addressOf(kind string, number int) string {
	return fmt.Sprintf("%s%07d@open.example", kind, number)
}

func kindOf(address string) string { return address[:min(len(address), 5)] }

// timingSite answers each kind of address as its name says.
func timingSite(t *testing.T, store magiclink.Store, change ...func(*signin.Config)) *site {
	t.Helper()
	boundless := magiclink.Rate{Burst: 1_000_000, Every: time.Millisecond}
	all := append([]func(*signin.Config){func(c *signin.Config) {
		c.Retries = []time.Duration{}
		c.Limits.PerClient, c.Limits.PerTenant, c.Limits.CodesPerClient = boundless, boundless, boundless
		c.Config.OnEvent = nil
		c.Resolve = resolveKinds
		c.Mailer.(*inbox).fail = failKinds
	}}, change...)
	return newSiteOn(t, store, all...)
}

func resolveKinds(_ context.Context, address string) (magiclink.MagicLinkCreate, error) {
	switch kindOf(address) {
	case kindUnknown:
		return magiclink.MagicLinkCreate{}, signin.ErrUnknownAddress
	case kindRefused:
		return magiclink.MagicLinkCreate{}, errors.New("down")
	case kindMalformed:
		return magiclink.MagicLinkCreate{}, nil
	}
	return magiclink.MagicLinkCreate{ExternalBusinessID: "acme"}, nil
}

func failKinds(_ context.Context, m signin.Message) error {
	switch kindOf(m.To) {
	case kindMailDown:
		return errors.New("down")
	case kindTold:
		return signin.ErrPermanent
	}
	return nil
}

// step is one request of a client, with its name.
type step struct {
	name    string
	request func(previous *httptest.ResponseRecorder) *http.Request
}

// client is how somebody asks. Each call returns the steps for an address: those that come at once, and those that come when the mails are sent.
type client func(t *testing.T, s *site) func(address string) (atOnce, later []step)

var clients = map[string]client{"pages": inPages, "JSON": inJSON}

// inPages asks on the request page, looks at the waiting page at once, and types a code.
func inPages(t *testing.T, s *site) func(string) (atOnce, later []step) {
	t.Helper()
	b := s.browser()
	token := b.get("/sign-in").fields(t).Get("form")
	cookies := "__Host-magiclink_form=" + b.cookies["__Host-magiclink_form"]
	request := func(method, path, cookies string, form url.Values) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		r.Header.Set("Cookie", cookies)
		return r
	}
	return func(address string) (atOnce, later []step) {
		flow := ""
		ask := func(*httptest.ResponseRecorder) *http.Request {
			return request(http.MethodPost, "/sign-in", cookies, url.Values{"form": {token}, "email": {address}})
		}
		look := func(asked *httptest.ResponseRecorder) *http.Request {
			flow, _, _ = strings.Cut(asked.Header().Get("Set-Cookie"), ";")
			return request(http.MethodGet, "/sign-in/check", cookies+"; "+flow, nil)
		}
		code := func(*httptest.ResponseRecorder) *http.Request {
			return request(http.MethodPost, "/sign-in/check", cookies+"; "+flow, url.Values{"form": {token}, "code": {"2222-2222"}})
		}
		return []step{{"ask", ask}, {"look", look}}, []step{{"code", code}}
	}
}

// inJSON asks as a single-page app does, and tries a code.
func inJSON(t *testing.T, _ *site) func(string) (atOnce, later []step) {
	t.Helper()
	post := func(path, body string) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		return r
	}
	return func(address string) (atOnce, later []step) {
		ask := func(*httptest.ResponseRecorder) *http.Request {
			return post(signin.RequestJSONPath, `{"email":"`+address+`"}`)
		}
		code := func(asked *httptest.ResponseRecorder) *http.Request {
			flow := strings.TrimSuffix(strings.TrimPrefix(asked.Body.String(), `{"data":{"flow":"`), "\"}}\n")
			return post(signin.CodeJSONPath, `{"flow":"`+flow+`","code":"2222-2222"}`)
		}
		return []step{{"ask", ask}}, []step{{"code", code}}
	}
}

// measured are the times of each step, by its name and the kind of address, in seconds.
type measured map[string]map[string][]float64

// server answers a request, in this process or over the network.
type server func(w *httptest.ResponseRecorder, r *http.Request)

func (s *site) direct() server {
	return func(w *httptest.ResponseRecorder, r *http.Request) { s.ServeHTTP(w, r) }
}

// overTCP keeps one connection, as an attacker does who measures.
func (s *site) overTCP() server {
	over := httptest.NewServer(s)
	s.t.Cleanup(over.Close)
	transport := &http.Transport{DisableCompression: true}
	return func(w *httptest.ResponseRecorder, r *http.Request) {
		r.URL.Scheme, r.URL.Host, r.RequestURI = "http", over.Listener.Addr().String(), ""
		got, err := transport.RoundTrip(r)
		require.NoError(s.t, err)
		defer got.Body.Close()
		_, err = w.Body.ReadFrom(got.Body)
		require.NoError(s.t, err)
		got.Header.Del("Date")
		maps.Copy(w.Header(), got.Header)
		w.Code = got.StatusCode
	}
}

// stopwatch measures the answers to a client. Every answer must look like the first one of its step.
type stopwatch struct {
	t     *testing.T
	serve server
	leak  func(address string) // makes the answers of a twin tell something; may be nil
	looks map[string]string
	times measured
}

// measure asks for the given number of addresses of each kind, on average. Each kind is drawn by lot, also after itself: so what a request leaves in the
// caches of the processor for the next one is the same for all kinds.
func measure(t *testing.T, s *site, serve server, who client, rounds, from int, leak func(address string)) measured {
	t.Helper()
	steps, decoy := who(t, s), s.browser().begin("decoy@open.example")
	random := rand.New(rand.NewPCG(uint64(rounds), uint64(from)))
	watch := &stopwatch{t, serve, leak, map[string]string{}, measured{}}
	drawn := make([]string, rounds*len(kinds))
	for i := range drawn {
		drawn[i] = kinds[random.IntN(len(kinds))]
		if drawn[i] == kindLimited {
			s.browser().begin(addressOf(kindLimited, from+i)) // uses its limit up
			require.NoError(t, s.flow.Wait(t.Context()))
		}
	}
	for i, kind := range drawn {
		atOnce, later := steps(addressOf(kind, from+i))
		last := watch.take(atOnce, nil, addressOf(kind, from+i))
		require.NoError(t, s.flow.Wait(t.Context()))
		if len(later) > 0 { // what was done for the address is no longer in the caches
			s.browser().code(strings.Replace(decoy, strings.Split(decoy, ".")[1], webform.NewSecret(), 1), "2222-2222")
		}
		watch.take(later, last, addressOf(kind, from+i))
	}
	return watch.times
}

// take sends the requests of some steps and returns the last answer.
func (w *stopwatch) take(steps []step, last *httptest.ResponseRecorder, address string) *httptest.ResponseRecorder {
	w.t.Helper()
	for _, step := range steps {
		r := step.request(last)
		last = httptest.NewRecorder()
		began := time.Now()
		if w.leak != nil {
			w.leak(address)
		}
		w.serve(last, r)
		took := time.Since(began).Seconds()
		if w.times[step.name] == nil {
			w.times[step.name] = map[string][]float64{}
		}
		w.times[step.name][kindOf(address)] = append(w.times[step.name][kindOf(address)], took)
		look := looksOf(last, address)
		if w.looks[step.name] == "" {
			w.looks[step.name] = look
		}
		require.Equal(w.t, w.looks[step.name], look, "%s for %s", step.name, address)
	}
	return last
}

// apart returns the kinds of address that a step tells from the known one, with p below the level.
func (m measured) apart(step string, level float64) (found []string) {
	for _, kind := range kinds[1:] {
		if mannWhitney(m[step][kindKnown], m[step][kind]) < level {
			found = append(found, kind)
		}
	}
	return found
}

// print writes medians in microseconds and p.
func (m measured) print(t *testing.T, name, step string) {
	t.Helper()
	line := fmt.Sprintf("%s %s, %d samples each:", name, step, len(m[step][kindKnown]))
	for _, kind := range kinds {
		line += fmt.Sprintf("  %s %.1f µs p=%.3g", kind, 1e6*median(m[step][kind]), mannWhitney(m[step][kindKnown], m[step][kind]))
	}
	t.Log(line)
}

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

// samples is how many times of each kind are compared; zero if none are.
func samples(t *testing.T) int {
	t.Helper()
	text := os.Getenv("MAGICLINK_TEST_SAMPLES")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

var flowText = regexp.MustCompile(`1\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]+\.`)

// looksOf is all that a client sees of an answer, without what is random and without the address.
func looksOf(w *httptest.ResponseRecorder, address string) string {
	text := strings.ReplaceAll(seen(answer{w.Code, w.Header(), w.Body.String()}), address, "ADDRESS")
	return flowText.ReplaceAllStringFunc(text, func(found string) string { return fmt.Sprint("#", len(found)) })
}
