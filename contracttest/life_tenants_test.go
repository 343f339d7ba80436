package contracttest

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// view is a caller, and what it may see and end.
type view struct {
	name   string
	change []func(*magiclink.AccessToken)
	owns   func(whose) bool
}

var views = []view{
	{"t1", nil, func(w whose) bool { return w.tenant == "t1" }},
	{"t2", []func(*magiclink.AccessToken){ofTenant("t2")}, func(w whose) bool { return w.tenant == "t2" }},
	{"acme of t1", []func(*magiclink.AccessToken){scopedTo(acme)}, func(w whose) bool { return w.tenant == "t1" && w.business == acme }},
	{"globex of t1", []func(*magiclink.AccessToken){scopedTo(globex)}, func(w whose) bool { return w.tenant == "t1" && w.business == globex }},
	{"t1, scoped to a business of t2", []func(*magiclink.AccessToken){scopedTo(other)}, func(whose) bool { return false }},
	{"t1, scoped to nobody", []func(*magiclink.AccessToken){scopedTo(nobody)}, func(whose) bool { return false }},
	{"t3", []func(*magiclink.AccessToken){ofTenant("t3")}, func(whose) bool { return false }},
	{"T1", []func(*magiclink.AccessToken){ofTenant("T1")}, func(whose) bool { return false }},
	{"no tenant", []func(*magiclink.AccessToken){ofTenant("")}, func(whose) bool { return false }},
}

// owners name the same people and the same external id in two tenants.
var owners = []whose{
	jane, {"t1", globex, "jane@example.com"}, {"t1", acme, ""}, {"t2", other, "jane@example.com"}, {"t2", other, "joe@example.com"},
}

var filters = []string{
	"", "email=jane@example.com", "business_id=" + acme, "business_id=" + globex, "business_id=" + other, "external_business_id=acme",
	"state=used", "state=live", "state=revoked", "limit=1", "cursor=" + encode([]byte("1mlk_zzzzzzzzzzzzzzzzzzzzzz")),
}

// What is not the caller's cannot be seen by any route, and looks like what is not there.
func TestNothingOfOthersIsSeen(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store)
		ofOwner := map[string]whose{}
		for _, w := range owners {
			for range 3 {
				live, _ := l.link(t, w)
				used, _ := l.session(t, w)
				ofOwner[live], ofOwner[used] = w, w
			}
		}
		leaks, own := 0, 0
		for _, v := range views {
			unknown := string(l.ask(t, "GET", links+"/mlk_2222222222222222222222", "", v.change...).body)
			for id, w := range ofOwner {
				got := l.ask(t, "GET", links+"/"+id, "", v.change...)
				require.Equal(t, v.owns(w), got.status == http.StatusOK, "%s: %s", v.name, got.body)
				if !v.owns(w) {
					require.Equal(t, unknown, string(got.body))
				}
			}
			for _, filter := range filters {
				ids := idsIn(l.data(t, "GET", links+"?"+filter, "", v.change...), "magic_links", "magic_link_id")
				ids = append(ids, idsIn(l.data(t, "GET", sessions+"?"+filter, "", v.change...), "sessions", "magic_link_id")...)
				for _, id := range ids {
					if v.owns(ofOwner[id]) {
						own++
					} else {
						leaks++
					}
				}
			}
		}
		require.Zero(t, leaks)
		require.Greater(t, own, 100, "the control: callers see their own")
	})
}

// What is not the caller's cannot be ended by any route. Each attempt on a foreign record is followed by one of its owner.
func TestNothingOfOthersIsEnded(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store)
		ended, refused := 0, 0
		for _, v := range views {
			for _, w := range owners {
				for name, end := range map[string]func(id string) answer{
					"the link": func(id string) answer { return l.ask(t, "POST", links+"/"+id+"/revoke", "", v.change...) },
					"the session": func(id string) answer {
						return l.ask(t, "POST", sessions+"/"+sessionIDOf(id)+"/revoke", "", v.change...)
					},
					"the business": func(string) answer {
						return l.ask(t, "POST", revokeSubject, `{"business_id":"`+w.business+`"}`, v.change...)
					},
					"the external business": func(string) answer {
						business := map[string]string{acme: "acme", globex: "globex", other: "acme"}[w.business]
						return l.ask(t, "POST", revokeSubject, `{"external_business_id":"`+business+`"}`, v.change...)
					},
					"the address": func(string) answer {
						email := w.email
						if email == "" {
							email = "jane@example.com"
						}
						return l.ask(t, "POST", revokeSubject, `{"email":"`+email+`"}`, v.change...)
					},
				} {
					id, token := l.session(t, w)
					got := end(id)
					want := v.owns(w) && !(name == "the address" && w.email == "")
					require.Equal(t, !want, l.lasts(t, token), "%s ends %s of %v: %s", v.name, name, w, got.body)
					require.Contains(t, []int{http.StatusOK, http.StatusNotFound}, got.status)
					if want {
						ended++
					} else {
						refused++
					}
				}
			}
		}
		require.Greater(t, ended, 30, "the control")
		require.Greater(t, refused, 100)
	})
}

