package signin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
	"github.com/magiclink-go/magiclink/store/memory"
)

// causes are why an address gets a mail or none.
var causes = map[string]func(*signin.Config){
	"known": func(*signin.Config) {},
	"unknown": func(c *signin.Config) {
		c.Resolve = func(context.Context, string) (magiclink.MagicLinkCreate, error) {
			return magiclink.MagicLinkCreate{}, signin.ErrUnknownAddress
		}
	},
	"told": func(c *signin.Config) {
		c.TellUnknown = true
		c.Resolve = func(context.Context, string) (magiclink.MagicLinkCreate, error) {
			return magiclink.MagicLinkCreate{}, signin.ErrUnknownAddress
		}
	},
	"outage of the directory": func(c *signin.Config) {
		c.Resolve = func(context.Context, string) (magiclink.MagicLinkCreate, error) {
			return magiclink.MagicLinkCreate{}, errors.New("down")
		}
	},
	"panic of the directory": func(c *signin.Config) {
		c.Resolve = func(context.Context, string) (magiclink.MagicLinkCreate, error) { panic("canary") }
	},
	"slow directory": func(c *signin.Config) {
		c.Timeout = 50 * time.Millisecond
		c.Resolve = func(ctx context.Context, _ string) (magiclink.MagicLinkCreate, error) {
			<-ctx.Done()
			return magiclink.MagicLinkCreate{}, ctx.Err()
		}
	},
	"mail server down": func(c *signin.Config) {
		c.Retries = []time.Duration{}
		c.Mailer.(*inbox).fail = func(context.Context, signin.Message) error { return errors.New("down") }
	},
	"address refused": func(c *signin.Config) {
		c.Mailer.(*inbox).fail = func(context.Context, signin.Message) error { return signin.ErrPermanent }
	},
	"limited tenant":  func(c *signin.Config) { c.Limits.PerTenant = magiclink.Rate{Burst: 1, Every: time.Hour} },
	"limited address": func(c *signin.Config) { c.Limits.PerAddress = magiclink.Rate{Burst: 1, Every: time.Hour} },
	"limited client":  func(c *signin.Config) { c.Limits.PerClient = magiclink.Rate{Burst: 1, Every: time.Hour} },
	"malformed link": func(c *signin.Config) {
		c.Resolve = func(context.Context, string) (magiclink.MagicLinkCreate, error) {
			return magiclink.MagicLinkCreate{}, nil
		}
	},
	"queue full": func(c *signin.Config) { c.Queue = 1 },
	"store down": func(c *signin.Config) { c.Config.Store = brokenStore{c.Config.Store} },
}

// brokenStore counts, and keeps no links.
type brokenStore struct{ magiclink.Store }

func (b brokenStore) Unwrap() magiclink.Store { return b.Store }

func (b brokenStore) Create(context.Context, magiclink.Record) error { return errors.New("down") }

var random = regexp.MustCompile(`nonce[-=]["']?[A-Z2-7]{26}|value="[A-Za-z0-9_.-]{60,}"|magiclink_signin=[^;]*|magiclink_form=[^;]*`)

// seen is all that a client sees of an answer, with what is random left out but for its length.
func seen(a answer) string {
	text := fmt.Sprint(a.status, " ", a.header, " ", a.body)
	return random.ReplaceAllStringFunc(text, func(found string) string { return fmt.Sprint("#", len(found)) })
}

// stepsOf is everything that a browser sees who does not have the mail.
func stepsOf(t *testing.T, s *site) (steps []string) {
	t.Helper()
	b := s.browser("X-Test-Client", "192.0.2.7")
	take := func(a answer) answer {
		steps = append(steps, seen(a))
		return a
	}
	form := take(b.get("/sign-in?next=%2Fa")).fields(t)
	form.Set("email", jane)
	take(b.post("/sign-in", form))
	s.settled()
	s.clock.move(31 * time.Second)
	form = take(b.get("/sign-in/check")).fields(t)
	take(b.post("/sign-in/resend", form))
	s.settled()
	form = take(b.get("/sign-in/check")).fields(t)
	form.Set("code", "2222-2222")
	for range 7 {
		take(b.post("/sign-in/check", form))
	}
	flow := s.browser("X-Test-Client", "192.0.2.8").begin(jane)
	for range 7 {
		take(s.browser().code(flow, "2222-2222"))
	}
	steps = append(steps, fmt.Sprint(len(flow)), fmt.Sprint(len(b.cookies["__Host-magiclink_signin"])))
	return steps
}

