package signin_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/signin"
)

// A mailbox gets at most the limit, whoever asks for how many spellings of it, at any moment.
func TestMailBombing(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			replicas := []*site{newSiteOn(t, store), newSiteOn(t, store)}
			for second := range 3600 / 30 { // one hour, from many clients
				var group sync.WaitGroup
				for n, replica := range replicas {
					replica.clock.move(30 * time.Second)
					for spelling := range 2 {
						group.Go(func() {
							client := replica.browser("X-Test-Client", fmt.Sprintf("10.%d.%d.%d", n, second/250, second%250))
							client.begin([]string{"bomb@open.example", "BOMB+x@open.example"}[spelling])
						})
					}
				}
				group.Wait()
			}
			sent := 0
			for _, replica := range replicas {
				replica.settled()
				sent += len(replica.inbox.all())
			}
			require.True(t, sent == 5 || sent == 6, "%d: five in any hour, and the first of the next one", sent)
		})
	}
}

// The pauses are 30 s, 60 s and 120 s, counted in the store, and the address has its whole burst again after a rest.
func TestPauses(t *testing.T) {
	s := newSite(t, func(c *signin.Config) {
		c.Limits.PerAddress = magiclink.Rate{Burst: 100, Every: time.Second}
		c.Limits.PerClient = magiclink.Rate{Burst: 1000, Every: time.Second}
	})
	var came []time.Duration
	start := s.clock.Now()
	for range 700 {
		before := len(s.inbox.all())
		s.browser().begin(jane)
		s.settled()
		if len(s.inbox.all()) > before {
			came = append(came, s.clock.Now().Sub(start))
		}
		s.clock.move(time.Second)
	}
	require.GreaterOrEqual(t, len(came), 4)
	require.Equal(t, []time.Duration{0, 30 * time.Second}, came[:2])
	for n, pause := range []time.Duration{30, 60, 120} {
		require.GreaterOrEqual(t, came[n+1]-came[n], pause*time.Second)
	}
}

// The limit of a client is exact, for each address of IPv4 and for each network of IPv6, and no header that the client sends changes it.
func TestClientLimit(t *testing.T) {
	s := newSite(t, func(c *signin.Config) { c.Limits.PerClient = magiclink.Rate{Burst: 3, Every: time.Hour} })
	ask := func(client string, n int) int {
		granted := 0
		for range n {
			if s.browser("X-Test-Client", client).json(signin.RequestJSONPath, `{"email":"nobody@x.example"}`).status == http.StatusAccepted {
				granted++
			}
		}
		return granted
	}
	require.Equal(t, 3, ask("192.0.2.1", 10))
	require.Equal(t, 3, ask("192.0.2.2", 10))
	require.Zero(t, ask("::ffff:192.0.2.1", 5), "the same address, as IPv6 writes it")
	require.Equal(t, 3, ask("2001:db8::1", 4))
	require.Zero(t, ask("2001:db8::ffff", 4), "the same network")
	require.Equal(t, 3, ask("2001:db8:0:1::1", 4), "another network")
	require.Equal(t, 3, ask("", 4), "all clients without an address share one limit")
}

// Whoever asks from each address of a wide network has a few times the limit of one client, and everybody else has the own one.
func TestClientLimitOfWideNetworks(t *testing.T) {
	for name, row := range map[string]struct {
		client string // with the number of the client in it
		want   int
		others string
	}{
		"addresses of IPv4":  {"192.0.2.%d", 60 * 3, "192.0.2.100"},
		"a /64 of IPv6":      {"2001:db8:1:100::%x", 3, "2001:db8:1:101::1"},
		"a /56 of IPv6":      {"2001:db8:1:1%02x::1", 4 * 3, "2001:db8:1:200::1"},
		"a /48 of IPv6":      {"2001:db8:1:%x00::1", 8 * 3, "2001:db8:2::1"},
		"a network far away": {"2001:db8:%x::1", 60 * 3, "2001:db8:4000::1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *signin.Config) { c.Limits.PerClient = magiclink.Rate{Burst: 3, Every: time.Hour} })
			ask := func(client string) bool {
				return s.browser("X-Test-Client", client).json(signin.RequestJSONPath, `{"email":"nobody@x.example"}`).status == http.StatusAccepted
			}
			granted := 0
			for n := range 60 * 5 {
				if ask(fmt.Sprintf(row.client, 1+n/5)) {
					granted++
				}
			}
			require.Equal(t, row.want, granted)
			require.True(t, ask(row.others), "the control: a neighbour of that network")
		})
	}
}

