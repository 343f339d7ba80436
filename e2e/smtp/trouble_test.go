package smtp_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/magiclinktest"
	"github.com/magiclink-go/magiclink/mail"
	"github.com/magiclink-go/magiclink/signin"
	"github.com/magiclink-go/magiclink/store/memory"
)

const origin = "https://app.example.com"

// site is a service that mails by SMTP. It keeps the events of mails.
type site struct {
	*httpadapter.Service
	t    *testing.T
	flow *signin.Flow

	mu     sync.Mutex
	events []magiclink.Event
}

// newSite makes a site that tries a mail three times.
func newSite(t *testing.T, url string, change ...func(*signin.Config)) *site {
	t.Helper()
	keys, err := magiclink.NewKeyring(ed25519.NewKeyFromSeed([]byte("a seed of 32 bytes for the tests")))
	require.NoError(t, err)
	mailer, err := mail.New(mail.Config{URL: url, From: "Acme <login@acme.example>"})
	require.NoError(t, err)
	s := &site{t: t}
	config := signin.Config{
		Config: magiclink.Config{
			BaseURL: origin + "/magic", Keys: keys, Store: memory.New(), OnEvent: s.take, Businesses: magiclink.AnyBusiness,
		},
		Mailer:  mailer,
		Retries: []time.Duration{time.Millisecond, time.Millisecond},
		Resolve: func(context.Context, string) (magiclink.MagicLinkCreate, error) {
			return magiclink.MagicLinkCreate{ExternalBusinessID: "acme"}, nil
		},
		ClientAddress: func(*http.Request) netip.Addr { return netip.Addr{} },
	}
	for _, c := range change {
		c(&config)
	}
	s.flow, err = signin.New(config)
	require.NoError(t, err)
	s.Service, err = httpadapter.NewService(httpadapter.ServiceConfig{Config: config.Config, SignIn: s.flow})
	require.NoError(t, err)
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.flow.Close(ended) // gives up what still waits for the server
		_ = mailer.Close()
	})
	return s
}

func (s *site) take(_ context.Context, event magiclink.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, event)
}

// told are the events of an operation.
func (s *site) told(op magiclink.Op) (found []magiclink.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, event := range s.events {
		if event.Op == op {
			found = append(found, event)
		}
	}
	return found
}

// ask asks for a mail and returns the waiting page. Every answer is the same.
func (s *site) ask(browser *magiclinktest.Browser, address string) *magiclinktest.Page {
	s.t.Helper()
	page := browser.Open(origin+"/sign-in").Submit("email", address)
	require.Equal(s.t, http.StatusOK, page.Status)
	require.Equal(s.t, signin.CheckPath, page.URL.Path)
	return page
}

func (s *site) browser() *magiclinktest.Browser {
	return magiclinktest.NewBrowser(s.t, magiclinktest.Handler(s))
}

func (s *site) settled() {
	s.t.Helper()
	require.NoError(s.t, s.flow.Wait(s.t.Context()))
}

// requireUndeliverable fails unless one mail has failed for good, an event tells so, and the link is revoked.
func (s *site) requireUndeliverable() {
	s.t.Helper()
	s.settled()
	told := s.told(signin.OpMail)
	require.Len(s.t, told, 1)
	require.Equal(s.t, signin.ReasonUndeliverable, told[0].Reason)
	link, err := s.Issuer().Get(s.t.Context(), magiclink.Caller{}, told[0].LinkID)
	require.NoError(s.t, err)
	require.Equal(s.t, magiclink.StateRevoked, link.State)
}

var codeLine = regexp.MustCompile(`(?m)^([2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4})\r?$`)

// requireSignsIn types the code of the last mail.
func (s *site) requireSignsIn(server *scripted, browser *magiclinktest.Browser) {
	s.t.Helper()
	s.settled()
	mails := server.received()
	require.NotEmpty(s.t, mails)
	code := codeLine.FindStringSubmatch(mails[len(mails)-1])
	require.NotNil(s.t, code, mails[len(mails)-1])
	browser.Open(origin+signin.CheckPath).Submit("code", code[1])
	require.Equal(s.t, http.StatusOK, browser.Open(origin+"/session").Status)
}

// answering answers a command, for so many times.
func answering(command, answer string, times int) func(string, int) string {
	return func(c string, n int) string {
		if c == command && n <= times {
			return answer
		}
		return ""
	}
}

const always = 1 << 30

// A server that hangs holds up no request: all of them are answered before it says a word. Later it delivers.
func TestServerHangs(t *testing.T) {
	for _, command := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "."} {
		server := startScripted(t, answering(command, hang, always))
		s := newSite(t, server.url())
		browser := s.browser()
		began := time.Now()
		s.ask(browser, "jane@example.com")
		for n := range 15 { // more than are sent at once
			s.ask(s.browser(), fmt.Sprintf("p%d@example.com", n))
		}
		require.Equal(t, http.StatusForbidden, browser.Open(origin+signin.CheckPath).Submit("code", "2222-2222").Status)
		t.Logf("%s: 16 requests in %v, while the server hangs", command, time.Since(began).Round(time.Millisecond))
		require.Empty(t, s.told(signin.OpMail))
		server.release()
		s.settled()
		require.Len(t, server.received(), 16)
		require.Len(t, s.told(signin.OpMail), 16)
	}
}

