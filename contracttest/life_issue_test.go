package contracttest

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// issue asks for a link with an Idempotency-Key, or with several, and holds the answer against the document.
func (l *life) issue(tb testing.TB, text string, keys []string, change ...func(*magiclink.AccessToken)) answer {
	tb.Helper()
	r := l.request(tb, "POST", httpadapter.IssuePath, text, change...)
	if keys != nil {
		r.header["Idempotency-Key"] = keys
	}
	got := l.send(tb, r)
	checkServed(tb, "POST", httpadapter.IssuePath, got)
	return got
}

func linkIn(tb testing.TB, got answer) object {
	tb.Helper()
	data := got.members(tb, "data")["data"].(object)
	require.Len(tb, data, 2)
	require.Regexp(tb, `^mlk_[2-9A-HJ-NP-Za-km-z]{22}$`, data["magic_link_id"])
	return data
}

// A repeated request issues nothing and gets the id of the first link, as long as the link lives.
func TestIssueOnce(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store)
		key := []string{"5fe0a0c6-8bd9"}
		first := l.issue(t, goodBody, key)
		require.Equal(t, http.StatusCreated, first.status)
		issued := linkIn(t, first)
		for _, again := range []string{goodBody, " " + goodBody, `{"business_id":"` + acme + `","ttl":5,"path":null}`} {
			got := l.issue(t, again, key)
			require.Equal(t, http.StatusOK, got.status, again)
			require.Equal(t, object{"magic_link": nil, "magic_link_id": issued["magic_link_id"]}, linkIn(t, got))
		}
		for _, different := range []string{
			`{"business_id":"` + globex + `"}`, `{"business_id":"` + acme + `","ttl":6}`, `{"business_id":"` + acme + `","email":"jane@example.com"}`,
			`{"business_id":"` + acme + `","path":"/x"}`, `{"business_id":"` + acme + `","session_timeout":5}`,
		} {
			got := l.issue(t, different, key)
			require.Equal(t, http.StatusUnprocessableEntity, got.status, different)
			require.Empty(t, brokenFields(t, got))
			require.Contains(t, string(got.body), "Idempotency-Key")
		}
		require.Len(t, l.data(t, "GET", links, "")["magic_links"], 1)

		for name, other := range map[string][]func(*magiclink.AccessToken){
			"another client": {func(a *magiclink.AccessToken) { a.ClientID = "till" }},
			"a client whose id and key look the same": {func(a *magiclink.AccessToken) { a.ClientID = "cr" }},
		} {
			otherKey := key
			if strings.HasPrefix(name, "a client") {
				otherKey = []string{"m" + key[0]}
			}
			got := l.issue(t, goodBody, otherKey, other...)
			require.Equal(t, http.StatusCreated, got.status, name)
			require.NotEqual(t, issued["magic_link_id"], linkIn(t, got)["magic_link_id"])
		}
		got := l.issue(t, `{"external_business_id":"acme"}`, key, ofTenant("t2"))
		require.Equal(t, http.StatusCreated, got.status, "a client of another tenant")
		require.Equal(t, http.StatusCreated, l.issue(t, goodBody, []string{"another"}).status)
		require.Equal(t, http.StatusCreated, l.issue(t, goodBody, nil).status)
		require.Equal(t, http.StatusCreated, l.issue(t, goodBody, nil).status)
	})
}

// What a client does whose answer was lost: it revokes the link that it never got, and issues another one.
func TestClientWhoseAnswerWasLost(t *testing.T) {
	l := newLife(t, memory.New())
	lost := linkIn(t, l.issue(t, goodBody, []string{"k1"}))
	id := linkIn(t, l.issue(t, goodBody, []string{"k1"}))["magic_link_id"].(string)
	l.data(t, "POST", links+"/"+id+"/revoke", "")
	fresh := linkIn(t, l.issue(t, goodBody, []string{"k2"}))
	_, err := l.all.Redeemer().Redeem(t.Context(), magiclink.TokenOf(lost["magic_link"].(string)))
	require.ErrorIs(t, err, magiclink.ErrRevoked)
	_, err = l.all.Redeemer().Redeem(t.Context(), magiclink.TokenOf(fresh["magic_link"].(string)))
	require.NoError(t, err)
}

