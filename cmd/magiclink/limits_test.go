package main_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireLimited asserts an answer 429 that says when to try again.
func requireLimited(t *testing.T, got answer) {
	t.Helper()
	require.Equal(t, http.StatusTooManyRequests, got.status, got.body)
	seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
	require.NoError(t, err)
	require.Positive(t, seconds)
	require.Equal(t, "no-store", got.header.Get("Cache-Control"))
}

const noToken = `{"token":"eyJ.eyJ.x"}`

// redeem tries to redeem a token that is none.
func (p *process) redeem(from string) answer {
	return p.post("/v0/auth/magic-link/redeem", noToken, http.Header{"X-Forwarded-For": {from}})
}

// documented returns the statuses that the document of the API has for a POST.
func (p *process) documented(path string) []string {
	p.t.Helper()
	var document struct {
		Paths map[string]struct {
			Post struct{ Responses map[string]any }
		}
	}
	require.NoError(p.t, json.Unmarshal([]byte(p.get("/openapi.json").body), &document))
	return slices.Collect(maps.Keys(document.Paths[path].Post.Responses))
}

func TestRedemptionsAreLimited(t *testing.T) {
	p := serve(t, t.TempDir(), testClient, "-limit-redeem", "3/1h")
	issued := p.issue(p.token(), acme)
	link := p.origin + "/magic?token=" + bareToken(strings.Split(issued.body, `"`)[5])
	for range 20 {
		require.Equal(t, http.StatusOK, p.get(strings.TrimPrefix(link, p.origin)).status, "to look is free")
	}
	for range 2 {
		require.Equal(t, http.StatusGone, p.redeem("").status)
	}
	form := url.Values{"token": {bareToken(link)}, "form": {"x"}}.Encode()
	click := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {p.origin}}
	require.Equal(t, http.StatusForbidden, p.post("/magic", form, click).status, "clicks count, too")

	got := p.redeem("192.0.2.1")
	requireLimited(t, got)
	require.JSONEq(t, `{"error":"too many attempts from this address, try again later","data":null}`, got.body)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Contains(t, p.documented("/v0/auth/magic-link/redeem"), "429")
	got = p.post("/magic", form, click)
	requireLimited(t, got)
	require.Contains(t, got.header.Get("Content-Type"), "text/html")
	require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Contains(t, got.body, link, "a person can open the link again")
	require.Equal(t, http.StatusOK, p.get(strings.TrimPrefix(link, p.origin)).status)
	require.Equal(t, http.StatusOK, p.get("/healthz").status)
	require.Equal(t, http.StatusCreated, p.issue(p.token(), acme).status)
	p.eventually(func() bool {
		return strings.Contains(p.errors(), "route=/magic/{path...} status=429") && strings.Contains(p.errors(), "status=429")
	}, "it is logged")
	require.NotContains(t, p.errors(), bareToken(link)[:40])
}

// The defaults of serve: a hundred links at once for one address, and a thousand redemptions at once for one client.
func TestLimitsOfServeByDefault(t *testing.T) {
	p := serve(t, t.TempDir(), append([]string{"MAGICLINK_LIMIT_SUBJECT=", "MAGICLINK_LIMIT_REDEEM="}, testClient...))
	token := p.token()
	const nobody = `{"external_business_id":"acme"}`
	for range 100 {
		require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
		require.Equal(t, http.StatusCreated, p.issue(token, nobody).status)
	}
	require.Equal(t, http.StatusCreated, p.issue(token, nobody).status, "links without an address may be for many people")
	requireLimited(t, p.issue(token, strings.Replace(acme, "jane", "JANE", 1)))
	require.Equal(t, http.StatusCreated, p.issue(token, strings.Replace(acme, "jane", "john", 1)).status, "another person")
	statuses := map[int]int{}
	for statuses[http.StatusTooManyRequests] == 0 && statuses[http.StatusGone] < 10_000 {
		statuses[p.redeem("").status]++
	}
	require.GreaterOrEqual(t, statuses[http.StatusGone], 1000)
	require.Less(t, statuses[http.StatusGone], 10_000)
}

