package signin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/signin"
)

// asks asks for a mail as JSON, waits for it, and reports whether it came.
func (s *site) asks(client, address string) (status int, mailed bool) {
	s.t.Helper()
	before := len(s.inbox.all())
	status = s.browser("X-Test-Client", client).json(signin.RequestJSONPath, fmt.Sprintf(`{"email":%q}`, address)).status
	s.settled()
	return status, len(s.inbox.all()) > before
}

const tenantWarning = "the limit of their tenant is used up"

// Somebody who has a /48 network of IPv6 and keeps asking from each address of it stops nobody else's mails. The rates are the defaults.
func TestFloodFromOneNetwork(t *testing.T) {
	s := newSite(t)
	flooded, refused := 0, 0
	flood := func(n int) {
		status, mailed := s.asks(fmt.Sprintf("2001:db8:77:%x::1", n/25<<8), fmt.Sprintf("fill%d@open.example", n))
		if mailed {
			flooded++
		}
		if status == http.StatusTooManyRequests {
			refused++
		}
	}
	for n := range 1100 {
		flood(n)
	}
	require.Equal(t, 240, flooded)
	require.Equal(t, 1100-240, refused)
	for person := range 40 {
		for n := range 5 {
			flood(2000 + person*5 + n)
		}
		status, mailed := s.asks(fmt.Sprintf("198.51.%d.1", person), fmt.Sprintf("person%d@open.example", person))
		require.Equal(t, http.StatusAccepted, status)
		require.True(t, mailed, person)
		s.clock.move(time.Second)
	}
	require.NotContains(t, s.log.String(), tenantWarning)
}

// A flood from many networks uses up the mails for everybody. Networks that ask little have a fifth of them, and the log says what is going on.
func TestFloodFromManyNetworks(t *testing.T) {
	s := newSite(t, func(c *signin.Config) {
		c.Limits.PerTenant = magiclink.Rate{Burst: 200, Every: time.Minute}
		c.Limits.PerClient = magiclink.Rate{Burst: 1000, Every: time.Second}
	})
	mails := func(from string, times int) (mailed int) {
		for n := range times {
			if _, got := s.asks(from, fmt.Sprintf("%s-%d-%d@open.example", strings.NewReplacer(":", "-", ".", "-").Replace(from), s.clock.Now().Unix(), n)); got {
				mailed++
			}
		}
		return mailed
	}
	require.Equal(t, 160+10, mails("198.51.100.1", 300), "all mails for everybody, and ten of the others")
	require.Equal(t, 10, mails("2001:db8:1::1", 12))
	require.Zero(t, mails("2001:db8:1:ffff::1", 5), "the same network")
	for n := range 20 {
		require.Equal(t, 1, mails(fmt.Sprintf("203.0.%d.1", n), 1), "the control: a person")
	}
	require.Zero(t, mails("192.0.2.1", 1), "all mails are used up: the limit holds")
	require.Equal(t, 1, strings.Count(s.log.String(), tenantWarning), "one warning in a minute")
	require.Contains(t, s.log.String(), `"level":"WARN"`)
	require.Contains(t, s.log.String(), "raise Limits.PerTenant")
	require.NotContains(t, s.log.String(), "open.example")

	s.clock.move(30 * time.Second)
	mails("198.51.100.1", 5)
	require.Equal(t, 1, strings.Count(s.log.String(), tenantWarning))
	s.clock.move(30 * time.Second)
	mails("198.51.100.1", 5)
	require.Equal(t, 2, strings.Count(s.log.String(), tenantWarning))
	s.clock.move(-time.Hour)
	mails("198.51.101.1", 5)
	require.Equal(t, 3, strings.Count(s.log.String(), tenantWarning), "a clock that was set back")
	require.Contains(t, s.log.String(), `"refused_since_last_warning":1}`)
	require.Regexp(t, `"refused_since_last_warning":1[0-9]{2}}`, s.log.String())
}