// The control: a twin that answers when the mail was sent is held up.
func TestTwinThatWaitsForTheMail(t *testing.T) {
	server := startScripted(t, answering("greeting", hang, always))
	s := newSite(t, server.url())
	twin := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r)
		_ = s.flow.Wait(r.Context())
	})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		body := strings.NewReader(`{"email":"jane@example.com"}`)
		r := httptest.NewRequest(http.MethodPost, signin.RequestJSONPath, body)
		r.Header.Set("Content-Type", "application/json")
		twin.ServeHTTP(httptest.NewRecorder(), r)
	}()
	require.Eventually(t, func() bool { return server.came("greeting") == 1 }, 10*time.Second, time.Millisecond)
	select {
	case <-answered:
		require.Fail(t, "it has not waited")
	default:
	}
	server.release()
	<-answered
}

// A server that hangs for longer than MailTimeout is tried again as often as Retries says.
func TestServerHangsForTooLong(t *testing.T) {
	server := startScripted(t, answering("greeting", hang, always))
	s := newSite(t, server.url(), func(c *signin.Config) { c.MailTimeout = 20 * time.Millisecond })
	s.ask(s.browser(), "jane@example.com")
	s.requireUndeliverable()
	require.LessOrEqual(t, server.came("greeting"), 3)
}

func TestServerIsDown(t *testing.T) {
	server := startScripted(t, answering("", "", 0))
	require.NoError(t, server.listener.Close())
	s := newSite(t, server.url())
	s.ask(s.browser(), "jane@example.com")
	s.requireUndeliverable()
}

// 550 is for good: there is one try. 451 is not: there are three.
func TestServerRefuses(t *testing.T) {
	for answer, tries := range map[string]int{"550 5.1.1 unknown": 1, "451 4.7.1 greylisted": 3} {
		server := startScripted(t, answering("RCPT", answer, always))
		s := newSite(t, server.url())
		s.ask(s.browser(), "jane@example.com")
		s.requireUndeliverable()
		require.Equal(t, tries, server.came("RCPT"))
		require.Empty(t, server.received())
	}
}

// A server with greylisting takes the mail at the second or third try.
func TestServerGreylists(t *testing.T) {
	for _, command := range []string{"greeting", "MAIL", "RCPT", "DATA", "."} {
		for times := 1; times <= 2; times++ {
			server := startScripted(t, answering(command, "451 4.7.1 try again later", times))
			s := newSite(t, server.url())
			browser := s.browser()
			s.ask(browser, "jane@example.com")
			s.requireSignsIn(server, browser)
			require.Len(t, s.told(signin.OpMail), 1)
			require.Equal(t, times+1, server.came(command))
		}
	}
}

// A server that drops the connection after the mail may have taken it. The mail is sent again, with the same code and under the same Message-ID, so
// that either of them signs in.
func TestServerDropsAfterData(t *testing.T) {
	server := startScripted(t, answering(".", drop, 1))
	s := newSite(t, server.url())
	browser := s.browser()
	s.ask(browser, "jane@example.com")
	s.requireSignsIn(server, browser)
	mails := server.received()
	require.Len(t, mails, 2)
	id := regexp.MustCompile(`(?mi)^Message-ID: *(\S+)`)
	require.Equal(t, id.FindString(mails[0]), id.FindString(mails[1]))
	require.Equal(t, codeLine.FindString(mails[0]), codeLine.FindString(mails[1]))

	server = startScripted(t, answering(".", drop, always))
	s = newSite(t, server.url())
	s.ask(s.browser(), "jane@example.com")
	s.requireUndeliverable()
	require.Len(t, server.received(), 3)
}

// When the queue is full, the answers stay what they are, and nothing is issued.
func TestQueueIsFull(t *testing.T) {
	server := startScripted(t, answering("greeting", hang, always))
	s := newSite(t, server.url(), func(c *signin.Config) { c.Queue = 4 }) // a mail and its call take a place each
	bodies := map[string]bool{}
	for n := range 10 {
		page := s.ask(s.browser(), fmt.Sprintf("p%d@example.com", n))
		bodies[regexp.MustCompile(`p\d@|value="[^"]*"|nonce[-=]"?[A-Z2-7]+|\d\d:\d\d`).ReplaceAllString(page.Body, "")] = true
		if n == 0 {
			require.Eventually(t, func() bool { return server.came("greeting") == 1 }, 10*time.Second, time.Millisecond)
		}
	}
	require.Len(t, bodies, 1, "the pages are the same")
	server.release()
	s.settled()
	full := 0
	for _, event := range s.told(signin.OpRequest) {
		if event.Reason == signin.ReasonQueueFull {
			full++
		}
	}
	require.Positive(t, full)
	require.Len(t, server.received(), 10-full)
	require.Len(t, s.told(magiclink.OpIssue), 10-full)
}