// A load test from one address for many journeys is refused no more than the limit of the address says.
func TestWideNetworksRefuseNoSingleClient(t *testing.T) {
	s := newSite(t)
	granted := 0
	for n := range 30 + 100 {
		if n >= 30 {
			s.clock.move(20 * time.Second)
		}
		if s.browser("X-Test-Client", "192.0.2.1").json(signin.RequestJSONPath, `{"email":"nobody@x.example"}`).status == http.StatusAccepted {
			granted++
		}
	}
	require.Equal(t, 130, granted)
}

func TestClientAddressIsThatOfTheConnection(t *testing.T) {
	s := newSite(t, func(c *signin.Config) {
		c.ClientAddress = nil
		c.Limits.PerClient = magiclink.Rate{Burst: 2, Every: time.Hour}
	})
	granted := 0
	for n := range 6 { // httptest.NewRequest comes from one address
		forged := fmt.Sprint("10.0.0.", n)
		got := s.browser("X-Forwarded-For", forged, "X-Real-IP", forged, "Forwarded", "for="+forged).json(signin.RequestJSONPath, `{"email":"a"}`)
		if got.status == http.StatusAccepted {
			granted++
		}
	}
	require.Equal(t, 2, granted)
}

// Many people of one tenant at once: exactly the limit.
func TestTenantLimit(t *testing.T) {
	s := newSite(t, func(c *signin.Config) { c.Limits.PerTenant = magiclink.Rate{Burst: 7, Every: time.Hour} })
	var group sync.WaitGroup
	for n := range 40 {
		group.Go(func() { s.browser("X-Test-Client", fmt.Sprint("10.0.0.", n)).begin(fmt.Sprintf("p%d@open.example", n)) })
	}
	group.Wait()
	s.settled()
	require.Len(t, s.inbox.all(), 7)
	limited := 0
	for _, reason := range s.told.reasons(signin.OpRequest) {
		if reason == magiclink.ReasonLimited {
			limited++
		}
	}
	require.Equal(t, 33, limited)
}

// Too many codes of one client are refused before they are judged.
func TestCodesOfAClient(t *testing.T) {
	s := newSite(t, func(c *signin.Config) { c.Limits.CodesPerClient = magiclink.Rate{Burst: 1, Every: 20 * time.Second} })
	b := s.browser()
	mail := b.waiting(jane)
	b.typed("2222-2222")
	got := b.typed(mail.Code)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Equal(t, "20", got.header.Get("Retry-After"))
	requireSecure(t, got)
	require.Contains(t, got.body, "too many attempts")
	s.clock.move(20 * time.Second)
	requireIn(t, b, b.typed(mail.Code), "/")
}

// The pages look the same for a client that asks too often, and send nothing.
func TestClientLimitOfThePages(t *testing.T) {
	s := newSite(t, func(c *signin.Config) { c.Limits.PerClient = magiclink.Rate{Burst: 2, Every: time.Hour} })
	for n := range 6 {
		require.Equal(t, http.StatusSeeOther, s.browser("X-Test-Client", "192.0.2.1").ask(fmt.Sprintf("p%d@open.example", n), "").status)
	}
	s.settled()
	require.Len(t, s.inbox.all(), 2)
}

// The spellings that Gmail delivers to one mailbox share its limit. At other providers a dot makes another mailbox. Each mail goes to the address that was
// entered.
func TestSpellingsOfAMailbox(t *testing.T) {
	anybody := func(c *signin.Config) {
		c.Resolve = func(_ context.Context, address string) (magiclink.MagicLinkCreate, error) {
			return magiclink.MagicLinkCreate{ExternalBusinessID: "acme", Email: address}, nil
		}
	}
	for name, row := range map[string]struct {
		spellings []string
		mails     int
	}{
		"gmail.com":           {[]string{"Jane.Doe@gmail.com", "j.a.n.e.doe@gmail.com", "janedoe@Gmail.com", "jane.doe+x@googlemail.com", "janedoe@googlemail.com"}, 1},
		"two people":          {[]string{"jane.doe@gmail.com", "joe@gmail.com"}, 2},
		"another provider":    {[]string{"jane.doe@example.com", "janedoe@example.com", "JaneDoe+x@example.com"}, 2},
		"a name like Gmail's": {[]string{"jane.doe@gmail.com.example", "janedoe@gmail.com.example"}, 2},
	} {
		s := newSite(t, anybody)
		for _, spelling := range row.spellings {
			s.browser().begin(spelling)
			s.settled()
		}
		mails := s.inbox.all()
		require.Len(t, mails, row.mails, name)
		require.True(t, strings.EqualFold(row.spellings[0], mails[0].To), "%s: %s", name, mails[0].To)
		require.Equal(t, strings.Count(row.spellings[0], "."), strings.Count(mails[0].To, "."), name)
	}
}
