package main_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The log names the client, and so do the limits: the address of the connection, unless a trusted proxy says another one.
func TestClientAddress(t *testing.T) {
	const conn = "127.0.0.1:" // with its port
	trusting := []string{"-trusted-proxy", "127.0.0.0/8,10.0.0.0/8", "-trusted-proxy", "2001:db8:ffff::/48"}
	for name, tt := range map[string]struct {
		args   []string
		header http.Header
		want   string
	}{
		"nobody is trusted":         {nil, http.Header{"X-Forwarded-For": {"192.0.2.1"}}, conn},
		"the proxy is another":      {[]string{"-trusted-proxy", "10.0.0.0/8"}, http.Header{"X-Forwarded-For": {"192.0.2.1"}}, conn},
		"no header":                 {trusting, nil, conn},
		"an empty header":           {trusting, http.Header{"X-Forwarded-For": {""}}, conn},
		"one address":               {trusting, http.Header{"X-Forwarded-For": {"192.0.2.1"}}, "192.0.2.1"},
		"what the client has added": {trusting, http.Header{"X-Forwarded-For": {"203.0.113.9, 192.0.2.1"}}, "192.0.2.1"},
		"garbage of the client":     {trusting, http.Header{"X-Forwarded-For": {"<script>, , 192.0.2.1"}}, "192.0.2.1"},
		"several proxies":           {trusting, http.Header{"X-Forwarded-For": {"203.0.113.9, 192.0.2.1, 10.1.2.3,127.0.0.9"}}, "192.0.2.1"},
		"several headers":           {trusting, http.Header{"X-Forwarded-For": {"203.0.113.9", "192.0.2.1", "10.1.2.3"}}, "192.0.2.1"},
		"proxies alone":             {trusting, http.Header{"X-Forwarded-For": {"10.9.9.9, 10.1.2.3"}}, "10.9.9.9"},
		"garbage behind a proxy":    {trusting, http.Header{"X-Forwarded-For": {"unknown, 10.1.2.3"}}, conn},
		"garbage":                   {trusting, http.Header{"X-Forwarded-For": {"192.0.2.1, localhost"}}, conn},
		"an empty last one":         {trusting, http.Header{"X-Forwarded-For": {"192.0.2.1,"}}, conn},
		"a port":                    {trusting, http.Header{"X-Forwarded-For": {"192.0.2.1:4711"}}, "192.0.2.1"},
		"IPv6":                      {trusting, http.Header{"X-Forwarded-For": {"2001:db8::7, 2001:db8:ffff::1"}}, "2001:db8::7"},
		"IPv6 with a port":          {trusting, http.Header{"X-Forwarded-For": {"[2001:db8::7]:4711"}}, "2001:db8::7"},
		"IPv4 as IPv6":              {trusting, http.Header{"X-Forwarded-For": {"::ffff:192.0.2.1"}}, "192.0.2.1"},
		"Forwarded":                 {trusting, http.Header{"Forwarded": {"for=192.0.2.1"}, "X-Real-Ip": {"192.0.2.1"}}, conn},
		"a single address":          {[]string{"-trusted-proxy", "127.0.0.1"}, http.Header{"X-Forwarded-For": {"192.0.2.1"}}, "192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, t.TempDir(), testClient, append([]string{"-store", "memory"}, tt.args...)...)
			r, err := http.NewRequest(http.MethodGet, p.origin+"/healthz", nil)
			require.NoError(t, err)
			for name, values := range tt.header {
				r.Header[name] = values
			}
			id := do(t, r).header.Get("X-Request-Id")
			line := ""
			p.eventually(func() bool {
				for _, line = range strings.Split(p.errors(), "\n") {
					if strings.Contains(line, id) {
						return true
					}
				}
				return false
			}, "it is logged")
			_, remote, _ := strings.Cut(line, " remote=")
			remote = strings.Trim(remote, `"`)
			if tt.want == conn {
				require.True(t, strings.HasPrefix(remote, conn), remote)
				return
			}
			require.Equal(t, tt.want, remote)
		})
	}
}

// Each client behind a proxy has its own limit. The addresses of one IPv6 network of 64 bits are one client.
func TestLimitsBehindAProxy(t *testing.T) {
	p := serve(t, t.TempDir(), testClient, "-store", "memory", "-trusted-proxy", "127.0.0.1", "-limit-redeem", "1/1h")
	for _, first := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1", "10.0.0.1"} {
		require.Equal(t, http.StatusGone, p.redeem(first).status, first)
		requireLimited(t, p.redeem(first))
	}
	requireLimited(t, p.redeem("2001:db8::ffff"))
	requireLimited(t, p.redeem("::ffff:192.0.2.1"))
	requireLimited(t, p.redeem("1.2.3.4, 192.0.2.1"))
	require.Equal(t, http.StatusGone, p.redeem("2001:db8:0:2::1").status)
	require.Equal(t, http.StatusGone, p.redeem("garbage").status, "the address of the connection")
	requireLimited(t, p.redeem(""))
}

// A stranger's wrong secrets do not keep a client behind the same proxy from its tokens.
func TestWrongSecretsBehindAProxy(t *testing.T) {
	p := serve(t, t.TempDir(), testClient, "-store", "memory", "-trusted-proxy", "127.0.0.1")
	ask := func(from, secret string) int {
		form := url.Values{"client_id": {"crm"}, "client_secret": {secret}}.Encode()
		return p.post("/v0/auth/token", form, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Forwarded-For": {from}}).status
	}
	for range 12 {
		ask("192.0.2.1", "guess")
	}
	require.Equal(t, http.StatusTooManyRequests, ask("192.0.2.1", testSecret), "the control")
	require.Equal(t, http.StatusOK, ask("192.0.2.2", testSecret))
}

// Behind a proxy that nobody has named, all people share the limits of one client: serve says so.
func TestProxyThatIsNotNamed(t *testing.T) {
	const warning = "name your proxies with -trusted-proxy"
	for _, tt := range []struct {
		args []string
		warn bool
	}{
		{[]string{"-base-url", "https://app.example.com/magic"}, true},
		{[]string{"-base-url", "https://app.example.com/magic", "-trusted-proxy", "127.0.0.1"}, false},
		{nil, false},
	} {
		p := serve(t, t.TempDir(), testClient, append([]string{"-store", "memory"}, tt.args...)...)
		p.eventually(func() bool {
			return p.get("/healthz").status == http.StatusOK && strings.Contains(p.errors(), "/healthz")
		}, "it serves")
		require.Equal(t, tt.warn, strings.Contains(p.errors(), warning), tt.args)
	}
}
