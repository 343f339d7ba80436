package magiclink_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestEventsOfIssue(t *testing.T) {
	healthy := func(*magiclink.Config) {}
	for name, test := range map[string]struct {
		change func(*magiclink.Config)
		in     magiclink.MagicLinkCreate
		want   magiclink.Event
	}{
		"issued": {
			healthy,
			magiclink.MagicLinkCreate{Caller: caller("t", ""), BusinessID: businessA},
			magiclink.Event{BusinessID: businessA},
		},
		"invalid": {healthy, magiclink.MagicLinkCreate{Caller: caller("t", "")}, magiclink.Event{Reason: magiclink.ReasonInvalidInput}},
		"forbidden": {
			healthy,
			magiclink.MagicLinkCreate{Caller: caller("t", businessB), BusinessID: businessA},
			magiclink.Event{Reason: magiclink.ReasonBusinessForbidden},
		},
		"malformed caller": {
			healthy,
			magiclink.MagicLinkCreate{Caller: caller("t", "*"), BusinessID: businessA},
			magiclink.Event{Reason: magiclink.ReasonInvalidCaller},
		},
		"not found": {
			func(c *magiclink.Config) { c.Businesses = directory{} },
			magiclink.MagicLinkCreate{Caller: caller("t", ""), BusinessID: businessA},
			magiclink.Event{Reason: magiclink.ReasonBusinessNotFound},
		},
		"unavailable": {
			func(c *magiclink.Config) { c.Store = &brokenStore{err: errors.New("outage")} },
			magiclink.MagicLinkCreate{Caller: caller("t", ""), BusinessID: businessA},
			magiclink.Event{Reason: magiclink.ReasonUnavailable},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, test.change)
			response, err := f.Issue(t.Context(), test.in)
			test.want.Op, test.want.At, test.want.TenantID, test.want.LinkID = magiclink.OpIssue, noon, "t", response.MagicLinkID
			require.Equal(t, []magiclink.Event{test.want}, f.told.events)
			require.Equal(t, err == nil, test.want.Reason == "", "the empty reason is success")
			require.Equal(t, err == nil, test.want.LinkID != "")
		})
	}
}

func TestEventsOfRevoke(t *testing.T) {
	f := newFixture(t)
	response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{Caller: caller("t", ""), BusinessID: businessA})
	require.NoError(t, err)
	require.NoError(t, f.Revoke(t.Context(), "t", response.MagicLinkID))
	require.ErrorIs(t, f.Revoke(t.Context(), "other", response.MagicLinkID), magiclink.ErrNotFound)
	require.Equal(t, []magiclink.Event{
		{Op: magiclink.OpRevoke, At: noon, TenantID: "t", BusinessID: businessA, LinkID: response.MagicLinkID},
		{Op: magiclink.OpRevoke, Reason: magiclink.ReasonNotFound, At: noon, TenantID: "other"},
	}, f.told.events[1:])
}

func TestEventsOfRedeem(t *testing.T) {
	outage := errors.New("outage")
	for name, test := range map[string]struct {
		prepare func(f fixture, id string)
		token   func(string) string
		reason  magiclink.Reason
		id      bool
	}{
		"redeemed":    {id: true},
		"invalid":     {token: func(token string) string { return token + "x" }, reason: magiclink.ReasonInvalidToken},
		"expired":     {func(f fixture, _ string) { f.clock.set(noon.Add(time.Hour)) }, nil, magiclink.ReasonExpired, true},
		"used":        {func(f fixture, id string) { _, _ = f.store.Store.Consume(t.Context(), id, noon, "") }, nil, magiclink.ReasonConsumed, true},
		"revoked":     {func(f fixture, id string) { _ = f.store.Revoke(t.Context(), id, noon) }, nil, magiclink.ReasonRevoked, true},
		"forgotten":   {func(f fixture, _ string) { _, _ = f.store.Purge(t.Context(), noon.Add(time.Hour), 1) }, nil, magiclink.ReasonInvalidToken, true},
		"unavailable": {func(f fixture, _ string) { f.store.before = failing(outage) }, nil, magiclink.ReasonUnavailable, true},
		"unknown outcome": {func(f fixture, _ string) {
			f.store.used = func(r magiclink.Record, _ error) (magiclink.Record, error) { return r, magiclink.ErrUnknownOutcome }
		}, nil, magiclink.ReasonUnavailable, true},
	} {
		for method, redeem := range redemptions {
			t.Run(name+" "+method, func(t *testing.T) {
				f := newFixture(t)
				token, id := f.link(t, fullInput)
				f.told.events = nil
				if test.prepare != nil {
					test.prepare(f, id)
				}
				if test.token != nil {
					token = test.token(token)
				}
				_, err := redeem(f.Redeemer, t.Context(), token)
				want := magiclink.Event{Op: magiclink.OpRedeem, Reason: test.reason, At: f.clock.Now()}
				if test.id {
					want.LinkID = id
				}
				if test.reason == "" {
					require.NoError(t, err)
					want.TenantID, want.BusinessID = "tenant-1", businessA
				}
				require.Equal(t, []magiclink.Event{want}, f.told.events)
			})
		}
	}
}

