package main_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rows decodes what a list prints with -json.
func rows(t *testing.T, got result) (list []map[string]any) {
	t.Helper()
	require.Zero(t, got.code, got.stderr)
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &list), got.stdout)
	return list
}

// members collects one member of each row.
func members(list []map[string]any, name string) []any {
	values := []any{}
	for _, row := range list {
		values = append(values, row[name])
	}
	return values
}

func linkIDs(t *testing.T, folder string, args ...string) []any {
	t.Helper()
	return members(rows(t, command(t, folder, nil, append([]string{"links", "list", "-json"}, args...)...)), "magic_link_id")
}

// issuedFor issues a link for an address and returns its id and the link.
func issuedFor(t *testing.T, folder, email string, args ...string) (id, link string) {
	t.Helper()
	got := command(t, folder, nil, append([]string{"issue", "-external-business", "acme", "-email", email}, args...)...)
	require.Zero(t, got.code, got.stderr)
	link = strings.TrimSpace(got.stdout)
	seen := command(t, folder, nil, "redeem", "-inspect", link)
	require.Zero(t, seen.code, seen.stderr)
	var members struct {
		ID string `json:"magic_link_id"`
	}
	require.NoError(t, json.Unmarshal([]byte(seen.stdout), &members))
	return members.ID, link
}

// expireLink moves the expiry of one link into the past.
func expireLink(t *testing.T, folder, id string) {
	t.Helper()
	_, err := database(t, dataFile(folder, "magiclink.db")).Exec("UPDATE magiclink_links SET expires_at = 1 WHERE id = ?", id)
	require.NoError(t, err)
}

