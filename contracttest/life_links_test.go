package contracttest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

const (
	links    = httpadapter.LinksPath
	sessions = httpadapter.SessionsAPIPath
)

// Every member is there in every state, with a null for what is not set, and times have one format.
func TestLinkInEachState(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store)
		full := func(in *magiclink.MagicLinkCreate) {
			in.Email, in.Path = "Jane@EXAMPLE.com", "/reports?y=1#top"
		}
		l.clock.Add(int64(123456789))
		old, _ := l.link(t, jane)
		l.clock.Add(int64(10 * time.Minute))
		live, _ := l.link(t, jane, full)
		used, _ := l.session(t, jane)
		over, _ := l.session(t, jane, func(in *magiclink.MagicLinkCreate) { in.SessionTimeout = 1 })
		revoked, _ := l.link(t, whose{"t1", acme, ""})
		l.data(t, "POST", links+"/"+revoked+"/revoke", "")
		l.clock.Add(int64(2 * time.Second))

		const issued, expires = "2026-03-14T12:10:07.123Z", "2026-03-14T12:15:07.000Z"
		shown := func(id, state string, change ...any) object {
			want := object{
				"magic_link_id": id, "business_id": acme, "external_business_id": "acme", "email": "jane@example.com", "path": nil,
				"state": state, "created_at": issued, "expires_at": expires, "consumed_at": nil, "revoked_at": nil,
			}
			for n := 0; n < len(change); n += 2 {
				want[change[n].(string)] = change[n+1]
			}
			return want
		}
		all := map[string]object{
			old:     shown(old, "expired", "created_at", "2026-03-14T12:00:07.123Z", "expires_at", "2026-03-14T12:05:07.000Z"),
			live:    shown(live, "live", "email", "Jane@example.com", "path", "/reports?y=1#top"),
			used:    shown(used, "used", "consumed_at", issued),
			over:    shown(over, "used", "consumed_at", issued),
			revoked: shown(revoked, "revoked", "email", nil, "revoked_at", issued),
		}
		listed := l.data(t, "GET", links, "")
		require.Nil(t, listed["next_cursor"])
		require.Len(t, listed["magic_links"], len(all))
		for _, link := range listed["magic_links"].([]any) {
			id := link.(object)["magic_link_id"].(string)
			require.Equal(t, all[id], link)
			require.Equal(t, all[id], l.data(t, "GET", links+"/"+id, ""))
		}
		for state, want := range map[string][]string{
			"live": {live}, "used": {used, over}, "revoked": {revoked}, "expired": {old},
		} {
			require.ElementsMatch(t, want, idsIn(l.data(t, "GET", links+"?state="+state, ""), "magic_links", "magic_link_id"), state)
		}
		require.Equal(t, object{"sessions": []any{object{
			"session_id": sessionIDOf(used), "magic_link_id": used, "business_id": acme, "external_business_id": "acme",
			"email": "jane@example.com", "created_at": "2026-03-14T12:10:07.000Z", "expires_at": "2026-03-14T13:10:07.000Z",
		}}, "next_cursor": nil}, l.data(t, "GET", sessions, ""))
	})
}

func TestRevokedLinkCannotBeUsed(t *testing.T) {
	l := newLife(t, memory.New())
	id, token := l.link(t, jane)
	for range 2 {
		require.Equal(t, object{"magic_link_id": id, "state": "revoked"}, l.data(t, "POST", links+"/"+id+"/revoke", ""))
	}
	_, err := l.all.Redeemer().Redeem(t.Context(), token)
	require.ErrorIs(t, err, magiclink.ErrRevoked)
	_, control := l.link(t, jane)
	_, err = l.all.Redeemer().Redeem(t.Context(), control)
	require.NoError(t, err)
}

func (l *life) lasts(tb testing.TB, sessionToken string) bool {
	tb.Helper()
	got := l.send(tb, at("GET", httpadapter.SessionPath, "Authorization", "Bearer "+sessionToken))
	require.Contains(tb, []int{http.StatusOK, http.StatusUnauthorized}, got.status)
	return got.status == http.StatusOK
}

// Each way to end a session ends it for every copy of its token, and no other session.
func TestSessionIsEnded(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		for name, end := range map[string]func(l *life, id string){
			"as a session": func(l *life, id string) {
				want := object{"session_id": sessionIDOf(id), "state": "revoked"}
				require.Equal(t, want, l.data(t, "POST", sessions+"/"+sessionIDOf(id)+"/revoke", ""))
			},
			"as a link": func(l *life, id string) { l.data(t, "POST", links+"/"+id+"/revoke", "") },
			"by its address": func(l *life, _ string) {
				require.Equal(t, object{"revoked": 1.0}, l.data(t, "POST", links+"/revoke", `{"email":"joe@EXAMPLE.com"}`))
			},
		} {
			l := newLife(t, store, func(c *httpadapter.ServiceConfig) { c.Config.SessionRecheck = 0 })
			other, stays := l.session(t, jane)
			id, token := l.session(t, whose{"t1", acme, "joe@example.com"})
			require.True(t, l.lasts(t, token))
			end(l, id)
			require.False(t, l.lasts(t, token), name)
			require.True(t, l.lasts(t, stays), "the control")
			end = func(l *life, id string) { l.data(t, "POST", sessions+"/"+sessionIDOf(id)+"/revoke", "") }
			end(l, id) // ending a session again is 200
			listed := idsIn(l.data(t, "GET", sessions, ""), "sessions", "magic_link_id")
			require.NotContains(t, listed, id)
			require.Contains(t, listed, other)
		}
	})
}