func TestMalformedIdempotencyKey(t *testing.T) {
	l := newLife(t, memory.New())
	for _, keys := range [][]string{
		{""}, {"a b"}, {"ü"}, {strings.Repeat("k", 256)}, {"a", "a"}, {"a\tb"}, {"a", "b"},
	} {
		got := l.issue(t, goodBody, keys)
		require.Equal(t, http.StatusUnprocessableEntity, got.status, "%q", keys)
		require.Empty(t, brokenFields(t, got))
	}
	require.Empty(t, l.data(t, "GET", links, "")["magic_links"])
	for _, key := range []string{"k", strings.Repeat("k", 255), "!~"} {
		require.Equal(t, http.StatusCreated, l.issue(t, goodBody, []string{key}).status)
	}
	large := goodBody + strings.Repeat(" ", limit)
	require.Equal(t, http.StatusRequestEntityTooLarge, l.issue(t, large, []string{""}).status, "the size is judged first")
	require.Equal(t, http.StatusForbidden, l.issue(t, goodBody, []string{""}, holding("auth:read")).status)
}

// Of many requests at once with one key, one gets the link, and all get one id.
func TestRacingRequestsWithOneKey(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store)
		r := l.request(t, "POST", httpadapter.IssuePath, goodBody)
		r.header.Set("Idempotency-Key", "k")
		answers := make([]answer, 40)
		var group sync.WaitGroup
		for n := range answers {
			group.Go(func() { answers[n] = l.send(t, r) })
		}
		group.Wait()
		created, ids := 0, map[any]bool{}
		for _, got := range answers {
			require.Contains(t, []int{http.StatusOK, http.StatusCreated}, got.status, "%s", got.body)
			data := linkIn(t, got)
			require.Equal(t, got.status == http.StatusCreated, data["magic_link"] != nil)
			if got.status == http.StatusCreated {
				created++
			}
			ids[data["magic_link_id"]] = true
		}
		require.Equal(t, 1, created)
		require.Len(t, ids, 1)
		require.Len(t, l.data(t, "GET", links, "")["magic_links"], 1)
	})
}

func TestIssueBeyondTheLimits(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store, func(c *httpadapter.ServiceConfig) {
			c.Config.Limits = magiclink.Limits{
				PerSubject: magiclink.Rate{Burst: 2, Every: 90 * time.Second}, PerTenant: magiclink.Rate{Burst: 4, Every: time.Hour},
			}
		})
		to := func(name string) string { return `{"business_id":"` + acme + `","email":"` + name + `@example.com"}` }
		refused := func(text, retryAfter string, change ...func(*magiclink.AccessToken)) {
			t.Helper()
			got := l.issue(t, text, nil, change...)
			require.Equal(t, http.StatusTooManyRequests, got.status, "%s", got.body)
			require.Equal(t, retryAfter, got.header.Get("Retry-After"))
			require.Nil(t, got.members(t, "error", "data")["data"])
		}
		require.Equal(t, http.StatusCreated, l.issue(t, to("jane"), []string{"k"}).status)
		require.Equal(t, http.StatusCreated, l.issue(t, to("jane"), nil).status)
		refused(to("jane"), "90")
		l.clock.Add(int64(500 * time.Millisecond))
		refused(to("JANE"), "90") // rounded up
		require.Equal(t, http.StatusOK, l.issue(t, to("jane"), []string{"k"}).status, "a repetition counts nothing")
		require.Equal(t, http.StatusUnprocessableEntity, l.issue(t, to(""), nil).status, "an input is judged first")
		require.Equal(t, http.StatusCreated, l.issue(t, to("joe"), nil).status)
		require.Equal(t, http.StatusCreated, l.issue(t, to("jim"), nil).status)
		refused(to("joe"), "3600") // of the tenant
		require.Equal(t, http.StatusCreated, l.issue(t, `{"business_id":"`+other+`"}`, nil, ofTenant("t2")).status)
		require.Empty(t, l.log.String())
	})
}
