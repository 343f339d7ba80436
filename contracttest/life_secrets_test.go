package contracttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// Neither the log nor an event holds an address, a path, a token or a link, and no answer holds a token or a link.
func TestRoutesOfLifeKeepSecrets(t *testing.T) {
	onEveryStore(t, func(t *testing.T, store magiclink.Store) {
		l := newLife(t, store, limited)
		const email = "canary.mail@example.com"
		secretive := func(in *magiclink.MagicLinkCreate) { in.Path = "/canary-path" }
		answers := map[int]int{}
		var said strings.Builder
		asks := func() {
			id, token := l.link(t, whose{"t1", acme, email}, secretive)
			used, sessionToken := l.session(t, whose{"t1", acme, email}, secretive)
			l.store.set(nil)
			for _, fault := range []error{nil, errOutage, magiclink.ErrUnsupported, fmt.Errorf("x: %w", magiclink.ErrUnknownOutcome)} {
				l.store.set(fault)
				for _, r := range []request{
					l.request(t, "GET", links+"?email="+email, ""), l.request(t, "GET", links+"?email="+email+"&cursor=canary", ""),
					l.request(t, "GET", links+"?external_business_id=canary&x="+token, ""), l.request(t, "GET", links+"/"+id, ""),
					l.request(t, "GET", links+"?email=canary.mail&state=canary", ""), l.request(t, "GET", links+"/canary", ""),
					l.request(t, "GET", sessions+"?email="+email, ""), l.request(t, "GET", sessions+"?access_token=canary", ""),
					l.request(t, "POST", revokeSubject, `{"email":"`+email+`","canary":"`+email+`"}`),
					l.request(t, "POST", revokeSubject, `{"email":"nobody.`+email+`"}`), l.request(t, "POST", links+"/canary/revoke", ""),
					l.request(t, "POST", sessions+"/ses_canary/revoke", ""), l.request(t, "GET", links+"?email="+email, "", holding("canary")),
					l.request(t, "POST", sessions+"/"+sessionIDOf(used)+"/revoke", ""), l.request(t, "POST", links+"/"+id+"/revoke", ""),
					l.request(t, "GET", limits+"?email="+email, ""), l.request(t, "GET", limits+"?external_business_id=canary", ""),
					l.request(t, "POST", limits+"/reset", `{"email":"`+email+`"}`), l.request(t, "GET", limits+"?email=canary", ""),
				} {
					got := l.send(t, r)
					answers[got.status]++
					for _, secret := range []string{token, sessionToken, "eyJ", "/magic?"} {
						require.NotContains(t, string(got.body), secret)
					}
				}
			}
			l.store.set(nil)
			require.Equal(t, http.StatusOK, l.ask(t, "POST", revokeSubject, `{"email":"`+email+`"}`).status)
			for _, event := range l.told() {
				text, err := json.Marshal(event)
				require.NoError(t, err)
				said.Write(text)
			}
		}
		asks()
		for _, status := range []int{200, 401, 403, 404, 422, 501, 503} {
			require.Positive(t, answers[status], "control: %d was among the answers", status)
		}
		require.Contains(t, l.log.String(), errOutage.Error())
		require.Contains(t, said.String(), `"Op":"list"`)
		for _, secret := range []string{"canary", "example.com", "eyJ", "/magic"} {
			require.NotContains(t, l.log.String(), secret)
			require.NotContains(t, said.String(), secret)
		}
	})
}

// Events say which client has asked, or which session has ended itself.
func TestEventsNameWhoAsked(t *testing.T) {
	l := newLife(t, memory.New())
	till := func(a *magiclink.AccessToken) { a.ClientID = "till" }
	id, _ := l.session(t, jane)
	l.told()
	for _, row := range []struct {
		method, path, body string
		ops                []magiclink.Op
	}{
		{"POST", httpadapter.IssuePath, goodBody, []magiclink.Op{magiclink.OpIssue}},
		{"GET", links, "", []magiclink.Op{magiclink.OpList}},
		{"GET", links + "/" + id, "", []magiclink.Op{magiclink.OpGet}},
		{"GET", sessions, "", []magiclink.Op{magiclink.OpList}},
		{"POST", sessions + "/" + sessionIDOf(id) + "/revoke", "", []magiclink.Op{magiclink.OpGet, magiclink.OpEnd}},
		{"POST", links + "/" + id + "/revoke", "", []magiclink.Op{magiclink.OpRevoke}},
		{"POST", revokeSubject, `{"email":"jane@example.com"}`, []magiclink.Op{magiclink.OpRevokeAll}},
		{"GET", limits + "?email=jane@example.com", "", []magiclink.Op{magiclink.OpLimits}},
		{"POST", limits + "/reset", `{"email":"jane@example.com"}`, []magiclink.Op{magiclink.OpResetLimit}},
	} {
		require.Less(t, l.ask(t, row.method, row.path, row.body, till).status, 300)
		var ops []magiclink.Op
		for _, event := range l.told() {
			require.Equal(t, "client:till", event.Actor, row.path)
			require.Equal(t, "t1", event.TenantID)
			ops = append(ops, event.Op)
		}
		require.Equal(t, row.ops, ops, row.path)
	}
	id, token := l.session(t, jane)
	l.told()
	require.Equal(t, http.StatusSeeOther, l.send(t, at("POST", httpadapter.LogoutPath, "Authorization", "Bearer "+token)).status)
	events := l.told()
	require.Len(t, events, 1)
	require.Equal(t, magiclink.OpEnd, events[0].Op)
	require.Equal(t, "session:"+sessionIDOf(id), events[0].Actor)
}
