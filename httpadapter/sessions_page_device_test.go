package httpadapter_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/language"
)

const (
	agentWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
	agentIPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
	agentPhone   = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
)

// newDevices is a site with the page of sessions.
func newDevices(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	sessions, err := magiclink.NewSessions(magiclink.Config{ // on the store that can list
		BaseURL: s.redeemer.BaseURL(), Keys: seededKeyring(t), Store: s.store.Store, Now: s.now,
	})
	require.NoError(t, err)
	page, err := httpadapter.NewSessionsPage(httpadapter.SessionsPageConfig{Sessions: sessions, Logger: s.logger})
	require.NoError(t, err)
	s.mux.Handle(httpadapter.SessionsPath, page)
	return s
}

// on signs in with a User-Agent, in a new browser.
func (s *site) on(agent string) *browser {
	s.tb.Helper()
	link, _ := s.link(create)
	b := s.browser()
	require.Equal(s.tb, http.StatusSeeOther, b.click(link, "User-Agent", agent).status)
	return b
}

// redeemJSON redeems a link by the JSON route with a User-Agent.
func (s *site) redeemJSON(link, agent string, headers ...string) view {
	s.tb.Helper()
	body := `{"token":"` + tokenOf(s.tb, link) + `"}`
	return s.browser().send(http.MethodPost, s.server.URL+httpadapter.RedeemPath, body,
		append([]string{"Content-Type", "application/json", "User-Agent", agent}, headers...)...)
}

// titles are the first lines of the rows of a page.
func (v view) titles() (list []string) {
	for _, row := range rowsOf.FindAllString(v.body, -1) {
		_, rest, _ := strings.Cut(row, `">`)
		title, _, _ := strings.Cut(rest, "</p>")
		list = append(list, title)
	}
	return list
}

// Each session is shown with the device that the link was redeemed on, whichever route redeemed it.
func TestSessionsPageDevices(t *testing.T) {
	s := newDevices(t)
	mine := s.on(agentWindows)
	s.on(agentIPhone)
	link, _ := s.link(create)
	require.Equal(t, http.StatusOK, s.redeemJSON(link, agentPhone).status)
	s.on("curl/8.9")
	s.on("Mozilla/5.0 (iPhone) AppleWebKit Mobile/15E148")
	shown := mine.get(s.server.URL + httpadapter.SessionsPath)
	require.Equal(t, http.StatusOK, shown.status, shown.body+s.log.String())
	got := shown.titles()
	require.Equal(t, "<bdi>Firefox</bdi> on <bdi>Windows</bdi> · This browser", got[0])
	require.ElementsMatch(t, []string{
		"<bdi>Safari</bdi> on <bdi>iPhone</bdi>", "<bdi>Chrome</bdi> on <bdi>Android</bdi>", "<bdi>iPhone</bdi>", "Unknown device",
	}, got[1:])
	unknown := s.on("")
	require.Equal(t, "This browser", unknown.get(s.server.URL + httpadapter.SessionsPath).titles()[0])
}

// The names of browsers and systems stay as they are, and the words between them are in the language of the page.
func TestSessionsPageDeviceLanguages(t *testing.T) {
	s := newDevices(t)
	mine := s.on(agentWindows)
	s.on("curl/8.9")
	seen := map[string]string{}
	for _, tag := range language.All {
		got := mine.send(http.MethodGet, s.server.URL+httpadapter.SessionsPath, "", "Accept-Language", tag).titles()
		require.Len(t, got, 2, tag)
		require.Contains(t, got[0], "<bdi>Firefox</bdi>", tag)
		require.Contains(t, got[0], "<bdi>Windows</bdi>", tag)
		require.NotContains(t, got[1], "<bdi>")
		require.Empty(t, seen[got[1]], "%s and %s", tag, seen[got[1]])
		seen[got[1]] = tag
	}
	require.Equal(t, "de", seen["Unbekanntes Gerät"])
}

// Nothing that a User-Agent holds reaches the page, the log, an event or the store. The person is signed in.
func TestHostileUserAgents(t *testing.T) {
	const canary = "CanaryAgent"
	for _, agent := range []string{
		agentWindows + " " + canary, canary + hostile, canary + " \u202e\u2066gnp.exe", canary + "\xff\xfe", canary + strings.Repeat("x", 1<<19),
		hostile + " Firefox/" + canary + " Windows", canary + " on " + canary,
	} {
		s := newDevices(t)
		b := s.on(agent)
		link, _ := s.link(create)
		require.Equal(t, http.StatusOK, s.redeemJSON(link, agent).status)
		got := b.get(s.server.URL + httpadapter.SessionsPath)
		require.Len(t, got.titles(), 2)
		require.NotContains(t, got.body, canary)
		require.NotContains(t, got.body, "<img")
		require.NotContains(t, got.body, "\u202e")
		require.NotContains(t, s.log.String(), canary)
		events, err := json.Marshal(s.events)
		require.NoError(t, err)
		require.NotContains(t, string(events), canary)
		records, err := s.store.Store.(magiclink.Lister).List(t.Context(), magiclink.ListQuery{
			Subject: magiclink.Subject{TenantID: "t1"}, At: noon, Limit: 10,
		})
		require.NoError(t, err)
		require.Len(t, records, 2)
		for _, record := range records {
			require.NotContains(t, record.ConsumedBy, canary)
			require.LessOrEqual(t, len(record.ConsumedBy), 128)
			require.NotEmpty(t, record.ConsumedBy)
		}
	}
}

// A repeated click or request is known by its secret: another User-Agent does not keep its sender out, and the same one lets nobody in.
func TestRepetitionWithAnotherUserAgent(t *testing.T) {
	s := newDevices(t)
	link, id := s.link(create)
	shown, stranger := s.browser().get(link), s.browser()
	theirs := stranger.get(link).form(t)
	for _, agent := range []string{agentWindows, agentIPhone, "curl/8.9", ""} {
		lost, cookie := s.browser().forgetful(shown)
		got := lost.post(shown.form(t), append(cookie, "User-Agent", agent)...)
		require.Equal(t, http.StatusSeeOther, got.status, agent)
		require.Equal(t, http.StatusGone, stranger.post(theirs, "User-Agent", agent).status, agent)
		session, err := s.sessions.Verify(t.Context(), got.cookie(httpadapter.SessionCookie).Value)
		require.NoError(t, err)
		require.Equal(t, [2]string{id, "Firefox on Windows"}, [2]string{session.MagicLinkID, session.Device}, "it stays that of the first click")
	}

	link, _ = s.link(create)
	for _, agent := range []string{agentWindows, agentIPhone, ""} {
		require.Equal(t, http.StatusOK, s.redeemJSON(link, agent, "Idempotency-Key", "k1").status, agent)
		require.Equal(t, http.StatusGone, s.redeemJSON(link, agent, "Idempotency-Key", "k2").status, agent)
		require.Equal(t, http.StatusGone, s.redeemJSON(link, agent).status, agent)
	}
}
