package signin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

// kinds of addresses. All have the same length, since what a page and a cookie hold of an address depends on its length.
const (
	kindKnown     = "known" // the one to which the others are compared
	kindAgain     = "again" // the same once more: nothing may tell it, or the comparison itself is at fault
	kindUnknown   = "nobod"
	kindLimited   = "limit"
	kindRefused   = "refus" // Resolve fails
	kindMalformed = "malfo" // Resolve returns what no link can be made of
	kindMailDown  = "nmail" // the mail server is down
	kindTold      = "ntold" // the mail server refuses the address
	kindBarred    = "barrd" // Admit refuses the person
	kindSpent     = "spent" // the person has used the link
)

var kinds = []string{
	kindKnown, kindAgain, kindUnknown, kindLimited, kindRefused, kindMalformed, kindMailDown, kindTold, kindBarred, kindSpent,
}

// addressOf is another address of a kind for each number.
func addressOf(kind string, number int) string {
	return fmt.Sprintf("%s%07d@open.example", kind, number)
}

func kindOf(address string) string { return address[:min(len(address), 5)] }

// timingSite answers each kind of address as its name says. Nothing in it grows with the number of requests but the store.
func timingSite(t *testing.T, store magiclink.Store) (*site, *outbox) {
	t.Helper()
	boundless, mails := magiclink.Rate{Burst: 1_000_000, Every: time.Millisecond}, &outbox{last: map[string]signin.Message{}}
	s := newSiteOn(t, store, func(c *signin.Config) {
		c.Retries = []time.Duration{}
		c.Limits.PerClient, c.Limits.PerTenant, c.Limits.CodesPerClient = boundless, boundless, boundless
		c.Config.OnEvent, c.Config.Logger = nil, slog.New(slog.DiscardHandler)
		c.Resolve, c.Mailer, c.Queue = resolveKinds, mails, 10_000
		c.Page.Admit = mails.admit
	})
	return s, mails
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

// outbox is a Mailer that keeps the last message to each address, and an Admit that refuses the barred.
type outbox struct {
	mu     sync.Mutex
	last   map[string]signin.Message
	barred int // how often Admit has refused somebody
}

func (o *outbox) Send(_ context.Context, m signin.Message) error {
	switch kindOf(m.To) {
	case kindMailDown:
		return errors.New("down")
	case kindTold:
		return signin.ErrPermanent
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last[m.To] = m
	return nil
}

func (o *outbox) admit(_ *http.Request, seen magiclink.Redemption) error {
	if kindOf(seen.Email) != kindBarred {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.barred++
	return httpadapter.ErrRefused
}

// to returns the last message to an address. Without one it is empty.
func (o *outbox) to(address string) signin.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last[address]
}

func (o *outbox) clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.last)
}

// The kinds of addresses are what their names say.
func TestKindsOfAddresses(t *testing.T) {
	s, mails := timingSite(t, stores["memory"](t))
	for n, kind := range kinds {
		b := s.browser()
		flow := b.begin(addressOf(kind, n))
		s.settled()
		mail := mails.to(addressOf(kind, n))
		mailed := kind == kindKnown || kind == kindAgain || kind == kindBarred || kind == kindSpent || kind == kindLimited
		require.Equal(t, mailed, mail.Code != "", kind)
		if kind == kindBarred {
			require.Equal(t, http.StatusGone, b.code(flow, "2222-2222").status)
			require.Zero(t, mails.barred, "Admit is asked about those alone who have the mail")
			require.Equal(t, http.StatusGone, b.code(flow, mail.Code).status)
			require.Equal(t, 1, mails.barred, "the control")
		}
	}
}
