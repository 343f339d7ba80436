package httpadapter_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

func oneLink(c *magiclink.Config) {
	c.Limits.PerSubject = magiclink.Rate{Burst: 1, Every: time.Minute}
}

func TestNewLimitsHandlerReportsEveryFaultAtOnce(t *testing.T) {
	handler, err := httpadapter.NewLimitsHandler(httpadapter.LimitsConfig{Path: "limits", MaxBody: -1, Timeout: -1, Realm: "ü"})
	require.Nil(t, handler)
	require.Equal(t, []string{"Issuer", "Authenticator", "Path", "MaxBody", "Timeout", "Realm"}, faultyFields(t, err))
}

// The handler works on any router, under any path, and behind a prefix that is cut off.
func TestLimitsMountedElsewhere(t *testing.T) {
	for _, at := range []struct{ path, mounted string }{{"/admin/limits", "/admin/limits"}, {"", "/api" + httpadapter.LimitsPath}} {
		issuer := newIssuer(t, oneLink)
		limits, err := httpadapter.NewLimitsHandler(httpadapter.LimitsConfig{Issuer: issuer, Authenticator: support, Path: at.path})
		require.NoError(t, err)
		var handler http.Handler = limits
		if at.path == "" {
			handler = http.StripPrefix("/api", limits)
		}
		mux := http.NewServeMux()
		mux.Handle(at.mounted, handler)
		mux.Handle(at.mounted+"/", handler)
		_, err = issuer.Issue(t.Context(), magiclink.MagicLinkCreate{
			Caller: magiclink.Caller{TenantID: "t1"}, BusinessID: business, Email: "jane@example.com",
		})
		require.NoError(t, err)
		left := func() any {
			return dataOf(t, send(mux, "GET", at.mounted+"?email=jane@example.com", "", ""))["limits"].([]any)[0].(map[string]any)["left"]
		}
		require.Equal(t, 0.0, left())
		require.Equal(t, http.StatusOK, send(mux, "POST", at.mounted+"/reset", typeJSON, `{"email":"jane@example.com"}`).Code)
		require.Equal(t, 1.0, left())
		requireEnvelope(t, http.StatusNotFound, send(mux, "GET", at.mounted+"/x", "", ""))
	}
}

// A handler alone answers 501 for what its store cannot do, and a service does not have its routes.
func TestLimitsOfAPlainStore(t *testing.T) {
	issuer := newIssuer(t, func(c *magiclink.Config) { c.Store = withoutOptions{memory.New()} })
	limits, err := httpadapter.NewLimitsHandler(httpadapter.LimitsConfig{Issuer: issuer, Authenticator: support})
	require.NoError(t, err)
	requireEnvelope(t, http.StatusNotImplemented, send(limits, "GET", httpadapter.LimitsPath, "", ""))
	requireEnvelope(t, http.StatusNotImplemented, send(limits, "POST", httpadapter.LimitsPath+"/reset", typeJSON, `{"email":"x@example.com"}`))
	for want, store := range map[int]magiclink.Store{404: withoutOptions{memory.New()}, 401: memory.New()} {
		service, err := httpadapter.NewService(serviceConfig(t, func(c *httpadapter.ServiceConfig) { c.Config.Store = store }))
		require.NoError(t, err)
		require.NotNil(t, service.LimitsHandler())
		requireEnvelope(t, want, send(service, "GET", httpadapter.LimitsPath, "", ""))
		requireEnvelope(t, want, send(service, "POST", httpadapter.LimitsPath+"/reset", typeJSON, `{"email":"x@example.com"}`))
	}
}
