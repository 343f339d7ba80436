package magiclink_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

var (
	perAddress  = magiclink.Rate{Burst: 3, Every: time.Minute}
	perBusiness = magiclink.Rate{Burst: 2, Every: time.Hour}
	perTenant   = magiclink.Rate{Burst: 10, Every: time.Minute}
)

func everyLimit(c *magiclink.Config) {
	c.Limits = magiclink.Limits{PerSubject: perAddress, PerBusiness: perBusiness, PerTenant: perTenant}
	c.Businesses = directory{
		"t": {{ID: businessA, ExternalID: "shop-7"}, {ID: businessB, ExternalID: "shop-8"}},
		"u": {{ID: businessC, ExternalID: "shop-7"}},
	}
}

const businessC = "biz_3mPn8QxYw2TzB4vR7sHd3e"

// issued makes n links.
func (f fixture) issued(t *testing.T, n int, in magiclink.MagicLinkCreate) {
	t.Helper()
	for range n {
		_, err := f.Issue(t.Context(), in)
		require.NoError(t, err)
	}
}

// An Issuer on another store counts there, shows what is left there, and resets there.
func TestLimitsOfAnotherStore(t *testing.T) {
	f := newFixture(t, everyLimit)
	other := f.Issuer.WithStore(memory.New())
	in := magiclink.MagicLinkCreate{Caller: magiclink.Caller{TenantID: "t"}, BusinessID: businessA, Email: "jane@example.com"}
	subject := magiclink.Subject{TenantID: "t", BusinessID: businessA, ExternalBusinessID: "shop-7", Email: in.Email}
	left := func(issuer *magiclink.Issuer) int {
		states, err := issuer.Limits(t.Context(), in.Caller, subject)
		require.NoError(t, err)
		return states[0].Left
	}
	_, err := other.Issue(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, perAddress.Burst-1, left(other))
	require.Equal(t, perAddress.Burst, left(f.Issuer))
	require.NoError(t, other.ResetLimit(t.Context(), in.Caller, subject))
	require.Equal(t, perAddress.Burst, left(other))
}

// What Limits says is what Issue does next, for whatever names the same subject.
func TestLimitsShowWhatIsLeft(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t), everyLimit)
			f.issued(t, 3, magiclink.MagicLinkCreate{Caller: caller("t", ""), ExternalBusinessID: "shop-7", Email: "Jane@Example.com"})
			f.issued(t, 1, magiclink.MagicLinkCreate{Caller: caller("t", businessA), BusinessID: businessA})
			full := func(at time.Duration) time.Time { return noon.Truncate(time.Millisecond).Add(at) }
			address := magiclink.LimitState{Kind: magiclink.LimitAddress, Rate: perAddress, RetryAfter: time.Minute, FullAt: full(3 * time.Minute)}
			business := magiclink.LimitState{Kind: magiclink.LimitBusiness, Rate: perBusiness, Left: 1, FullAt: full(time.Hour)}
			tenant := magiclink.LimitState{Kind: magiclink.LimitTenant, Rate: perTenant, Left: 6, FullAt: full(4 * time.Minute)}
			whole := magiclink.LimitState{Kind: magiclink.LimitAddress, Rate: perAddress, Left: 3}
			for _, row := range []struct {
				of   magiclink.Subject
				want []magiclink.LimitState
			}{
				{magiclink.Subject{Email: "jane@EXAMPLE.com"}, []magiclink.LimitState{address, tenant}},
				{magiclink.Subject{TenantID: "u", Email: "JANE@example.com", BusinessID: businessB}, []magiclink.LimitState{address, tenant}},
				{magiclink.Subject{Email: "john@example.com"}, []magiclink.LimitState{whole, tenant}},
				{magiclink.Subject{BusinessID: businessA}, []magiclink.LimitState{business, tenant}},
				{magiclink.Subject{ExternalBusinessID: "shop-7"}, []magiclink.LimitState{business, tenant}},
				{magiclink.Subject{BusinessID: businessA, ExternalBusinessID: "shop-7"}, []magiclink.LimitState{business, tenant}},
				{magiclink.Subject{}, []magiclink.LimitState{tenant}},
			} {
				for range 3 { // nothing is taken
					got, err := f.Limits(t.Context(), caller("t", ""), row.of)
					require.NoError(t, err)
					require.Equal(t, row.want, got, row.of)
				}
				require.Equal(t, len(row.want), f.told.last(t).Count)
			}
			got, err := f.Limits(t.Context(), caller("t", businessA), magiclink.Subject{ExternalBusinessID: "shop-7"})
			require.NoError(t, err)
			require.Equal(t, []magiclink.LimitState{business}, got, "not that of the tenant")
			require.Equal(t, magiclink.Event{Op: magiclink.OpLimits, At: noon, TenantID: "t", BusinessID: businessA, Count: 1}, f.told.last(t))
			got, err = f.Limits(t.Context(), caller("u", ""), magiclink.Subject{TenantID: "t", Email: "jane@example.com"})
			require.NoError(t, err)
			require.Equal(t, []int{3, 10}, []int{got[0].Left, got[1].Left}, "of another tenant")
		})
	}
}

