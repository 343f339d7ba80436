package magiclink_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// storeOnly hides the optional interfaces of a store.
type storeOnly struct{ magiclink.Store }

func linkIDs(links []magiclink.Link) (ids []string) {
	for _, link := range links {
		ids = append(ids, link.ID)
	}
	return ids
}

func TestListAndGet(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			tokens, ids := map[string]string{}, map[string]string{}
			for _, each := range []struct{ name, tenant, business, email string }{
				{"live", "t", businessA, "jane@example.com"},
				{"used", "t", businessA, "jane@example.com"},
				{"revoked", "t", businessB, "jane@example.com"},
				{"john", "t", businessB, "john@example.com"},
				{"foreign", "u", businessA, "jane@example.com"},
			} {
				tokens[each.name], ids[each.name] = f.link(t, magiclink.MagicLinkCreate{
					Caller: caller(each.tenant, ""), BusinessID: each.business, Email: each.email,
				})
			}
			_, err := f.Redeem(t.Context(), tokens["used"])
			require.NoError(t, err)
			require.NoError(t, f.Revoke(t.Context(), "t", ids["revoked"]))

			for _, test := range []struct {
				caller magiclink.Caller
				query  magiclink.ListQuery
				want   []string
			}{
				{caller("t", ""), magiclink.ListQuery{}, []string{"john", "revoked", "used", "live"}},
				{caller("t", ""), magiclink.ListQuery{Limit: 2}, []string{"john", "revoked"}},
				{caller("t", ""), magiclink.ListQuery{Before: ids["revoked"]}, []string{"used", "live"}},
				{caller("t", ""), magiclink.ListQuery{State: magiclink.StateUsed}, []string{"used"}},
				{caller("t", ""), magiclink.ListQuery{State: magiclink.StateExpired, At: noon.Add(time.Hour)}, []string{"john", "live"}},
				{caller("t", ""), magiclink.ListQuery{Subject: magiclink.Subject{TenantID: "u"}}, []string{"john", "revoked", "used", "live"}},
				{caller("u", ""), magiclink.ListQuery{}, []string{"foreign"}},
				{caller("", ""), magiclink.ListQuery{}, nil},
				{caller("t", businessA), magiclink.ListQuery{}, []string{"used", "live"}},
				{caller("t", businessA), magiclink.ListQuery{Subject: magiclink.Subject{BusinessID: businessB}}, nil},
				{caller("t", ""), magiclink.ListQuery{Before: ids["foreign"]}, []string{"john", "revoked", "used", "live"}},
			} {
				links, err := f.List(t.Context(), test.caller, test.query)
				require.NoError(t, err)
				require.NotNil(t, links)
				var want []string
				for _, name := range test.want {
					want = append(want, ids[name])
				}
				require.Equal(t, want, linkIDs(links))
				event := f.told.last(t)
				require.Equal(t, magiclink.Event{Op: magiclink.OpList, At: noon, TenantID: test.caller.TenantID, BusinessID: test.caller.BusinessID, Count: len(want)}, event)
			}

			for name, state := range map[string]magiclink.State{
				"live": magiclink.StateLive, "used": magiclink.StateSession, "revoked": magiclink.StateRevoked,
			} {
				link, err := f.Get(t.Context(), caller("t", ""), ids[name])
				require.NoError(t, err)
				require.Equal(t, magiclink.Link{Record: f.record(t, ids[name]), State: state}, link)
			}
			for _, id := range []string{ids["foreign"], "mlk_" + businessA[4:], "", "x", ids["live"] + "x"} {
				_, err := f.Get(t.Context(), caller("t", ""), id)
				require.Equal(t, magiclink.ErrNotFound, err)
			}
			_, err = f.Get(t.Context(), caller("t", businessB), ids["live"])
			require.Equal(t, magiclink.ErrNotFound, err)
			_, err = f.Get(t.Context(), caller("t", businessA), ids["live"])
			require.NoError(t, err, "the control")
		})
	}
}

