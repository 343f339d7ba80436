package signin_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/signin"
)

// A mail that the server does not take is tried again in the pauses of Retries. Then its link is revoked, and an event tells.
func TestRetries(t *testing.T) {
	for name, row := range map[string]struct {
		fail  error
		tries int
		took  time.Duration
	}{
		"down":    {errors.New("down"), 6, 385 * time.Second},
		"refused": {fmt.Errorf("550: %w", signin.ErrPermanent), 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, func(c *signin.Config) { c.Config.Now = time.Now })
				var tries int
				var link string
				s.inbox.fail = func(_ context.Context, m signin.Message) error {
					tries, link = tries+1, m.Link
					return row.fail
				}
				start := time.Now()
				s.browser().ask(jane, "")
				require.Equal(t, start, time.Now(), "the request waits for nothing")
				s.settled()
				require.Equal(t, row.tries, tries)
				require.Equal(t, row.took, time.Since(start))
				warned := strings.Count(s.log.String(), "could not be sent, and will be tried again")
				require.Equal(t, row.tries > 1, warned == 1, "an operator learns of it before the last try, and once")
				require.NotContains(t, s.log.String(), jane)
				require.ErrorIs(t, s.verdict(link), magiclink.ErrRevoked)
				require.Equal(t, []magiclink.Reason{signin.ReasonUndeliverable}, s.told.reasons(signin.OpMail))
			})
		})
	}
}

// A server with greylisting takes the mail at its second or third try.
func TestGreylisting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *signin.Config) { c.Config.Now = time.Now })
		start := time.Now()
		s.inbox.fail = func(context.Context, signin.Message) error {
			if time.Since(start) < 5*time.Minute {
				return errors.New("450 try again later")
			}
			return nil
		}
		b := s.browser()
		requireIn(t, b, b.typed(b.waiting(jane).Code), "/")
		require.Equal(t, []magiclink.Reason{""}, s.told.reasons(signin.OpMail))
	})
}

// No try comes so late that the link is of no use.
func TestRetriesEndBeforeTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *signin.Config) {
			c.Config.Now, c.TTL = time.Now, 2*time.Minute
			c.Retries = []time.Duration{30 * time.Second, 29 * time.Second, 2 * time.Second}
		})
		tries := 0
		s.inbox.fail = func(context.Context, signin.Message) error { tries++; return errors.New("down") }
		start := time.Now()
		s.browser().ask(jane, "")
		s.settled()
		require.Equal(t, 3, tries)
		require.Equal(t, 59*time.Second, time.Since(start))
	})
}

// Whatever a Mailer or Resolve does, other mails go on, and the link of the mail that failed is revoked.
func TestMailersThatMisbehave(t *testing.T) {
	for name, misbehave := range map[string]func(context.Context) error{
		"panics":              func(context.Context) error { panic("canary") },
		"ends its goroutine":  func(context.Context) error { runtime.Goexit(); return nil },
		"waits":               func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"ignores its context": func(context.Context) error { time.Sleep(time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, func(c *signin.Config) { c.Config.Now, c.Retries = time.Now, []time.Duration{time.Second} })
				links := make(chan string, 100)
				s.inbox.fail = func(ctx context.Context, m signin.Message) error {
					if m.To == jane {
						return nil
					}
					links <- m.Link
					return misbehave(ctx)
				}
				for n := range 20 { // more than are sent at once
					s.browser("X-Test-Client", fmt.Sprint("10.0.0.", n)).begin(fmt.Sprintf("p%d@open.example", n))
				}
				synctest.Wait()
				b := s.browser()
				b.ask(jane, "")
				time.Sleep(5 * time.Minute)
				require.Len(t, s.inbox.all(), 1)
				require.ErrorIs(t, s.verdict(<-links), magiclink.ErrRevoked)
				require.NotContains(t, s.log.String(), "canary")
				s.settled()
				undeliverable := 0
				for _, reason := range s.told.reasons(signin.OpMail) {
					if reason == signin.ReasonUndeliverable {
						undeliverable++
					}
				}
				require.Equal(t, 20, undeliverable)
			})
		})
	}
}

