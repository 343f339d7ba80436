package signin_test

import (
	"context"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/signin"
)

// What is done for an address begins when no request is being answered, at a time that nobody can foretell. A request that is not answered for long does not keep
// the mail back for long.
func TestWorkRests(t *testing.T) {
	const shortest, longest = time.Millisecond, 20 * time.Millisecond
	for name, row := range map[string]struct{ busy, least, most time.Duration }{
		"idle":         {0, shortest, longest},
		"busy":         {longest, longest, 2 * longest}, // less than ten rests, even if most are short
		"busy forever": {time.Hour, 10 * shortest, 10 * longest},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer signin.SetLongestRest(longest)()
				times := map[time.Duration]bool{}
				for range 20 {
					took := restOf(t, row.busy)
					require.GreaterOrEqual(t, took, row.least)
					require.LessOrEqual(t, took, row.most)
					times[took] = true
				}
				require.Greater(t, len(times), 10, "at a time that nobody can foretell")
			})
		})
	}
}

// restOf returns how long after an answer Resolve is called while another client's request takes some time.
func restOf(t *testing.T, busy time.Duration) (took time.Duration) {
	t.Helper()
	began := time.Now()
	s := newSite(t, func(c *signin.Config) {
		c.Config.Now = time.Now
		c.ClientAddress = func(r *http.Request) netip.Addr {
			if r.Header.Get("X-Test-Client") == "slow" {
				time.Sleep(busy)
			}
			return netip.Addr{}
		}
		c.Resolve = func(context.Context, string) (magiclink.MagicLinkCreate, error) {
			took = time.Since(began)
			return magiclink.MagicLinkCreate{}, signin.ErrUnknownAddress
		}
	})
	other := make(chan struct{})
	go func() {
		defer close(other)
		s.browser("X-Test-Client", "slow").code("", "2222-2222")
	}()
	synctest.Wait()
	s.browser().begin(jane)
	<-other
	s.settled()
	return took
}
