package replicas_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/magiclinktest"
	"github.com/magiclink-go/magiclink/signin"
)

// randomCode is a code of the set that codes are made of.
func randomCode() string {
	const digits = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	code := make([]byte, 8)
	for i := range code {
		code[i] = digits[rand.IntN(len(digits))]
	}
	return string(code[:4]) + "-" + string(code[4:])
}

// asked lets a browser ask, and returns the flow and the mail.
func (s *sites) asked(browser *magiclinktest.Browser, address string) (flow string, mail signin.Message) {
	s.t.Helper()
	page := browser.Open(appOrigin+"/sign-in").Submit("email", address)
	require.Equal(s.t, "/sign-in/check", page.URL.Path)
	return browser.Cookie(appOrigin, flowName), s.inbox.Wait(s.t, address)
}

// guess lets 100 clients, who have got hold of a flow, try codes at all replicas, and returns how many codes were judged up to now.
func (s *sites) guess(flow string, guesses int) (judged int) {
	s.t.Helper()
	var strange atomic.Int64
	together(100, guesses, func(n int) {
		status, _ := s.post(n, address(n%100), signin.CodeJSONPath, map[string]string{"flow": flow, "code": randomCode()})
		if status != http.StatusGone {
			strange.Add(1)
		}
	})
	require.Zero(s.t, strange.Load(), "every answer is 410")
	judged = s.told.of(signin.OpCode, signin.ReasonWrongCode) + s.told.of(signin.OpCode, "")
	require.GreaterOrEqual(s.t, judged+s.told.of(signin.OpCode, signin.ReasonCodeEnded), guesses, "each guess has its event")
	return judged
}

func withoutClientLimits(c *signin.Config) {
	c.Limits.CodesPerClient, c.Limits.PerClient = boundless, boundless
}

// Of 100,000 guesses at one link at most five are judged. The code has ended then, and the link has not.
func TestGuesses(t *testing.T) {
	for name, open := range sharedStores {
		t.Run(name, func(t *testing.T) {
			s := newSites(t, open(t), withoutClientLimits)
			person := s.browser()
			flow, mail := s.asked(person, jane)
			guesses := size(100_000, 3000)
			began := time.Now()
			require.Equal(t, 1, s.guess(flow, 1), "the control: a guess is judged and counted")
			judged := s.guess(flow, guesses)
			t.Logf("%d guesses in %v, %d were judged", guesses, time.Since(began).Round(time.Millisecond), judged)
			require.LessOrEqual(t, judged, 5)

			for replica := range 3 {
				status, _ := s.post(replica, "10.9.9.9", signin.CodeJSONPath, map[string]string{"flow": flow, "code": mail.Code})
				require.Equal(t, http.StatusGone, status, "the right code comes too late")
			}
			page := person.Open(appOrigin+"/sign-in/check").Submit("code", mail.Code)
			require.Equal(t, http.StatusForbidden, page.Status)
			require.False(t, signedIn(person))
			person.Open(mail.Link).Submit()
			require.True(t, signedIn(person), "a click in the browser that has asked works")
		})
	}
}

// The control: where Take reads and then writes, more codes are judged.
func TestGuessesOfATwinThatIsNotAtomic(t *testing.T) {
	s := newSites(t, racy(sharedStores["sqlite"](t)), withoutClientLimits)
	flow, _ := s.asked(s.browser(), jane)
	require.Greater(t, s.guess(flow, 1000), 5)
}

