package httpadapter_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// support lets every request in that may see and end what is of tenant t1.
var support = authenticator(func(*http.Request) (httpadapter.Principal, error) {
	return httpadapter.Principal{
		TenantID: "t1", ClientID: "support", Scopes: []string{httpadapter.ScopeRead, httpadapter.ScopeRevoke},
	}, nil
})

func TestNewLinksHandlerReportsEveryFaultAtOnce(t *testing.T) {
	handler, err := httpadapter.NewLinksHandler(httpadapter.LinksConfig{
		Path: "links", MaxBody: -1, Timeout: -1, Realm: "ü",
	})
	require.Nil(t, handler)
	require.Equal(t, []string{"Issuer", "Authenticator", "Path", "MaxBody", "Timeout", "Realm"}, faultyFields(t, err))
	for path, good := range map[string]bool{"": true, "/links": true, "/a/b": true, "links": false, "/links/": false, "/": false} {
		_, err := httpadapter.NewLinksHandler(httpadapter.LinksConfig{Issuer: newIssuer(t), Authenticator: anyone, Path: path})
		require.Equal(t, good, err == nil, path)
	}
	var bearer *httpadapter.BearerAuthenticator
	_, err = httpadapter.NewLinksHandler(httpadapter.LinksConfig{Issuer: newIssuer(t), Authenticator: bearer})
	require.Equal(t, []string{"Authenticator"}, faultyFields(t, err))
}

func TestNewSessionsHandlerReportsEveryFaultAtOnce(t *testing.T) {
	handler, err := httpadapter.NewSessionsHandler(httpadapter.SessionsConfig{Path: "/x/", Timeout: -1, Realm: "ü"})
	require.Nil(t, handler)
	require.Equal(t, []string{"Issuer", "Authenticator", "Sessions", "Path", "Timeout", "Realm"}, faultyFields(t, err))
	c := newCore(t)
	_, err = httpadapter.NewSessionsHandler(httpadapter.SessionsConfig{Issuer: c.issuer, Sessions: c.sessions, Authenticator: support})
	require.NoError(t, err)
}

// Both handlers work on any router, under any path, and behind a prefix that is cut off.
func TestLinksAndSessionsMountedElsewhere(t *testing.T) {
	c := newCore(t, func(c *magiclink.Config) { c.Store = memory.New() })
	in := magiclink.MagicLinkCreate{Caller: magiclink.Caller{TenantID: "t1"}, BusinessID: business, SessionTimeout: 3600}
	c.sessionOf(t, in)
	for _, at := range []struct{ path, mounted string }{
		{"/admin/links", "/admin/links"}, {"/links", "/api/links"}, {httpadapter.LinksPath, "/api" + httpadapter.LinksPath}, {"", httpadapter.LinksPath},
	} {
		links, err := httpadapter.NewLinksHandler(httpadapter.LinksConfig{Issuer: c.issuer, Authenticator: support, Path: at.path})
		require.NoError(t, err)
		sessionsPath := strings.Replace(at.path, "links", "sessions", 1)
		if at.path == httpadapter.LinksPath || at.path == "" {
			sessionsPath = ""
		}
		sessions, err := httpadapter.NewSessionsHandler(httpadapter.SessionsConfig{
			Issuer: c.issuer, Sessions: c.sessions, Authenticator: support, Path: sessionsPath, Now: now,
		})
		require.NoError(t, err)
		mux := http.NewServeMux()
		mounted := strings.NewReplacer("magic-links", "sessions", "links", "sessions").Replace(at.mounted)
		for base, handler := range map[string]http.Handler{at.mounted: links, mounted: sessions} {
			if strings.HasPrefix(base, "/api") {
				handler = http.StripPrefix("/api", handler)
			}
			mux.Handle(base, handler)
			mux.Handle(base+"/", handler)
		}
		w := send(mux, "GET", at.mounted, "", "")
		require.Equal(t, http.StatusOK, w.Code, at.mounted)
		id := dataOf(t, w)["magic_links"].([]any)[0].(map[string]any)["magic_link_id"].(string)
		require.Equal(t, http.StatusOK, send(mux, "GET", at.mounted+"/"+id, "", "").Code)
		require.Equal(t, http.StatusOK, send(mux, "GET", mounted, "", "").Code)
		require.Equal(t, http.StatusOK, send(mux, "POST", at.mounted+"/"+id+"/revoke", "", "").Code)
		require.Equal(t, http.StatusOK, send(mux, "POST", mounted+"/ses_"+id[4:]+"/revoke", "", "").Code)
		require.Equal(t, http.StatusOK, send(mux, "POST", at.mounted+"/revoke", typeJSON, `{"email":"x@example.com"}`).Code)
		requireEnvelope(t, http.StatusNotFound, send(mux, "GET", at.mounted+"/"+id+"/x", "", ""))
		c.sessionOf(t, in)
	}
}

// withoutOptions hides the optional interfaces of a store.
type withoutOptions struct{ magiclink.Store }

// A handler alone answers 501 for what its store cannot do, and does the rest.
func TestLinksOfAPlainStore(t *testing.T) {
	issuer := newIssuer(t, func(c *magiclink.Config) { c.Store = withoutOptions{memory.New()} })
	links, err := httpadapter.NewLinksHandler(httpadapter.LinksConfig{Issuer: issuer, Authenticator: support})
	require.NoError(t, err)
	issued, err := issuer.Issue(t.Context(), magiclink.MagicLinkCreate{Caller: magiclink.Caller{TenantID: "t1"}, BusinessID: business})
	require.NoError(t, err)
	requireEnvelope(t, http.StatusNotImplemented, send(links, "GET", httpadapter.LinksPath, "", ""))
	requireEnvelope(t, http.StatusNotImplemented, send(links, "POST", httpadapter.LinksPath+"/revoke", typeJSON, `{"email":"x@example.com"}`))
	require.Equal(t, http.StatusOK, send(links, "GET", httpadapter.LinksPath+"/"+issued.MagicLinkID, "", "").Code)
	require.Equal(t, http.StatusOK, send(links, "POST", httpadapter.LinksPath+"/"+issued.MagicLinkID+"/revoke", "", "").Code)
}

// A tenant that nobody can serve is a fault of the configuration, and says nothing about links.
func TestLinksOfATenantThatTheIssuerDoesNotServe(t *testing.T) {
	issuer := newIssuer(t, func(c *magiclink.Config) { c.Businesses = nil })
	logger, log := logTo()
	links, err := httpadapter.NewLinksHandler(httpadapter.LinksConfig{Issuer: issuer, Authenticator: support, Logger: logger})
	require.NoError(t, err)
	requireEnvelope(t, http.StatusServiceUnavailable, send(links, "GET", httpadapter.LinksPath, "", ""))
	require.Contains(t, log.String(), "Config.Businesses")
}

// A path of the page must not take the place of the links.
func TestServiceBaseURLThatTakesThePlaceOfTheLinks(t *testing.T) {
	for _, path := range []string{httpadapter.LinksPath, httpadapter.SessionsAPIPath} {
		_, err := httpadapter.NewService(serviceConfig(t, func(c *httpadapter.ServiceConfig) {
			c.Config.BaseURL, c.Config.Store = "https://app.example.com"+path, withoutOptions{memory.New()}
		}))
		require.Equal(t, []string{"Config.BaseURL"}, faultyFields(t, err))
	}
}