// Each reset makes one limit as new, and no other.
func TestResetLimit(t *testing.T) {
	left := func(t *testing.T, f fixture) (left [4]int) {
		t.Helper()
		for n, of := range []magiclink.Subject{{Email: "jane@example.com"}, {Email: "john@example.com"}, {BusinessID: businessA}, {}} {
			states, err := f.Limits(t.Context(), caller("t", ""), of)
			require.NoError(t, err)
			left[n] = states[0].Left
		}
		return left
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t), everyLimit)
			for _, email := range []string{"jane@example.com", "john@example.com", ""} {
				f.issued(t, 2, magiclink.MagicLinkCreate{Caller: caller("t", ""), BusinessID: businessA, Email: email})
			}
			require.Equal(t, [4]int{1, 1, 0, 4}, left(t, f))
			for _, row := range []struct {
				caller magiclink.Caller
				of     magiclink.Subject
				want   [4]int
				event  magiclink.Event
			}{
				{caller("u", ""), magiclink.Subject{TenantID: "t", Email: "jane@example.com"}, [4]int{1, 1, 0, 4}, magiclink.Event{TenantID: "u"}},
				{caller("t", ""), magiclink.Subject{Email: "Jane@Example.com"}, [4]int{3, 1, 0, 4}, magiclink.Event{TenantID: "t"}},
				{caller("t", businessA), magiclink.Subject{BusinessID: businessA}, [4]int{3, 1, 2, 4}, magiclink.Event{TenantID: "t", BusinessID: businessA}},
				{caller("t", ""), magiclink.Subject{}, [4]int{3, 1, 2, 10}, magiclink.Event{TenantID: "t"}},
				{caller("t", ""), magiclink.Subject{Email: "john@example.com"}, [4]int{3, 3, 2, 10}, magiclink.Event{TenantID: "t"}},
			} {
				for range 2 {
					require.NoError(t, f.ResetLimit(t.Context(), row.caller, row.of))
					row.event.Op, row.event.At = magiclink.OpResetLimit, noon
					require.Equal(t, row.event, f.told.last(t))
				}
				require.Equal(t, row.want, left(t, f), row.of)
			}
			f.issued(t, 2, magiclink.MagicLinkCreate{Caller: caller("t", ""), BusinessID: businessA})
		})
	}
}