// A code is of no use in another browser, whether that one has asked for an address of its own, for the same address, or for none.
func TestCodeOfAnotherBrowser(t *testing.T) {
	for name, open := range sharedStores {
		t.Run(name, func(t *testing.T) {
			s := newSites(t, open(t))
			person, stranger, thief := s.browser(), s.browser(), s.browser()
			_, mail := s.asked(person, jane)
			s.asked(stranger, "joe@open.example")
			thief.Open(appOrigin+"/sign-in").Submit("email", jane) // the pause of the address has begun: no second mail
			for _, other := range []*magiclinktest.Browser{stranger, thief} {
				page := other.Open(appOrigin+"/sign-in/check").Submit("code", mail.Code)
				require.Equal(t, http.StatusForbidden, page.Status)
				require.False(t, signedIn(other))
			}
			require.Equal(t, "/sign-in", s.browser().Open(appOrigin+"/sign-in/check").URL.Path, "without a flow there is no field for a code")
			person.Open(appOrigin+"/sign-in/check").Submit("code", mail.Code)
			require.True(t, signedIn(person), "the control")
		})
	}
}

// bomb asks from many client addresses at all replicas, and returns how many mails were sent.
func (s *sites) bomb(requests, clients int, to func(n int) string) (mails int) {
	s.t.Helper()
	var refused atomic.Int64
	together(100, requests, func(n int) {
		switch status, _ := s.post(n, address(n%clients), signin.RequestJSONPath, map[string]string{"email": to(n)}); status {
		case http.StatusAccepted:
		case http.StatusTooManyRequests:
			refused.Add(1)
		default:
			s.t.Errorf("answered %d", status)
		}
	})
	s.settle()
	mails = len(s.inbox.Messages())
	s.t.Logf("%d requests, %d refused, %d mails; a full queue has dropped %d", requests, refused.Load(), mails,
		s.told.of(signin.OpRequest, signin.ReasonQueueFull))
	require.Zero(s.t, s.told.of(signin.OpRequest, magiclink.ReasonUnavailable))
	return mails
}

// spelling is one of the ways to write an address that most servers deliver to one mailbox: in any case, and with anything behind a "+". All of
// them share the limits of the mailbox.
func spelling(n int) string {
	switch n % 4 {
	case 0:
		return "JANE@open.example"
	case 1:
		return "Jane@Open.Example"
	case 2:
		return fmt.Sprintf("jane+%d@open.example", n)
	}
	return jane
}

func bigQueue(c *signin.Config) { c.Queue = 1_000_000 }

// Of 10,000 requests for one mailbox from 1,000 clients one is answered by a mail: the next one may come after 30 seconds.
func TestMailBombing(t *testing.T) {
	for name, open := range sharedStores {
		t.Run(name, func(t *testing.T) {
			s := newSites(t, open(t), bigQueue, func(c *signin.Config) {
				c.Limits.ResendPauses = []time.Duration{} // leaves five in an hour
			})
			mails := s.bomb(size(10_000, 300), 1000, spelling)
			require.Equal(t, 5, mails)
			for _, mail := range s.inbox.Messages() {
				require.Equal(t, "open.example", strings.ToLower(mail.To[strings.Index(mail.To, "@")+1:]))
			}
		})
	}
}

// With the pauses, which are there by default, it is one mail.
func TestMailBombingMeetsThePause(t *testing.T) {
	for name, open := range sharedStores {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, 1, newSites(t, open(t), bigQueue).bomb(size(1000, 100), 100, spelling))
		})
	}
}

// One client that asks for 10,000 addresses gets the limit of a client: 30 at once.
func TestManyAddressesOfOneClient(t *testing.T) {
	for name, open := range sharedStores {
		t.Run(name, func(t *testing.T) {
			s := newSites(t, open(t), bigQueue, func(c *signin.Config) {
				c.Limits.PerClient = magiclink.Rate{Burst: 30, Every: time.Hour} // it may take more than 20 seconds
			})
			require.Equal(t, 30, s.bomb(size(10_000, 1000), 1, func(n int) string { return fmt.Sprintf("p%d@open.example", n) }))
		})
	}
}

// The control: without limits every request is a mail.
func TestMailBombingWithoutLimits(t *testing.T) {
	s := newSites(t, sharedStores["sqlite"](t), bigQueue, withoutClientLimits, func(c *signin.Config) {
		c.Limits.ResendPauses, c.Limits.PerAddress = []time.Duration{}, boundless
	})
	require.Equal(t, 100, s.bomb(100, 1, spelling))
}