// Nobody without the mail can tell whether an address is known, limited or refused, or what is down.
func TestEnumeration(t *testing.T) {
	want := stepsOf(t, newSite(t, causes["known"]))
	require.Contains(t, want[1], "#")
	for name, cause := range causes {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, cause)
			require.Equal(t, want, stepsOf(t, s))
			if name == "known" {
				require.Len(t, s.inbox.all(), 2, "the control")
			}
			require.NotContains(t, s.log.String(), "canary")
			require.NotContains(t, s.log.String(), jane)
		})
	}
	leaking := newSite(t, func(c *signin.Config) { c.TTL = 9 * time.Minute })
	require.NotEqual(t, want, stepsOf(t, leaking), "a twin that shows something else is told apart")
}

// No answer waits for what depends on the address.
func TestAnswersDoNotWait(t *testing.T) {
	hold := make(chan struct{})
	s := newSite(t, func(c *signin.Config) {
		c.Resolve = func(ctx context.Context, address string) (magiclink.MagicLinkCreate, error) {
			<-hold
			return resolve(ctx, address)
		}
	})
	b := s.browser()
	require.Equal(t, http.StatusSeeOther, b.ask(jane, "").status)
	require.Equal(t, http.StatusOK, b.get("/sign-in/check").status)
	s.browser().begin("joe@open.example")
	require.Empty(t, s.inbox.all())
	close(hold)
	s.settled()
	require.Len(t, s.inbox.all(), 2)
}

// A dump of the store redeems nothing: it holds neither the link, nor the code, nor what makes them.
func TestStoreAtRest(t *testing.T) {
	tap := &tapStore{Store: memory.New()}
	s := newSiteOn(t, tap)
	b := s.browser()
	mail := b.waiting(jane)
	flow := b.cookies["__Host-magiclink_signin"]
	record := tap.created[0]
	text := fmt.Sprintf("%#v", [...]any{record.ID, record.Path, record.Extension, record.ConsumedBy}) + strings.Join(tap.keys, " ")
	for _, secret := range []string{magiclink.TokenOf(mail.Link), mail.Code, strings.ReplaceAll(mail.Code, "-", ""), strings.Split(flow, ".")[1]} {
		require.NotContains(t, text, secret)
	}
	require.NotContains(t, strings.Join(tap.keys, " "), "jane")
	require.Less(t, len(record.Extension), 1024)
}

// tapStore keeps what it was given.
type tapStore struct {
	magiclink.Store
	created []magiclink.Record
	keys    []string
}

func (s *tapStore) Create(ctx context.Context, record magiclink.Record) error {
	s.created = append(s.created, record)
	return s.Store.Create(ctx, record)
}

func (s *tapStore) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (time.Duration, error) {
	s.keys = append(s.keys, key)
	return s.Store.(magiclink.Limiter).Take(ctx, key, rate, at)
}

func (s *tapStore) Reset(ctx context.Context, key string) error {
	return s.Store.(magiclink.Limiter).Reset(ctx, key)
}

// Nothing secret or personal reaches a log or an event.
func TestNothingPersonalInLogsAndEvents(t *testing.T) {
	const canary = "canary-4711@open.example"
	s := newSite(t, func(c *signin.Config) {
		c.Retries = []time.Duration{}
		c.Mailer.(*inbox).fail = func(_ context.Context, m signin.Message) error {
			return fmt.Errorf("550 <%s> refused: %s %s %v: %w", strings.ToUpper(m.To), m.Link, m.Code, m, signin.ErrPermanent)
		}
	})
	b := s.browser()
	b.ask(canary, "/secret-path")
	s.settled()
	b.typed("2222-2222")
	b.post("/sign-in/check", nil)
	text := strings.ToLower(s.log.String()) + fmt.Sprint(s.told.events)
	require.Contains(t, text, "has failed for good")
	for _, secret := range []string{"canary-4711", "secret-path", "eyJ", strings.ToLower("eyJ"), b.cookies["__Host-magiclink_signin"], b.cookies["__Host-magiclink_form"]} {
		require.NotContains(t, text, secret)
	}
	message := signin.Message{Kind: signin.KindSignIn, To: canary, Link: canary, Code: canary, InvitedBy: canary, App: canary, Language: "en"}
	proof := httpadapter.Proof{Flow: canary, Code: canary}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(format, message)+fmt.Sprintf(format, proof), "canary")
	}
}