// redemptions are the ways to use a link up.
var redemptions = map[string]func(*magiclink.Redeemer, context.Context, string) (magiclink.Redemption, error){
	"Redeem": (*magiclink.Redeemer).Redeem,
	"RedeemBy": func(r *magiclink.Redeemer, ctx context.Context, token string) (magiclink.Redemption, error) {
		return r.RedeemBy(ctx, token, "by-1")
	},
}

func TestEventsOfSessions(t *testing.T) {
	f := newFixture(t)
	redeemed := f.redeemed(t)
	_, session, err := f.sessions.Grant(t.Context(), redeemed)
	require.NoError(t, err)
	success := magiclink.Event{Op: magiclink.OpGrant, At: noon, TenantID: "tenant-1", BusinessID: businessA, LinkID: redeemed.MagicLinkID}
	require.Equal(t, success, f.told.last(t))

	f.clock.set(noon.Add(time.Hour))
	_, _, err = f.sessions.Grant(t.Context(), redeemed)
	require.Equal(t, magiclink.ErrExpired, err)
	require.Equal(t, magiclink.ReasonExpired, f.told.last(t).Reason)
	require.Equal(t, magiclink.OpGrant, f.told.last(t).Op)
	f.clock.set(noon)

	require.NoError(t, f.sessions.End(t.Context(), session))
	success.Op = magiclink.OpEnd
	require.Equal(t, success, f.told.last(t))
	f.store.before = failing(errors.New("outage"))
	require.Error(t, f.sessions.End(t.Context(), session))
	require.Equal(t, magiclink.OpEnd, f.told.last(t).Op)
	require.Equal(t, magiclink.ReasonUnavailable, f.told.last(t).Reason)

	before := len(f.told.events)
	_, err = f.sessions.Verify(t.Context(), "x")
	require.Equal(t, magiclink.ErrInvalidToken, err)
	require.Len(t, f.told.events, before, "to verify is no event: each request does it")
}

// A metric can tell an outage of one operation from an outage of another.
func TestOutagesDifferByOp(t *testing.T) {
	f := newFixture(t)
	token, id := f.link(t, fullInput)
	_, session := f.granted(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for op, fail := range map[magiclink.Op]func() error{
		magiclink.OpIssue:  func() error { _, err := f.Issue(ended, fullInput); return err },
		magiclink.OpRevoke: func() error { return f.Revoke(ended, "tenant-1", id) },
		magiclink.OpRedeem: func() error { _, err := f.Redeem(ended, token); return err },
		magiclink.OpEnd:    func() error { return f.sessions.End(ended, session) },
	} {
		require.ErrorIs(t, fail(), magiclink.ErrUnavailable, op)
		require.Equal(t, op, f.told.last(t).Op)
		require.Equal(t, magiclink.ReasonUnavailable, f.told.last(t).Reason)
	}
}

// A tenant id that is not valid could forge lines of an audit log. No event tells it, of a call that succeeds or fails.
func TestEventsTellNoMalformedTenant(t *testing.T) {
	for name, tenant := range map[string]string{
		"line break": "a\nb", "escape": "a\x1b[2J", "not UTF-8": "\xff", "long": repeat("x", 256), "the control": "tenant-1",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.store.create = func(record *magiclink.Record) { record.TenantID = tenant } // as if somebody had changed what is stored
			good, id := f.link(t, fullInput)
			redeemed, err := f.Redeem(t.Context(), good)
			require.NoError(t, err)
			require.Equal(t, id, redeemed.MagicLinkID)
			session := magiclink.Session{ID: "ses_" + id[4:], MagicLinkID: id, Subject: magiclink.Subject{TenantID: tenant}}
			f.told.events = f.told.events[1:] // the first link was issued for a good tenant

			in := fullInput
			in.Caller.TenantID = tenant
			_, _ = f.Issue(t.Context(), in)
			_, _ = f.IssueJSON(t.Context(), in.Caller, []byte(withID(`"ttl":5`)))
			_, _ = f.IssueJSON(t.Context(), in.Caller, []byte("x"))
			_ = f.Revoke(t.Context(), tenant, "mlk_x")
			_, _, _ = f.sessions.Grant(t.Context(), redeemed)
			_, _, _ = f.sessions.Grant(t.Context(), magiclink.Redemption{Subject: redeemed.Subject})
			_ = f.sessions.End(t.Context(), session)
			_ = f.sessions.End(t.Context(), magiclink.Session{Subject: session.Subject})
			_ = f.Revoke(t.Context(), tenant, id)
			want := ""
			if magiclink.ValidTenantID(tenant) {
				want = tenant
			}
			require.Len(t, f.told.events, 10)
			for _, event := range f.told.events {
				require.Equal(t, want, event.TenantID, event.Op)
			}
		})
	}
}