// The commands see and end what a running serve has issued, and serve sees what they end.
func TestLinksBesideServe(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, testClient)
	made := p.issue(p.token(), acme)
	require.Equal(t, http.StatusCreated, made.status, made.body)
	var body struct {
		Data struct {
			Link string `json:"magic_link"`
			ID   string `json:"magic_link_id"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal([]byte(made.body), &body))

	listed := rows(t, command(t, folder, nil, "links", "list", "-json"))
	require.Len(t, listed, 1)
	for name, want := range map[string]any{
		"magic_link_id": body.Data.ID, "tenant": "dev", "external_business_id": "acme", "email": "jane@example.com", "path": "/reports",
		"state": "live", "consumed_at": nil, "revoked_at": nil,
	} {
		require.Contains(t, listed[0], name)
		require.Equal(t, want, listed[0][name], name)
	}
	require.Equal(t, http.StatusOK, p.get(strings.TrimPrefix(body.Data.Link, p.origin)).status, "the control")
	revoked := command(t, folder, nil, "links", "revoke", body.Data.ID)
	require.Zero(t, revoked.code, revoked.stderr)
	require.Contains(t, revoked.stdout, "revoked the link "+body.Data.ID)
	require.Equal(t, http.StatusGone, p.get(strings.TrimPrefix(body.Data.Link, p.origin)).status)
	require.Zero(t, command(t, folder, nil, "links", "revoke", body.Data.ID).code, "again")
}

// show says what has become of a link, and what that means.
func TestLinksShow(t *testing.T) {
	folder := installed(t)
	live, _ := issuedFor(t, folder, "live@example.com")
	used, link := issuedFor(t, folder, "used@example.com")
	require.Zero(t, command(t, folder, nil, "redeem", link).code)
	ended, link := issuedFor(t, folder, "ended@example.com")
	require.Zero(t, command(t, folder, nil, "redeem", link).code)
	require.Zero(t, command(t, folder, nil, "sessions", "end", ended).code)
	over, link := issuedFor(t, folder, "over@example.com", "-session-timeout", "1")
	require.Zero(t, command(t, folder, nil, "redeem", link).code)
	revoked, _ := issuedFor(t, folder, "revoked@example.com")
	require.Zero(t, command(t, folder, nil, "links", "revoke", revoked).code)
	expired, _ := issuedFor(t, folder, "expired@example.com")
	expireLink(t, folder, expired)
	older, _ := issuedFor(t, folder, "twice@example.com")
	newer, _ := issuedFor(t, folder, "twice@example.com", "-supersede")
	require.Eventually(t, func() bool {
		return strings.Contains(command(t, folder, nil, "links", "show", over).stdout, " ago)\nState")
	}, 30*time.Second, 100*time.Millisecond, "the session of a second is over")

	for name, tt := range map[string]struct{ id, state, used, says string }{
		"live":       {live, "live", "by nobody", "The link can be used for 4 minutes more"},
		"newer":      {newer, "live", "by nobody", "The link can be used for"},
		"used":       {used, "used", "ago)", "the session that came from it lasts"},
		"over":       {over, "used", "ago)", "the person needs a new one to sign in again"},
		"ended":      {ended, "revoked", "ago)", "Its session has ended before its time"},
		"revoked":    {revoked, "revoked", "by nobody", "it was ended by \"links revoke\", by the API, or by a newer link"},
		"superseded": {older, "revoked", "by nobody", "it was ended by \"links revoke\", by the API, or by a newer link"},
		"expired":    {expired, "expired", "by nobody", "Nobody has used the link within"},
	} {
		t.Run(name, func(t *testing.T) {
			got := command(t, folder, nil, "links", "show", tt.id)
			require.Zero(t, got.code, got.stderr)
			require.Regexp(t, `(?m)^State +`+tt.state+`$`, got.stdout)
			require.Regexp(t, `(?m)^Used +.*`+strings.ReplaceAll(tt.used, ")", `\)`)+`$`, got.stdout)
			require.Contains(t, got.stdout, tt.says)
			require.NotContains(t, got.stdout, "eyJ", "no command shows a link again")
			var row map[string]any
			require.NoError(t, json.Unmarshal([]byte(command(t, folder, nil, "links", "show", tt.id, "-json").stdout), &row))
			require.Equal(t, tt.state, row["state"])
		})
	}
	for state, want := range map[string][]any{
		"live": {newer, live}, "used": {over, used}, "session": {used}, "revoked": {older, revoked, ended}, "expired": {expired},
	} {
		require.Equal(t, want, linkIDs(t, folder, "-state", state), state)
	}
	require.Contains(t, command(t, folder, nil, "links", "show", "ses_"+strings.TrimPrefix(used, "mlk_")).stdout, used, "by its session")
	requireFailure(t, command(t, folder, nil, "links", "show", "mlk_2222222222222222222222"), "there is no such link")
	requireFailure(t, command(t, folder, nil, "links", "revoke", "mlk_2222222222222222222222"), "there is no such link")
	requireFailure(t, command(t, folder, nil, "links", "show", "mlk_!!!!!!!!!!!!!!!!!!!!!!"), "there is no such link")
}

func TestLinksListFilters(t *testing.T) {
	folder := installed(t)
	require.Zero(t, command(t, folder, nil, "businesses", "add", "globex", "-tenant", "other").code)
	jane, _ := issuedFor(t, folder, "jane@example.com")
	john, _ := issuedFor(t, folder, "john@example.com")
	require.Zero(t, command(t, folder, nil, "issue", "-external-business", "globex", "-email", "jane@example.com").code)
	all := linkIDs(t, folder)
	require.Len(t, all, 3)
	globex := all[0]
	require.Equal(t, []any{globex, john, jane}, all, "all tenants, newest first")

	for name, tt := range map[string]struct {
		args []string
		want []any
	}{
		"tenant":            {[]string{"-tenant", "dev"}, []any{john, jane}},
		"another tenant":    {[]string{"-tenant", "other"}, []any{globex}},
		"no tenant":         {[]string{"-tenant", "nobody"}, []any{}},
		"address":           {[]string{"-email", "jane@EXAMPLE.com"}, []any{globex, jane}},
		"external business": {[]string{"-external-business", "acme"}, []any{john, jane}},
		"unknown business":  {[]string{"-business", "biz_2222222222222222222222"}, []any{}},
		"limit":             {[]string{"-limit", "2"}, []any{globex, john}},
		"all":               {[]string{"-all", "-limit", "1"}, all},
		"since":             {[]string{"-since", "1h"}, all},
		"since a day":       {[]string{"-since", "2100-01-01"}, []any{}},
		"until":             {[]string{"-until", "1h"}, []any{}},
		"until a time":      {[]string{"-until", "2100-01-01T00:00:00+02:00"}, all},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.want, linkIDs(t, folder, tt.args...)) })
	}
	table := command(t, folder, nil, "links", "list", "-limit", "2")
	require.Regexp(t, `^ID +STATE +ISSUED +EXPIRES +USED +TENANT +BUSINESS +EMAIL +PATH\n`+globex.(string)+` +live +\S+ \S+Z +\S+ \S+Z +- +other +globex +jane@example.com +-\n`, table.stdout)
	require.Contains(t, table.stderr, "the newest 2")
	require.Equal(t, "[]\n", command(t, folder, nil, "links", "list", "-tenant", "nobody", "-json").stdout)
}

// A page of the core has 1000 links: -all goes over it.
func TestLinksListOfManyPages(t *testing.T) {
	folder := installed(t)
	_, err := database(t, dataFile(folder, "magiclink.db")).Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2345)
		INSERT INTO magiclink_links (id, tenant_id, business_id, external_business_id, email, path, session_timeout, extension, created_at, expires_at, purge_at)
		SELECT printf('mlk_%022d', i), 'dev', '', 'shop' || char(27) || char(0x202e), 'a' || i || '@example.com', '', 1, x'', 1, 4000000000000, 4000000000000 FROM n`)
	require.NoError(t, err)
	require.Len(t, linkIDs(t, folder, "-all"), 2345)
	require.Len(t, linkIDs(t, folder, "-limit", "1500"), 1500)
	require.Len(t, linkIDs(t, folder), 50)
	table := command(t, folder, nil, "links", "list", "-all").stdout
	require.Equal(t, 2346, strings.Count(table, "\n"))
	require.Contains(t, table, `shop\x1b\u202e`, "what could steer a terminal is escaped")
	require.NotContains(t, table, "\x1b")
}

