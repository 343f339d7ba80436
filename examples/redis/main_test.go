package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// Two services share the links: one issues, the other shows the page.
func TestServices(t *testing.T) {
	server, keyFile := dbtest.RedisURL(t), filepath.Join(t.TempDir(), "keys.json")
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	if err == nil {
		err = keys.Save(keyFile)
	}
	if err != nil {
		t.Fatal(err)
	}
	one, closeOne, err := newService(t.Context(), server, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	two, closeTwo, err := newService(t.Context(), server, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	link, err := one.Issuer().Issue(t.Context(), magiclink.MagicLinkCreate{ExternalBusinessID: "app", Email: "jane@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(link.MagicLink)
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	two.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, at.RequestURI(), nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("answered %d %s", answer.Code, answer.Body)
	}
	for _, end := range []func() error{closeOne, closeTwo} {
		if err := end(); err != nil {
			t.Error(err)
		}
	}
}
