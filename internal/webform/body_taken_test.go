package webform_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/webform"
)

// A body that a middleware has read is told from one that was never sent, and from a form that a middleware has parsed.
func TestBodyTaken(t *testing.T) {
	read := func(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
	for name, tt := range map[string]struct {
		body  string
		front func(*http.Request)
		taken bool
	}{
		"read":   {"a=1", read, true},
		"parsed": {"a=1", func(r *http.Request) { _ = r.ParseForm() }, false},
		"left":   {"a=1", func(*http.Request) {}, false},
		"empty":  {"", read, false},
	} {
		t.Run(name, func(t *testing.T) {
			var form, json *webform.Fault
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				tt.front(r)
				if r.URL.Path == "/json" {
					_, json = webform.ReadBody(w, r, 1024, webform.MediaForm, webform.ReadAll)
					return
				}
				_, form = webform.ReadForm(w, r, 1024)
			}))
			defer server.Close()
			for _, path := range []string{"/form", "/json"} {
				response, err := http.Post(server.URL+path, webform.MediaForm, strings.NewReader(tt.body))
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
			}
			require.Equal(t, tt.taken, form == webform.BodyTaken)
			require.Equal(t, tt.taken || name == "parsed", json == webform.BodyTaken)
		})
	}
}