func TestRevokeASubject(t *testing.T) {
	folder := installed(t)
	require.Zero(t, command(t, folder, nil, "businesses", "add", "globex", "-tenant", "other").code)
	issuedFor(t, folder, "jane@example.com")
	_, link := issuedFor(t, folder, "jane@example.com")
	require.Zero(t, command(t, folder, nil, "redeem", link).code)
	john, _ := issuedFor(t, folder, "john@example.com")
	require.Zero(t, command(t, folder, nil, "issue", "-external-business", "globex", "-email", "jane@example.com").code)

	ambiguous := command(t, folder, nil, "links", "revoke", "-email", "jane@example.com")
	require.Equal(t, 2, ambiguous.code, "two tenants")
	require.Contains(t, ambiguous.stderr, "-tenant dev, or -tenant other")
	require.Empty(t, linkIDs(t, folder, "-state", "revoked"))

	got := command(t, folder, nil, "links", "revoke", "-email", "jane@example.com", "-tenant", "dev")
	require.Equal(t, "revoked 2 links with their sessions\n", got.stdout, got.stderr)
	require.Len(t, linkIDs(t, folder, "-state", "revoked"), 2)
	require.Equal(t, []any{john}, linkIDs(t, folder, "-state", "live", "-tenant", "dev"))
	require.Len(t, linkIDs(t, folder, "-state", "live", "-tenant", "other"), 1)
	require.JSONEq(t, `{"revoked":0}`, command(t, folder, nil, "links", "revoke", "-email", "jane@example.com", "-tenant", "dev", "-json").stdout)
	got = command(t, folder, nil, "links", "revoke", "-external-business", "globex")
	require.Equal(t, "revoked 1 link with its session\n", got.stdout, "a business names its tenant: %s", got.stderr)
}