// The Sessions that the service has verified with remember nothing of a session that ended here.
func TestSessionEndsAtOnceHereInSpiteOfARecheck(t *testing.T) {
	l := newLife(t, memory.New(), func(c *httpadapter.ServiceConfig) { c.Config.SessionRecheck = time.Hour })
	id, token := l.session(t, jane)
	require.True(t, l.lasts(t, token))
	l.data(t, "POST", sessions+"/"+sessionIDOf(id)+"/revoke", "")
	require.False(t, l.lasts(t, token))
}

func TestWhatIsNoSession(t *testing.T) {
	l := newLife(t, memory.New())
	unused, _ := l.link(t, jane)
	revoked, _ := l.link(t, jane)
	l.data(t, "POST", links+"/"+revoked+"/revoke", "")
	over, _ := l.session(t, jane, func(in *magiclink.MagicLinkCreate) { in.SessionTimeout = 1 })
	lasting, _ := l.session(t, jane)
	l.clock.Add(int64(time.Second))
	var bodies []string
	for _, id := range []string{
		sessionIDOf(unused), sessionIDOf(revoked), sessionIDOf(over), lasting, "ses_", "ses_x", "SES_" + lasting[4:], lasting[4:],
		sessionIDOf(lasting) + "x", sessionIDOf(lasting)[:25], "ses_" + lasting, "%00", "ses_%ff",
	} {
		got := l.ask(t, "POST", sessions+"/"+id+"/revoke", "")
		require.Equal(t, http.StatusNotFound, got.status, id)
		bodies = append(bodies, string(got.body))
	}
	require.Len(t, slices.Compact(bodies), 1)
	require.Equal(t, magiclink.StateLive, l.state(t, unused))
	require.Equal(t, magiclink.StateSession, l.state(t, lasting))
	l.data(t, "POST", sessions+"/"+sessionIDOf(lasting)+"/revoke", "")
}

// A session counts in whole seconds, as its token does, and the record of its link in milliseconds.
func TestSessionThatIsOverBeforeItsRecord(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store)
		l.clock.Add(int64(900 * time.Millisecond))
		id, token := l.session(t, jane, func(in *magiclink.MagicLinkCreate) { in.SessionTimeout = 2 })
		l.clock.Add(int64(time.Second))
		require.True(t, l.lasts(t, token))
		require.Len(t, l.data(t, "GET", sessions, "")["sessions"], 1, "the control")
		l.clock.Add(int64(200 * time.Millisecond))
		require.False(t, l.lasts(t, token))
		require.Equal(t, magiclink.StateSession, l.state(t, id))
		require.Empty(t, l.data(t, "GET", sessions, "")["sessions"])
		require.Equal(t, http.StatusNotFound, l.ask(t, "POST", sessions+"/"+sessionIDOf(id)+"/revoke", "").status)
	})
}

// A link that a newer one has ended is a revoked one, and no session came from it.
func TestSupersededLink(t *testing.T) {
	l := newLife(t, memory.New(), func(c *httpadapter.ServiceConfig) { c.Config.Supersede = true })
	l.step = time.Millisecond
	first, _ := l.link(t, jane)
	second, _ := l.link(t, jane)
	require.Equal(t, "revoked", l.data(t, "GET", links+"/"+first, "")["state"])
	require.Nil(t, l.data(t, "GET", links+"/"+first, "")["consumed_at"])
	require.Equal(t, "live", l.data(t, "GET", links+"/"+second, "")["state"])
	require.Equal(t, http.StatusNotFound, l.ask(t, "POST", sessions+"/"+sessionIDOf(first)+"/revoke", "").status)
}

func TestMalformedIDOfALink(t *testing.T) {
	l := newLife(t, memory.New())
	id, _ := l.link(t, jane)
	want := string(l.ask(t, "GET", links+"/mlk_"+strings.Repeat("2", 22), "").body)
	for _, malformed := range []string{
		"x", "mlk_", id + "x", id[:25], sessionIDOf(id), "idk_" + id[4:], strings.ToUpper(id), "%20" + id, id + "%00", "..", ".", "%2e%2e",
		"'%20or%201=1--", "mlk_" + strings.Repeat("2", 5000), "%ff", "*", "mlk_%25",
	} {
		for _, r := range []request{
			l.request(t, "GET", links+"/"+malformed, ""), l.request(t, "POST", links+"/"+malformed+"/revoke", ""),
		} {
			got := l.send(t, r)
			require.Equal(t, http.StatusNotFound, got.status, malformed)
			if !strings.Contains(string(got.body), "nothing at this path") {
				require.Equal(t, want, string(got.body))
			}
		}
	}
	require.Equal(t, magiclink.StateLive, l.state(t, id))
}
