package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/e2e/internal/browser"
)

// TestBrowser uses each command in each engine, so that a journey that fails says something about the product.
func TestBrowser(t *testing.T) {
	t.Parallel()
	for _, engine := range browser.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			b := browser.Open(t, engine, browser.Options{})
			site := newSite(t)
			b.Visit(site)
			require.Equal(t, "Form", b.Title())
			require.Contains(t, b.Source(), "<form")
			require.Equal(t, "yes", b.Cookies()["seen"].Value)
			b.ForgetCookies()
			require.Empty(t, b.Cookies())

			b.Fill("input", "Jane & Paul")
			b.Click("button")
			b.Arrive(site + "greet?name=Jane+%26+Paul")
			b.Shows("Hello Jane & Paul")
			b.Reload()
			require.Equal(t, "Hello Jane & Paul", b.Text())
			b.Back()
			require.Equal(t, site, b.URL())

			b.DoubleClick("p", 10*time.Millisecond)
			var selected string
			b.Script(&selected, "return getSelection().toString().trim()")
			require.Equal(t, "word", selected, "a double click selects a word")

			first := b.Tab()
			require.NotEqual(t, first, b.NewTab())
			b.Visit(site + "greet?name=tab")
			b.Switch(first)
			require.Equal(t, "Form", b.Title())
			require.NotEmpty(t, b.Screenshot())
		})
	}
}

func newSite(t *testing.T) (address string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
		fmt.Fprint(w, `<!DOCTYPE html><title>Form</title><form action="/greet"><input name="name" value="nobody"><button>Go</button></form>
			<p style="display: inline-block">word</p>`)
	})
	mux.HandleFunc("/greet", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!DOCTYPE html><title>Greeting</title><p id=text></p><script>document.all.text.textContent = %q</script>", "Hello "+r.FormValue("name"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/"
}