// Took is measured by the clock of the machine. The configured clock does not change it.
func TestEventsTellHowLongItTook(t *testing.T) {
	f := newFixture(t)
	f.clock.step = -time.Hour
	const pause = 20 * time.Millisecond
	f.store.create = func(*magiclink.Record) { time.Sleep(pause) } // real time on purpose: it is what Took measures
	token, id := f.link(t, fullInput)
	_, err := f.IssueJSON(t.Context(), magiclink.Caller{}, []byte("x"))
	require.Error(t, err)
	f.clock.set(noon)
	_, err = f.Redeem(t.Context(), token)
	require.NoError(t, err)
	require.NoError(t, f.Revoke(t.Context(), "tenant-1", id))
	require.Len(t, f.told.took, 4)
	for _, took := range f.told.took {
		require.GreaterOrEqual(t, took, time.Duration(0))
		require.Less(t, took, time.Minute)
	}
	require.GreaterOrEqual(t, f.told.took[0], pause)
}

// A panic in OnEvent changes nothing about what has happened, and its value is not logged.
func TestPanicInOnEvent(t *testing.T) {
	for name, value := range map[string]any{"value": "jane@example.com", "error": errors.New("jane@example.com"), "nil": nil} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *magiclink.Config) { c.OnEvent = func(context.Context, magiclink.Event) { panic(value) } })
			token, id := f.link(t, fullInput)
			redeemed, err := f.Redeem(t.Context(), token)
			require.NoError(t, err)
			require.Equal(t, id, redeemed.MagicLinkID)
			_, err = f.Redeem(t.Context(), token)
			require.Equal(t, magiclink.ErrConsumed, err)
			_, session, err := f.sessions.Grant(t.Context(), redeemed)
			require.NoError(t, err)
			require.NoError(t, f.sessions.End(t.Context(), session))
			require.NoError(t, f.Revoke(t.Context(), "tenant-1", id))

			require.Equal(t, 6, strings.Count(f.log.String(), "OnEvent panicked"))
			for _, op := range []magiclink.Op{"issue", "revoke", "redeem", "grant", "end"} {
				require.Contains(t, f.log.String(), `"op":"`+string(op)+`","link_id":"`+id+`"`)
			}
			require.NotContains(t, f.log.String(), "jane")
		})
	}
}

// panicking is a slog.Handler that fails as hard as it can.
type panicking struct{ slog.Handler }

func (panicking) Enabled(context.Context, slog.Level) bool  { return true }
func (panicking) Handle(context.Context, slog.Record) error { panic("no log") }

func TestPanicInTheLogger(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) {
		c.OnEvent = func(context.Context, magiclink.Event) { panic("no event") }
		c.Logger = slog.New(panicking{slog.DiscardHandler})
	})
	token, id := f.link(t, fullInput)
	redeemed, err := f.Redeem(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, id, redeemed.MagicLinkID)
}

func TestNoOnEvent(t *testing.T) {
	f := newFixture(t, func(c *magiclink.Config) { c.OnEvent = nil })
	_, session := f.granted(t)
	require.NoError(t, f.sessions.End(t.Context(), session))
}

// Malformed ids are not told: they could forge lines of an audit log.
func TestEventsTellNoMalformedIDs(t *testing.T) {
	f := newFixture(t)
	_, _, err := f.sessions.Grant(t.Context(), magiclink.Redemption{MagicLinkID: "a\nb", Subject: magiclink.Subject{BusinessID: "c\nd"}})
	require.Error(t, err)
	require.Empty(t, f.told.last(t).LinkID)
	require.Empty(t, f.told.last(t).BusinessID)
	require.Error(t, f.sessions.End(t.Context(), magiclink.Session{MagicLinkID: "a\nb"}))
	require.Empty(t, f.told.last(t).LinkID)
}