// Limits and ResetLimit refuse the same.
func TestLimitsThatACallerMayNotSee(t *testing.T) {
	f := newFixture(t, everyLimit)
	f.issued(t, 2, magiclink.MagicLinkCreate{Caller: caller("t", ""), BusinessID: businessA})
	for name, row := range map[string]struct {
		caller magiclink.Caller
		of     magiclink.Subject
		reason magiclink.Reason
	}{
		"an address":            {caller("t", businessA), magiclink.Subject{Email: "jane@example.com"}, magiclink.ReasonNotFound},
		"an address of its own": {caller("t", businessA), magiclink.Subject{Email: "jane@example.com", BusinessID: businessA}, magiclink.ReasonNotFound},
		"the tenant":            {caller("t", businessA), magiclink.Subject{}, magiclink.ReasonNotFound},
		"another business":      {caller("t", businessB), magiclink.Subject{BusinessID: businessA}, magiclink.ReasonNotFound},
		"its external id":       {caller("t", businessB), magiclink.Subject{ExternalBusinessID: "shop-7"}, magiclink.ReasonNotFound},
		"unknown":               {caller("t", businessB), magiclink.Subject{ExternalBusinessID: "shop-9"}, magiclink.ReasonNotFound},
		"of another tenant":     {caller("u", ""), magiclink.Subject{BusinessID: businessA}, magiclink.ReasonNotFound},
		"unknown to the tenant": {caller("t", ""), magiclink.Subject{ExternalBusinessID: "shop-9"}, magiclink.ReasonNotFound},
		"two businesses":        {caller("t", ""), magiclink.Subject{BusinessID: businessA, ExternalBusinessID: "shop-8"}, magiclink.ReasonNotFound},
		"no address":            {caller("t", ""), magiclink.Subject{Email: "jane"}, magiclink.ReasonInvalidInput},
		"no id":                 {caller("t", ""), magiclink.Subject{BusinessID: "acme"}, magiclink.ReasonInvalidInput},
		"no external id":        {caller("t", ""), magiclink.Subject{ExternalBusinessID: "\n"}, magiclink.ReasonInvalidInput},
		"no caller":             {caller("t", "*"), magiclink.Subject{BusinessID: businessA}, magiclink.ReasonInvalidCaller},
	} {
		t.Run(name, func(t *testing.T) {
			states, err := f.Limits(t.Context(), row.caller, row.of)
			require.Error(t, err)
			require.Nil(t, states)
			want := magiclink.Event{Op: magiclink.OpLimits, Reason: row.reason, At: noon, TenantID: row.caller.TenantID}
			require.Equal(t, want, f.told.last(t))
			again := f.ResetLimit(t.Context(), row.caller, row.of)
			require.Equal(t, err, again)
			want.Op = magiclink.OpResetLimit
			require.Equal(t, want, f.told.last(t))
			require.Equal(t, row.reason == magiclink.ReasonNotFound, errors.Is(err, magiclink.ErrNotFound))
		})
	}
	states, err := f.Limits(t.Context(), caller("t", ""), magiclink.Subject{BusinessID: businessA})
	require.NoError(t, err)
	require.Equal(t, 0, states[0].Left, "nothing was reset")
}

// deafLimiter takes, and fails to look and to reset.
type deafLimiter struct{ brokenLimiter }

func (deafLimiter) Peek(context.Context, string) (int64, error) { return 0, errors.New("outage") }

func TestLimitsWithoutAnswer(t *testing.T) {
	store := newFixture(t).store.Store
	some := magiclink.Subject{Email: "jane@example.com"}
	plain := newFixtureOn(t, opaque{store})
	_, err := plain.Limits(t.Context(), caller("t", ""), some)
	require.ErrorIs(t, err, magiclink.ErrUnsupported)
	require.ErrorIs(t, plain.ResetLimit(t.Context(), caller("t", ""), some), magiclink.ErrUnsupported)

	broken := newFixtureOn(t, deafLimiter{brokenLimiter{store}}, everyLimit)
	_, err = broken.Limits(t.Context(), caller("t", ""), some)
	require.ErrorIs(t, err, magiclink.ErrUnavailable)
	require.ErrorIs(t, broken.ResetLimit(t.Context(), caller("t", ""), some), magiclink.ErrUnavailable)

	lost := newFixture(t, everyLimit, func(c *magiclink.Config) { c.Businesses = directory{"t": {{}}} })
	_, err = lost.Limits(t.Context(), caller("t", ""), magiclink.Subject{BusinessID: businessA})
	require.ErrorIs(t, err, magiclink.ErrUnavailable, "the directory")

	_, err = new(magiclink.Issuer).Limits(t.Context(), caller("t", ""), some)
	require.Error(t, err)
	require.Error(t, new(magiclink.Issuer).ResetLimit(t.Context(), caller("t", ""), some))
}

// A limit that is not configured is not shown, and the store of the configuration is asked from within a transaction.
func TestLimitsThatAreOff(t *testing.T) {
	f := newFixture(t, limits(magiclink.Rate{}, magiclink.Rate{}))
	states, err := f.Issuer.WithStore(storeOnly{f.store.Store}).Limits(t.Context(), caller("t", ""), magiclink.Subject{Email: "jane@example.com"})
	require.NoError(t, err)
	require.Equal(t, []magiclink.LimitState{}, states)
	require.NoError(t, f.ResetLimit(t.Context(), caller("t", ""), magiclink.Subject{Email: "jane@example.com"}))
}
