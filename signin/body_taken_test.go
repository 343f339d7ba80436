package signin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A middleware that reads bodies keeps everybody out. The log says so, for the form of each page.
func TestBodyTakenIsLogged(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	mail := b.waiting(jane)
	request, link := b.get("/sign-in").fields(t), b.get(mail.Link)
	taken := func(target string) func() {
		return func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, origin+target, http.NoBody)
			require.NoError(t, err)
			r.ContentLength = 100
			r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {origin}}
			for name, value := range b.cookies {
				r.AddCookie(&http.Cookie{Name: name, Value: value})
			}
			w := newRecorder()
			s.ServeHTTP(w, r)
			require.Equal(t, http.StatusForbidden, w.Code)
		}
	}
	for name, row := range map[string]struct {
		send func()
		logs bool
	}{
		"request":         {taken("/sign-in"), true},
		"link":            {taken("/magic"), true},
		"control request": {func() { b.post("/sign-in", request) }, false},
		"control link":    {func() { b.post("/magic", link.fields(t)) }, false},
	} {
		before := len(s.log.String())
		row.send()
		s.settled()
		said := s.log.String()[before:]
		require.Equal(t, row.logs, strings.Contains(said, "the body was read before this handler"), "%s: %s", name, said)
	}
}
