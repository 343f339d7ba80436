package magiclink_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func limits(subject, tenant magiclink.Rate) func(*magiclink.Config) {
	return func(c *magiclink.Config) {
		c.Limits = magiclink.Limits{PerSubject: subject, PerBusiness: subject, PerTenant: tenant}
	}
}

func TestLimits(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t), limits(magiclink.Rate{Burst: 2, Every: time.Minute}, magiclink.Rate{Burst: 6, Every: time.Hour}))
			issue := func(tenant, business, email string) error {
				_, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{Caller: caller(tenant, ""), BusinessID: business, Email: email})
				return err
			}
			require.NoError(t, issue("t", businessA, "jane@example.com"))
			require.NoError(t, issue("t", businessB, "JANE@Example.com"))
			for _, address := range []string{"jane@example.com", "jANe@example.com"} {
				err := issue("t", businessA, address)
				require.ErrorIs(t, err, magiclink.ErrLimited)
				var limited *magiclink.LimitedError
				require.ErrorAs(t, err, &limited)
				require.Equal(t, time.Minute, limited.RetryAfter)
				require.NotContains(t, err.Error(), "@")
				require.Equal(t, magiclink.ReasonLimited, f.told.last(t).Reason)
			}
			require.NoError(t, issue("u", businessA, "jane@example.com"), "of another tenant")
			require.NoError(t, issue("t", businessA, ""))
			require.NoError(t, issue("t", businessA, ""))
			require.ErrorIs(t, issue("t", businessA, ""), magiclink.ErrLimited)
			require.NoError(t, issue("t", businessB, ""), "of another business")
			f.clock.set(noon.Add(time.Minute))
			require.NoError(t, issue("t", businessA, "jane@example.com"))
			err := issue("t", businessA, "john@example.com")
			var limited *magiclink.LimitedError
			require.ErrorAs(t, err, &limited, "seven of the tenant")
			require.Equal(t, 59*time.Minute, limited.RetryAfter.Round(time.Minute))
			require.NoError(t, issue("u", businessA, "john@example.com"))
		})
	}
}

// Links without an address may be for many people: PerSubject does not count them, and PerBusiness no others.
func TestLimitsOfBusinesses(t *testing.T) {
	once := magiclink.Rate{Burst: 1, Every: time.Hour}
	nobody, jane := fullInput, fullInput
	nobody.Email = ""
	for _, test := range []struct {
		limits           magiclink.Limits
		free, restricted magiclink.MagicLinkCreate
	}{
		{magiclink.Limits{PerSubject: once}, nobody, jane},
		{magiclink.Limits{PerBusiness: once}, jane, nobody},
	} {
		f := newFixture(t, func(c *magiclink.Config) { c.Limits = test.limits })
		for range 3 {
			f.link(t, test.free)
		}
		f.link(t, test.restricted)
		_, err := f.Issue(t.Context(), test.restricted)
		require.ErrorIs(t, err, magiclink.ErrLimited)
	}
}

// Of any number of racing calls exactly the burst is granted, and an invalid input takes nothing.
func TestLimitsRace(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t), limits(magiclink.Rate{Burst: 20, Every: time.Hour}, magiclink.Rate{}))
			var granted atomic.Int64
			var group sync.WaitGroup
			for n := range 200 {
				group.Go(func() {
					in := fullInput
					if n%2 == 0 {
						in.TTL = 16
					}
					_, err := f.Issue(t.Context(), in)
					if err == nil {
						granted.Add(1)
					}
				})
			}
			group.Wait()
			require.EqualValues(t, 20, granted.Load())
		})
	}
}

// brokenLimiter fails.
type brokenLimiter struct{ magiclink.Store }

func (brokenLimiter) Take(context.Context, string, magiclink.Rate, time.Time) (time.Duration, error) {
	return 0, errors.New("outage")
}
func (brokenLimiter) Reset(context.Context, string) error { return errors.New("outage") }

func TestLimitsFailClosed(t *testing.T) {
	f := newFixtureOn(t, brokenLimiter{newFixture(t).store}, limits(magiclink.Rate{Burst: 2, Every: time.Minute}, magiclink.Rate{}))
	_, err := f.Issue(t.Context(), fullInput)
	require.ErrorIs(t, err, magiclink.ErrUnavailable)

	// A store of a transaction has no Limiter. The Config's store counts.
	counted := newFixture(t, limits(magiclink.Rate{Burst: 1, Every: time.Minute}, magiclink.Rate{}))
	bound := counted.Issuer.WithStore(storeOnly{counted.store.Store})
	_, err = bound.Issue(t.Context(), fullInput)
	require.NoError(t, err)
	_, err = bound.Issue(t.Context(), fullInput)
	require.ErrorIs(t, err, magiclink.ErrLimited)
	_, err = counted.Issue(t.Context(), fullInput)
	require.ErrorIs(t, err, magiclink.ErrLimited)
}

func TestLimitsOfTheConfiguration(t *testing.T) {
	store := newFixture(t).store.Store
	good := magiclink.Rate{Burst: 1, Every: time.Minute}
	for want, config := range map[string]magiclink.Config{
		"Limits.PerSubject is out of bounds":       {Store: store, Limits: magiclink.Limits{PerSubject: magiclink.Rate{Burst: 1}}},
		"Limits.PerTenant is out of bounds":        {Store: store, Limits: magiclink.Limits{PerTenant: magiclink.Rate{Every: time.Minute}}},
		"Limits need a Store that is a Limiter":    {Store: storeOnly{store}, Limits: magiclink.Limits{PerTenant: good}},
		"MaxTTL must be whole minutes from 1 to 1": {Store: store, MaxTTL: 90 * time.Second},
		"MaxTTL must be whole minutes":             {Store: store, MaxTTL: 16 * time.Minute},
		"MaxTTL must be":                           {Store: store, MaxTTL: -time.Minute},
	} {
		config.BaseURL, config.Keys = baseURL, seededKeyring(t)
		_, err := magiclink.New(config)
		require.ErrorContains(t, err, want)
	}
}

func TestMaxTTL(t *testing.T) {
	for maximum, test := range map[time.Duration]struct{ unset, most int }{
		0: {5, 15}, time.Minute: {1, 1}, 3 * time.Minute: {3, 3}, 10 * time.Minute: {5, 10},
	} {
		f := newFixture(t, func(c *magiclink.Config) { c.MaxTTL = maximum })
		for given, want := range map[int]int{0: test.unset, test.most: test.most} {
			response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA, TTL: given})
			require.NoError(t, err)
			require.Equal(t, noon.Truncate(time.Second).Add(time.Duration(want)*time.Minute), response.ExpiresAt)
		}
		_, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA, TTL: test.most + 1})
		require.Equal(t, []string{"ttl:max"}, fieldsOf(t, err))
		_, err = f.IssueJSON(t.Context(), magiclink.Caller{}, []byte(withID(`"ttl":`+strings.Repeat("9", 3)+`,"path":7`)))
		require.Equal(t, []string{"ttl:max", "path:type"}, fieldsOf(t, err))
	}
}
