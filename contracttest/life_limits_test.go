package contracttest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

const (
	limits     = httpadapter.LimitsPath
	resetLimit = limits + "/reset"
)

// limited has limits that the tests of other things do not reach.
func limited(c *httpadapter.ServiceConfig) {
	c.Config.Limits = magiclink.Limits{
		PerSubject:  magiclink.Rate{Burst: 50, Every: time.Minute},
		PerBusiness: magiclink.Rate{Burst: 40, Every: 90 * time.Second},
		PerTenant:   magiclink.Rate{Burst: 1000, Every: time.Second},
	}
}

// A program that is refused sees why, and after the reset its link is issued.
func TestLimitIsShownAndReset(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store, limited)
		for range 50 {
			l.link(t, jane)
		}
		issue := func() int {
			return l.issue(t, `{"business_id":"`+acme+`","email":"jane@example.com"}`, nil).status
		}
		require.Equal(t, http.StatusTooManyRequests, issue())
		tenant := object{
			"limit": "tenant", "burst": 1000.0, "every_ms": 1000.0, "left": 950.0, "retry_after_ms": 0.0, "full_at": "2026-03-14T12:00:57.000Z",
		}
		address := object{
			"limit": "address", "burst": 50.0, "every_ms": 60000.0, "left": 0.0, "retry_after_ms": 60000.0, "full_at": "2026-03-14T12:50:07.000Z",
		}
		business := object{
			"limit": "business", "burst": 40.0, "every_ms": 90000.0, "left": 40.0, "retry_after_ms": 0.0, "full_at": nil,
		}
		for query, want := range map[string][]any{
			"?email=jane@EXAMPLE.com": {address, tenant}, "": {tenant}, "?business_id=" + acme: {business, tenant},
			"?external_business_id=acme&x=y": {business, tenant}, "?business_id=" + acme + "&external_business_id=acme": {business, tenant},
		} {
			require.Equal(t, object{"limits": want}, l.data(t, "GET", limits+query, ""), query)
		}
		require.Equal(t, object{"limits": []any{business}}, l.data(t, "GET", limits+"?business_id="+acme, "", scopedTo(acme)))
		require.Equal(t, http.StatusTooManyRequests, issue(), "the control: nobody has reset it")
		for range 2 {
			require.Equal(t, object{"reset": 1.0}, l.data(t, "POST", resetLimit, `{"email":"Jane@example.com"}`))
		}
		require.Equal(t, http.StatusCreated, issue())
		left := l.data(t, "GET", limits, "")["limits"].([]any)[0].(object)["left"]
		require.Equal(t, 949.0, left, "that of the tenant was not reset")
	})
}

// What is not the caller's is not seen and not reset, and looks like what is not there.
func TestLimitsOfOthers(t *testing.T) {
	external := map[string]string{acme: "acme", globex: "globex", other: "acme"}
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store, limited)
		own, foreign := 0, 0
		for _, v := range views {
			unknown := l.ask(t, "GET", limits+"?business_id="+nobody, "", v.change...)
			require.Equal(t, http.StatusNotFound, unknown.status)
			for _, w := range []whose{{"t1", acme, ""}, {"t1", globex, ""}, {"t2", other, ""}, jane, {"t2", other, "joe@example.com"}} {
				name := map[string]string{"business_id": w.business, "external_business_id": external[w.business]}
				if w.email != "" {
					name = map[string]string{"email": w.email}
				}
				for field, value := range name {
					l.link(t, w)
					sees := v.owns(w) && (w.email == "" || !strings.Contains(v.name, " of "))
					got := l.ask(t, "GET", limits+"?"+field+"="+value, "", v.change...)
					reset := l.ask(t, "POST", resetLimit, `{"`+field+`":"`+value+`"}`, v.change...)
					checkServed(t, "GET", limits, got)
					checkServed(t, "POST", resetLimit, reset)
					if sees {
						require.Equal(t, []int{200, 200}, []int{got.status, reset.status}, "%s: %v", v.name, w)
						require.Contains(t, string(got.body), `"full_at":"2026`)
					} else if got.status == http.StatusNotFound {
						require.Equal(t, string(unknown.body), string(got.body), "%s: %v", v.name, w)
						require.Equal(t, string(unknown.body), string(reset.body))
					}
					require.Equal(t, sees, l.isWhole(t, w), "%s resets %v by %s", v.name, w, field)
					if sees {
						own++
					} else {
						foreign++
					}
				}
			}
		}
		require.Greater(t, own, 10, "the control")
		require.Greater(t, foreign, 30)
	})
}