// Processes on one store count together, and the command looks at the count and resets it.
func TestLimitsAreShared(t *testing.T) {
	t.Parallel()
	stores := map[string]func(*testing.T) string{"sqlite": func(*testing.T) string { return "sqlite" }}
	for name, ready := range sharedStores {
		stores[name] = ready
	}
	for name, ready := range stores {
		t.Run(name, func(t *testing.T) {
			folder := installed(t)
			env := []string{"MAGICLINK_STORE=" + ready(t), "MAGICLINK_LIMIT_SUBJECT=4/1h", "MAGICLINK_LIMIT_TENANT=100/1h", "MAGICLINK_LIMIT_REDEEM=4/1h", "MAGICLINK_BASE_URL=http://127.0.0.1:8080/magic"}
			for _, of := range [][]string{{"-email", "jane@example.com"}, {"-tenant", "dev"}, {"-client-address", "127.0.0.1"}} {
				require.Zero(t, command(t, folder, env, append([]string{"limits", "reset"}, of...)...).code, "other tests use the same server")
			}
			both := []*process{serve(t, folder, env), serve(t, folder, env)}
			token := both[0].token()
			for n := range 4 {
				require.Equal(t, http.StatusCreated, both[n%2].issue(token, acme).status)
				require.Equal(t, http.StatusGone, both[n%2].redeem("").status)
			}
			for _, p := range both {
				requireLimited(t, p.issue(token, acme))
				requireLimited(t, p.redeem(""))
			}

			show := func(args ...string) []map[string]any {
				return rows(t, command(t, folder, env, append([]string{"limits", "show", "-json"}, args...)...))
			}
			for range 3 { // to look takes nothing
				limits := show("-email", "jane@example.com")
				require.Equal(t, []any{"4/1h", "100/1h"}, members(limits, "rate"))
				require.Equal(t, []any{0.0, 96.0}, members(limits, "left"))
				require.Positive(t, limits[0]["retry_after"])
				require.Equal(t, []any{0.0}, members(show("-client-address", "127.0.0.1"), "left"))
			}
			require.Equal(t, []any{4.0, 96.0}, members(show("-email", "john@example.com"), "left"))
			require.Equal(t, []any{4.0}, members(show("-client-address", "192.0.2.1"), "left"))
			table := command(t, folder, env, "limits", "show", "-email", "JANE@example.com")
			require.Regexp(t, `(?m)^links for JANE@example.com +4/1h +0 +in \S+ +\S+Z +issue:address:\S+$`, table.stdout, table.stderr)
			key := show("-client-address", "127.0.0.1")[0]["key"].(string)
			require.Equal(t, []any{2.0}, members(show(key, "-rate", "6/1h"), "left"), "by its key")

			for _, args := range [][]string{{"-email", "jane@example.com"}, {key}} {
				got := command(t, folder, env, append([]string{"limits", "reset"}, args...)...)
				require.Zero(t, got.code, got.stderr)
				require.Contains(t, got.stdout, "reset the limit of")
			}
			for _, p := range both {
				require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
				require.Equal(t, http.StatusGone, p.redeem("").status)
			}
			require.Equal(t, []any{94.0}, members(show("-tenant", "dev"), "left"), "the tenant's own was not reset")
			require.Zero(t, command(t, folder, env, "limits", "reset", "-tenant", "dev").code)
			require.Equal(t, []any{100.0}, members(show("-tenant", "dev"), "left"))
			require.Zero(t, command(t, folder, env, "issue", "-external-business", "acme", "-email", "jane@example.com").code)
			require.Equal(t, []any{100.0}, members(show("-tenant", "dev"), "left"), "the operator's own links do not count")
		})
	}
}

// A link without an address counts for its business.
func TestLimitOfABusiness(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, testClient, "-limit-business", "2/1h")
	token := p.token()
	const nobody = `{"external_business_id":"acme"}`
	for range 2 {
		require.Equal(t, http.StatusCreated, p.issue(token, nobody).status)
	}
	requireLimited(t, p.issue(token, nobody))
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status, "another subject")
	require.Zero(t, command(t, folder, nil, "limits", "reset", "-external-business", "acme").code)
	require.Equal(t, http.StatusCreated, p.issue(token, nobody).status)
}

// Nothing is let through while the store cannot count.
func TestLimitsWhileTheStoreDoesNotAnswer(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := serve(t, folder, testClient, "-limit-redeem", "1000/1ms")
	require.Equal(t, http.StatusGone, p.redeem("").status, "the control")
	release := hold(t, filepath.Join(folder, "magiclink-data", "magiclink.db"))
	got := p.redeem("")
	require.Equal(t, http.StatusServiceUnavailable, got.status, got.body)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	require.JSONEq(t, `{"error":"temporarily unavailable, try again later","data":null}`, got.body)
	click := p.post("/magic", "token=x&form=x", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	require.Equal(t, http.StatusServiceUnavailable, click.status)
	require.Contains(t, click.header.Get("Content-Type"), "text/html")
	release()
	require.Equal(t, http.StatusGone, p.redeem("").status)
}

func TestLimitsOff(t *testing.T) {
	p := serve(t, t.TempDir(), testClient, "-limit-redeem", "off", "-limit-subject", "off")
	token := p.token()
	for range 40 {
		require.Equal(t, http.StatusGone, p.redeem("").status)
		require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
	}
}

func TestMaxTTLAndSupersede(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, testClient, "-max-ttl", "10", "-supersede")
	token := p.token()
	require.Equal(t, http.StatusUnprocessableEntity, p.issue(token, strings.Replace(acme, "{", `{"ttl":11,`, 1)).status)
	require.Equal(t, http.StatusCreated, p.issue(token, strings.Replace(acme, "{", `{"ttl":10,`, 1)).status)
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
	require.Len(t, linkIDs(t, folder, "-state", "live"), 1)
	require.Len(t, linkIDs(t, folder, "-state", "revoked"), 1)
}