// Beyond the queue nothing is issued and nothing is sent, and the answer is as ever.
func TestQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *signin.Config) { c.Config.Now, c.Queue = time.Now, 3 })
		hold := make(chan struct{})
		var handed atomic.Int32
		s.inbox.fail = func(context.Context, signin.Message) error { handed.Add(1); <-hold; return nil }
		for n := range 3 {
			s.browser().begin(fmt.Sprintf("p%d@open.example", n))
			synctest.Wait()
		}
		for n := range 10 {
			s.browser().begin(fmt.Sprintf("q%d@open.example", n))
		}
		create := magiclink.MagicLinkCreate{ExternalBusinessID: "acme", Email: jane}
		issued := len(s.told.reasons(magiclink.OpIssue))
		_, err := s.flow.Invite(t.Context(), create, signin.Invitation{})
		require.ErrorIs(t, err, signin.ErrQueueFull)
		require.Len(t, s.told.reasons(magiclink.OpIssue), issued, "nothing was issued")
		close(hold)
		s.settled()
		sent := len(s.inbox.all())
		require.True(t, sent >= 2 && sent <= 3, sent)
		full := 0
		for _, reason := range s.told.reasons(signin.OpRequest) {
			if reason == signin.ReasonQueueFull {
				full++
			}
		}
		require.Equal(t, 13-sent, full)
		_, err = s.flow.Invite(t.Context(), create, signin.Invitation{})
		require.NoError(t, err, "and it goes on")
		s.settled()
	})
}

// Close waits for the mails under way. When its context ends, it gives up, and the links of mails that were not sent are revoked.
func TestClose(t *testing.T) {
	for name, patience := range map[string]time.Duration{"drains": time.Minute, "gives up": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, func(c *signin.Config) { c.Config.Now = time.Now })
				var link string
				s.inbox.fail = func(ctx context.Context, m signin.Message) error {
					link = m.Link
					select {
					case <-time.After(10 * time.Second):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				b := s.browser()
				b.ask(jane, "")
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				err := s.flow.Close(ctx)
				if name == "drains" {
					require.NoError(t, err)
					require.Len(t, s.inbox.all(), 1)
				} else {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.Empty(t, s.inbox.all())
					require.ErrorIs(t, s.verdict(link), magiclink.ErrRevoked)
				}
				require.Equal(t, 303, b.ask("joe@open.example", "").status, "answered as ever")
				s.settled()
				require.Contains(t, s.told.reasons(signin.OpRequest), signin.ReasonQueueFull)
				_, err = s.flow.Invite(t.Context(), magiclink.MagicLinkCreate{ExternalBusinessID: "a", Email: jane}, signin.Invitation{})
				require.ErrorIs(t, err, signin.ErrQueueFull)
				require.NoError(t, s.flow.Close(t.Context()), "close again")
			})
		})
	}
}

// A mail to an address that nobody has is sent where the application wants it, within the same limits.
func TestTellUnknown(t *testing.T) {
	for _, tell := range []bool{false, true} {
		s := newSite(t, func(c *signin.Config) { c.TellUnknown = tell })
		for range 3 {
			s.browser("Accept-Language", "ja").begin("nobody@x.example")
		}
		s.settled()
		if !tell {
			require.Empty(t, s.inbox.all())
			continue
		}
		require.Equal(t, []signin.Message{{
			Kind: signin.KindNoAccount, To: "nobody@x.example", App: "Acme", Language: "ja", AskedAt: noon,
		}}, s.inbox.all())
		require.Empty(t, s.told.reasons(magiclink.OpIssue))
	}
}

func TestInviteRefuses(t *testing.T) {
	s := newSite(t)
	_, err := s.flow.Invite(t.Context(), magiclink.MagicLinkCreate{ExternalBusinessID: "acme"}, signin.Invitation{})
	fields, ok := errors.AsType[magiclink.FieldErrors](err)
	require.True(t, ok)
	require.Equal(t, "email", fields[0].Field)
	_, err = s.flow.Invite(t.Context(), magiclink.MagicLinkCreate{Email: jane}, signin.Invitation{})
	require.ErrorAs(t, err, &fields)

	// A second call with a key would have no link to mail. So the first one is refused already.
	create := magiclink.MagicLinkCreate{ExternalBusinessID: "acme", Email: jane, IdempotencyKey: "key"}
	_, err = s.flow.Invite(t.Context(), create, signin.Invitation{})
	require.ErrorAs(t, err, &fields)
	require.Equal(t, "IdempotencyKey", fields[0].Field)
	s.settled()
	require.Empty(t, s.inbox.all())
}