func TestListAndGetRefuse(t *testing.T) {
	f := newFixture(t)
	for _, query := range []magiclink.ListQuery{{Limit: -1}, {Limit: 1001}, {State: "dead"}, {Before: "\xff"}} {
		_, err := f.List(t.Context(), caller("t", ""), query)
		require.ErrorContains(t, err, "magiclink: the ")
		require.NotErrorIs(t, err, magiclink.ErrUnavailable)
		require.Equal(t, magiclink.ReasonInvalidInput, f.told.last(t).Reason)
	}
	_, err := f.List(t.Context(), caller("t\n", ""), magiclink.ListQuery{})
	require.ErrorAs(t, err, new(*magiclink.CallerError))
	_, err = f.Get(t.Context(), caller("t", "*"), "mlk_"+businessA[4:])
	require.ErrorAs(t, err, new(*magiclink.CallerError))

	outage := errors.New("outage")
	_, id := f.link(t, fullInput)
	f.store.before = failing(outage)
	_, err = f.Get(t.Context(), caller("tenant-1", ""), id)
	require.ErrorIs(t, err, magiclink.ErrUnavailable)
	require.ErrorIs(t, err, outage)

	bare := newFixtureOn(t, storeOnly{f.store.Store})
	_, err = bare.List(t.Context(), caller("t", ""), magiclink.ListQuery{})
	require.ErrorIs(t, err, magiclink.ErrUnsupported)
	_, err = bare.RevokeAll(t.Context(), caller("t", ""), magiclink.Subject{Email: "jane@example.com"})
	require.ErrorIs(t, err, magiclink.ErrUnsupported)
	require.Equal(t, magiclink.ReasonMisconfigured, bare.told.last(t).Reason)
}

func TestRevokeAll(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			f := newFixtureOn(t, open(t))
			issue := func(tenant, business, email string) string {
				token, _ := f.link(t, magiclink.MagicLinkCreate{Caller: caller(tenant, ""), BusinessID: business, Email: email})
				return token
			}
			live, used := issue("t", businessA, "jane@EXAMPLE.com"), issue("t", businessA, "jane@example.com")
			others := []string{
				issue("t", businessB, "jane@example.com"), issue("t", businessA, "john@example.com"), issue("u", businessA, "jane@example.com"),
			}
			redeemed, err := f.Redeem(t.Context(), used)
			require.NoError(t, err)
			session, _, err := f.sessions.Grant(t.Context(), redeemed)
			require.NoError(t, err)

			jane := magiclink.Subject{TenantID: "u", Email: "jane@Example.com"}
			for _, test := range []struct {
				caller  magiclink.Caller
				subject magiclink.Subject
				want    int
			}{
				{caller("t", businessA), magiclink.Subject{BusinessID: businessB, Email: jane.Email}, 0},
				{caller("t", businessA), jane, 2},
				{caller("t", businessA), jane, 0},
			} {
				n, err := f.RevokeAll(t.Context(), test.caller, test.subject)
				require.NoError(t, err)
				require.Equal(t, test.want, n)
				require.Equal(t, n, f.told.last(t).Count)
			}
			_, err = f.Redeem(t.Context(), live)
			require.ErrorIs(t, err, magiclink.ErrRevoked)
			_, err = f.sessions.Verify(t.Context(), session)
			require.ErrorIs(t, err, magiclink.ErrInvalidToken)
			for _, token := range others {
				_, err = f.Redeem(t.Context(), token)
				require.NoError(t, err)
			}
			_, err = f.RevokeAll(t.Context(), caller("t", ""), magiclink.Subject{})
			require.ErrorContains(t, err, "names nobody")
			_, err = f.RevokeAll(t.Context(), caller("t", businessA), magiclink.Subject{})
			require.ErrorContains(t, err, "names nobody", "the caller's business is no subject")
		})
	}
}

func TestLinkShowsNoAddress(t *testing.T) {
	link := magiclink.Link{Record: magiclink.Record{ID: "mlk_x", Subject: magiclink.Subject{Email: "canary@example.com"}, Path: "/canary"}, State: magiclink.StateLive}
	inJSON, err := json.Marshal(link)
	require.NoError(t, err)
	for _, text := range []string{fmt.Sprint(link), fmt.Sprintf("%+v", link), fmt.Sprintf("%#v", link), string(inJSON)} {
		require.Contains(t, text, "mlk_x")
		require.NotContains(t, text, "canary")
	}
}