// isWhole reports whether the limit of a subject is as new.
func (l *life) isWhole(tb testing.TB, w whose) bool {
	tb.Helper()
	states, err := l.all.Issuer().Limits(tb.Context(), magiclink.Caller{TenantID: w.tenant}, magiclink.Subject{BusinessID: w.business, Email: w.email})
	require.NoError(tb, err)
	return states[0].FullAt.IsZero()
}

// A caller that is confined to one business sees neither the limit of an address nor that of the tenant.
func TestSharedLimitsOfAScopedCaller(t *testing.T) {
	l := newLife(t, memory.New(), limited)
	l.link(t, jane)
	for _, query := range []string{"", "?email=jane@example.com", "?business_id=" + globex, "?external_business_id=globex"} {
		got := l.ask(t, "GET", limits+query, "", scopedTo(acme))
		require.Equal(t, http.StatusNotFound, got.status, query)
		checkServed(t, "GET", limits, got)
	}
	require.Equal(t, http.StatusNotFound, l.ask(t, "POST", resetLimit, `{"email":"jane@example.com"}`, scopedTo(acme)).status)
	require.False(t, l.isWhole(t, jane))
	require.Equal(t, object{"reset": 1.0}, l.data(t, "POST", resetLimit, `{"external_business_id":"acme"}`, scopedTo(acme)), "the control")
}

func TestLimitRequestsThatBreakTheirRule(t *testing.T) {
	l := newLife(t, memory.New(), limited)
	l.link(t, jane)
	for query, want := range map[string]string{
		"email=": "email:email", "email=x": "email:email", "email=a@example.com&email=a@example.com": "email:once",
		"business_id=x": "business_id:biz_string", "external_business_id=": "external_business_id:plaintext",
		"email=jane@example.com&business_id=" + acme:       "email:excluded_with",
		"email=jane@example.com&external_business_id=acme": "email:excluded_with",
		"email=%zz": "", "a;b": "",
	} {
		got := l.send(t, l.rawQuery(t, limits, query))
		require.Equal(t, http.StatusUnprocessableEntity, got.status, query)
		checkServed(t, "GET", limits, got)
		require.Equal(t, strings.Fields(want), append([]string{}, brokenFields(t, got)...), query)
	}
	for body, want := range map[string]string{
		`{}`: "email:required_without", `{"email":null}`: "email:type", `{"email":"x"}`: "email:email",
		`{"email":"jane@example.com","business_id":"` + acme + `"}`: "email:excluded_with",
		`{"business_id":"x"}`: "business_id:biz_string", `{"tenant":true}`: "", `{"email":"jane@example.com","x":1}`: "",
		`{"tenant_id":"t1"}`: "", `[]`: "", `{"email":"jane@example.com","email":"jane@example.com"}`: "",
	} {
		got := l.ask(t, "POST", resetLimit, body)
		require.Equal(t, http.StatusUnprocessableEntity, got.status, body)
		checkServed(t, "POST", resetLimit, got)
		require.Equal(t, strings.Fields(want), append([]string{}, brokenFields(t, got)...), body)
	}
	require.False(t, l.isWhole(t, jane))
	require.Equal(t, object{"reset": 1.0}, l.data(t, "POST", resetLimit, `{"email":"jane@example.com"}`), "the control")
	require.True(t, l.isWhole(t, jane))
}

// A directory that does not answer is an outage, for a business alone.
func TestLimitsWithoutTheDirectory(t *testing.T) {
	l := newLife(t, memory.New(), limited, func(c *httpadapter.ServiceConfig) { c.Config.Businesses = brokenDirectory })
	require.Equal(t, http.StatusServiceUnavailable, l.ask(t, "GET", limits+"?business_id="+acme, "").status)
	require.Equal(t, http.StatusServiceUnavailable, l.ask(t, "POST", resetLimit, `{"external_business_id":"acme"}`).status)
	require.Len(t, l.data(t, "GET", limits+"?email=jane@example.com", "")["limits"], 2)
}
