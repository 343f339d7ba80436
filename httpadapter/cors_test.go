package httpadapter_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

func TestRedeemFromAnAllowedOrigin(t *testing.T) {
	const app = "https://spa.example.com:8443"
	d := newRedeemDesk(t, func(c *httpadapter.RedeemConfig) { c.AllowedOrigins = []string{"https://a.example", app} })
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type"}

	w := call(d.handler, http.MethodOptions, "/", append(preflight, "Origin", app)...)
	require.Equal(t, http.StatusNoContent, w.Code)
	require.Equal(t, app, w.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, "POST", w.Header().Get("Access-Control-Allow-Methods"))
	require.Equal(t, "Content-Type, Idempotency-Key", w.Header().Get("Access-Control-Allow-Headers"))
	require.Equal(t, "Origin", w.Header().Get("Vary"))
	require.Empty(t, w.Header().Get("Access-Control-Allow-Credentials"))

	for _, body := range []string{`{"token":"` + d.link(t, create) + `"}`, `{"token":"x"}`, `{`} {
		w = post(d.handler, typeJSON, body, "Origin", app)
		require.Equal(t, app, w.Header().Get("Access-Control-Allow-Origin"), "%d", w.Code)
		require.Equal(t, "Origin", w.Header().Get("Vary"))
	}
	for _, origin := range []string{"https://evil.example", "null", "*", "https://spa.example.com", "HTTPS://A.EXAMPLE", ""} {
		w = call(d.handler, http.MethodOptions, "/", append(preflight, "Origin", origin)...)
		requireEnvelope(t, http.StatusMethodNotAllowed, w)
		require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
		require.Equal(t, "Origin", w.Header().Get("Vary"))
		w = post(d.handler, typeJSON, `{"token":"`+d.link(t, create)+`"}`, "Origin", origin)
		require.Equal(t, http.StatusOK, w.Code, "the browser keeps the answer from the page")
		require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
	}
	w = call(d.handler, http.MethodOptions, "/", "Origin", app)
	requireEnvelope(t, http.StatusMethodNotAllowed, w)
}

func TestRedeemAllowsNoOriginByDefault(t *testing.T) {
	d := newRedeemDesk(t)
	w := call(d.handler, http.MethodOptions, "/", "Origin", "https://a.example", "Access-Control-Request-Method", "POST")
	requireEnvelope(t, http.StatusMethodNotAllowed, w)
	for _, name := range []string{"Access-Control-Allow-Origin", "Vary"} {
		require.Empty(t, w.Header().Get(name))
	}
}

func TestAllowedOriginsAreOrigins(t *testing.T) {
	c := newCore(t)
	for _, bad := range []string{
		"*", "null", "", "https://a.example/", "https://a.example:443", "a.example", "https://A.example", "https://a.example?x",
		"ftp://a.example", "https://user@a.example", "https://", "https://*.example",
	} {
		_, err := httpadapter.NewRedeemHandler(httpadapter.RedeemConfig{
			Redeemer: c.redeemer, Sessions: c.sessions, AllowedOrigins: []string{"https://a.example", bad},
		})
		require.Equal(t, []string{"AllowedOrigins"}, faultyFields(t, err), bad)
	}
	_, err := httpadapter.NewRedeemHandler(httpadapter.RedeemConfig{
		Redeemer: c.redeemer, Sessions: c.sessions,
		AllowedOrigins: []string{"https://a.example", "http://localhost:3000", "http://[::1]:8080"},
	})
	require.NoError(t, err)
}
