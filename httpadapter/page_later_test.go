package httpadapter_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// An application that refuses a click for a while shows the person a page, and the link stays usable.
func TestPageTryLater(t *testing.T) {
	for status, says := range map[int]string{
		http.StatusTooManyRequests: "too many attempts", http.StatusServiceUnavailable: "does not answer",
	} {
		s := newSite(t)
		refuse := false
		s.mux.HandleFunc("POST /magic/{$}", func(w http.ResponseWriter, r *http.Request) {
			if refuse {
				s.shown.TryLater(w, r, status, 1500*time.Millisecond)
				return
			}
			s.shown.ServeHTTP(w, r)
		})
		link, _ := s.link(magiclink.MagicLinkCreate{ExternalBusinessID: "shop-7"})
		b := s.browser()
		f := b.get(link).form(t)
		f.action += "/"
		refuse = true
		got := b.post(f)
		require.Equal(t, status, got.status)
		require.Equal(t, "2", got.header.Get("Retry-After"), "rounded up")
		requireSecure(t, got)
		require.Contains(t, got.body, says)
		require.Equal(t, link, got.button(t), "it leads to the link")
		s.requireUsable(link)
		again := httptest.NewRecorder()
		s.shown.TryLater(again, httptest.NewRequest(http.MethodGet, link, nil), status, time.Second)
		require.Contains(t, again.Body.String(), `<a class="button" href="`)
		refuse = false
		require.Equal(t, http.StatusSeeOther, b.post(f).status, "the control: the same click")
	}
	for _, page := range []*httpadapter.Page{nil, new(httpadapter.Page)} {
		w := httptest.NewRecorder()
		page.TryLater(w, httptest.NewRequest(http.MethodPost, "/magic", nil), http.StatusTooManyRequests, time.Second)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
	}
}