// Ending what is foreign and ending what is unknown look the same.
func TestForeignAndUnknownLookTheSame(t *testing.T) {
	l := newLife(t, stores["sqlite"](t))
	foreign, _ := l.session(t, whose{"t2", other, "joe@example.com"})
	unknown := "mlk_2222222222222222222222"
	for _, change := range [][]func(*magiclink.AccessToken){nil, {scopedTo(acme)}} {
		for _, row := range []struct{ method, path, body string }{
			{"GET", links + "/{id}", ""}, {"POST", links + "/{id}/revoke", ""}, {"POST", sessions + "/{session}/revoke", ""},
		} {
			route := lifeRoute{path: below("", row.path)}
			first := l.ask(t, row.method, route.path(foreign), row.body, change...)
			second := l.ask(t, row.method, route.path(unknown), row.body, change...)
			require.Equal(t, http.StatusNotFound, first.status)
			first.header.Del("Date")
			second.header.Del("Date")
			require.Equal(t, first, second)
		}
		first := l.ask(t, "POST", revokeSubject, `{"email":"joe@example.com"}`, change...)
		second := l.ask(t, "POST", revokeSubject, `{"email":"nobody@example.com"}`, change...)
		require.Equal(t, string(first.body), string(second.body))
	}
	require.Equal(t, magiclink.StateSession, l.state(t, foreign))
}

// With AnyBusiness nobody knows which external id is that of which business. A token for one business sees what was recorded
// with the id of this business, and nothing else.
func TestTokenForOneBusinessWithAnyBusiness(t *testing.T) {
	l := newLife(t, stores["memory"](t), func(c *httpadapter.ServiceConfig) { c.Config.Businesses = magiclink.AnyBusiness })
	byID, _ := l.link(t, jane)
	both, _ := l.link(t, jane, func(in *magiclink.MagicLinkCreate) { in.ExternalBusinessID = "acme" })
	external, _ := l.link(t, whose{"t1", "", "jane@example.com"}, func(in *magiclink.MagicLinkCreate) { in.ExternalBusinessID = "acme" })
	for query, want := range map[string][]string{
		"": {byID, both}, "external_business_id=acme": {both}, "email=jane@example.com": {byID, both}, "business_id=" + globex: {},
	} {
		require.ElementsMatch(t, want, idsIn(l.data(t, "GET", links+"?"+query, "", scopedTo(acme)), "magic_links", "magic_link_id"))
	}
	require.ElementsMatch(t, []string{both, external},
		idsIn(l.data(t, "GET", links+"?external_business_id=acme", ""), "magic_links", "magic_link_id"), "the control")
	require.Equal(t, object{"revoked": 1.0}, l.data(t, "POST", revokeSubject, `{"external_business_id":"acme"}`, scopedTo(acme)))
	require.Equal(t, magiclink.StateLive, l.state(t, external))
}

// What belongs to a business that the directory has forgotten, or cannot look up now, is seen and ended all the same.
func TestNoDirectoryIsAsked(t *testing.T) {
	l := newLife(t, stores["memory"](t))
	id, _ := l.link(t, jane)
	broken := newLife(t, l.store.Store, func(c *httpadapter.ServiceConfig) { c.Config.Businesses = brokenDirectory })
	broken.clock.Add(int64(time.Second))
	require.Equal(t, []string{id}, idsIn(broken.data(t, "GET", links+"?external_business_id=acme", ""), "magic_links", "magic_link_id"))
	require.Equal(t, object{"revoked": 1.0}, broken.data(t, "POST", revokeSubject, `{"business_id":"`+acme+`"}`))
}