func TestSessions(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, testClient)
	signIn := func(email string) (id, token string) {
		made := p.issue(p.token(), `{"external_business_id":"acme","email":"`+email+`"}`)
		require.Equal(t, http.StatusCreated, made.status, made.body)
		token, body := p.redeemed(t, made.body)
		return "ses_" + strings.TrimPrefix(body["magic_link_id"].(string), "mlk_"), token
	}
	jane1, token1 := signIn("jane@example.com")
	jane2, token2 := signIn("jane@example.com")
	john, token3 := signIn("john@example.com")
	require.Zero(t, command(t, folder, nil, "issue", "-external-business", "acme", "-email", "jane@example.com").code, "an unused link is no session")

	list := func(args ...string) []any {
		return members(rows(t, command(t, folder, nil, append([]string{"sessions", "list", "-json"}, args...)...)), "session_id")
	}
	require.Equal(t, []any{john, jane2, jane1}, list())
	require.Equal(t, []any{jane2, jane1}, list("-email", "jane@example.com"))
	require.Equal(t, []any{john, jane2}, list("-limit", "2"))
	require.Regexp(t, `(?m)^`+jane1+` +\S+ \S+Z +\S+ \S+Z +Firefox on Windows +dev +acme +jane@example.com$`, command(t, folder, nil, "sessions", "list").stdout)
	require.Equal(t, "Firefox on Windows", rows(t, command(t, folder, nil, "sessions", "list", "-json"))[0]["device"])
	require.Regexp(t, `(?m)^Device +Firefox on Windows$`, command(t, folder, nil, "links", "show", jane1).stdout)

	require.Equal(t, http.StatusOK, p.session(token1), "the control")
	got := command(t, folder, nil, "sessions", "end", jane1)
	require.Equal(t, "ended the session "+jane1+"\n", got.stdout, got.stderr)
	require.Equal(t, http.StatusUnauthorized, p.session(token1), "at once")
	require.Equal(t, http.StatusOK, p.session(token2))
	require.Equal(t, []any{john, jane2}, list())
	require.Zero(t, command(t, folder, nil, "sessions", "end", jane1).code, "again")

	got = command(t, folder, nil, "sessions", "end", "-email", "jane@example.com")
	require.Equal(t, "revoked 2 links with their sessions\n", got.stdout, "a session and the unused link: %s", got.stderr)
	require.Equal(t, http.StatusUnauthorized, p.session(token2))
	require.Equal(t, http.StatusOK, p.session(token3))
	require.Equal(t, []any{john}, list())

	require.Zero(t, command(t, folder, nil, "issue", "-external-business", "acme", "-email", "new@example.com").code)
	unused := linkIDs(t, folder, "-email", "new@example.com")
	require.Len(t, unused, 1)
	requireFailure(t, command(t, folder, nil, "sessions", "end", unused[0].(string)), "no session has come from this link")
	requireFailure(t, command(t, folder, nil, "sessions", "end", "ses_2222222222222222222222"), "there is no such session")
}

// redeemed redeems the link of an answer by the API.
func (p *process) redeemed(t *testing.T, issued string) (token string, data map[string]any) {
	t.Helper()
	var body struct {
		Data map[string]any `json:"data"`
	}
	require.NoError(t, json.Unmarshal([]byte(issued), &body))
	got := p.post("/v0/auth/magic-link/redeem", `{"token":"`+body.Data["magic_link"].(string)+`"}`,
		http.Header{"User-Agent": {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"}})
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.NoError(t, json.Unmarshal([]byte(got.body), &body))
	return body.Data["session_token"].(string), body.Data
}

func (p *process) post(path, body string, header http.Header) answer {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.origin+path, strings.NewReader(body))
	require.NoError(p.t, err)
	r.Header = header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return do(p.t, r)
}

// session asks for the session of a token, and returns the status.
func (p *process) session(token string) int {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.origin+"/session", nil)
	require.NoError(p.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	return do(p.t, r).status
}
