package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// signIn is the pages that a person meets whose link works.
func (v *tour) signIn() {
	s := start(v.t, "-app-name", "Example Reports", "-new-link-url", "/sign-in")
	b := v.b
	b.Visit(s.Origin)
	v.show("landing-signed-out")
	b.Visit(s.issue("/reports/2026").url)
	v.show("confirm")
	b.Click("button")
	b.Arrive(s.Origin + "/reports/2026")
	v.show("landing")
	b.Visit(s.issueTo("paul@example.org", "/invoices").url)
	v.show("confirm-warning")
}

// unusable is the pages of clicks and links that sign nobody in.
func (v *tour) unusable() {
	s, b := start(v.t, "-app-name", "Example Reports"), v.b
	l := s.issue("/reports")
	b.Visit(s.BaseURL + "?token=x")
	v.show("dead")
	b.Visit(l.url)
	b.ForgetCookies()
	b.Click("button")
	b.Shows("Please open the link again")
	v.show("refused")
	b.Visit(strings.Replace(l.url, "127.0.0.1", "localhost", 1))
	b.Click("button")
	b.Shows("Please open the link at its own address")
	v.show("wrong-address")
	b.Visit(notAdmitting(v.t))
	b.Click("button")
	b.Shows("You cannot sign in now")
	v.show("not-admitted")
	s.breakStore()
	b.Visit(l.url)
	v.show("unavailable")
}

// strangeNames is the pages of long names, and of a name that is read from right to left.
func (v *tour) strangeNames() {
	label := strings.Repeat("a", 61)
	s := start(v.t, "-app-name", "تطبيق التقارير")
	v.b.Visit(s.issue("/reports").url)
	v.show("right-to-left")
	s = start(v.t, "-app-name", strings.Repeat("The application with the long name ", 3))
	domain := strings.Join([]string{label, label, label, "example.com"}, ".")
	v.b.Visit(s.issueTo("jane.doe@"+domain, "/"+strings.Repeat("long", 100)).url)
	v.show("long")
}

// notAdmitting serves an application that lets nobody sign in, and returns a link to it.
func notAdmitting(t *testing.T) (address string) {
	t.Helper()
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	service, err := httpadapter.NewService(httpadapter.ServiceConfig{
		Config: magiclink.Config{BaseURL: server.URL + "/magic", Keys: keys, Store: memory.New()},
		App:    "Example Reports",
		Page: httpadapter.PageConfig{Admit: func(*http.Request, magiclink.Redemption) error {
			return httpadapter.ErrRefused
		}},
	})
	require.NoError(t, err)
	mux.Handle("/", service)
	issued, err := service.Issuer().Issue(t.Context(), magiclink.MagicLinkCreate{
		ExternalBusinessID: "app", Email: "jane@example.com",
	})
	require.NoError(t, err)
	return issued.MagicLink
}
