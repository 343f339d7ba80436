package e2e_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/servetest"
)

// send sends a request that has to be answered. It follows no redirection and keeps no cookie.
func send(t *testing.T, method, address, body string, header http.Header) servetest.Answer {
	t.Helper()
	got := servetest.Send(method, address, body, header)
	require.NoError(t, got.Err)
	return got
}

// link is an issued link.
type link struct{ url, id string }

// token is the credential in the link.
func (l link) token() string { return servetest.TokenOf(l.url) }

// issue gets a link to the path, for jane@example.com. An empty path is none.
func (s *service) issue(path string) link {
	s.t.Helper()
	return s.issueTo("jane@example.com", path)
}

func (s *service) issueTo(email, path string) link {
	s.t.Helper()
	members := map[string]any{"external_business_id": "acme", "email": email, "ttl": 15}
	if path != "" {
		members["path"] = path
	}
	body, err := json.Marshal(members)
	require.NoError(s.t, err)
	return readLink(s.t, s.Issue(string(body)))
}

func readLink(t *testing.T, got servetest.Answer) link {
	t.Helper()
	require.Equal(t, http.StatusCreated, got.Status, got.Body)
	return link{got.Text(t, "magic_link"), got.Text(t, "magic_link_id")}
}

// The names of the cookies: over HTTPS, and over plain HTTP on a loopback address.
const (
	formCookie         = "__Host-magiclink_form"
	sessionCookie      = "__Host-magiclink_session"
	plainFormCookie    = "magiclink_form"
	plainSessionCookie = "magiclink_session"
)

// form is what the confirmation page would post, and the cookie that goes with it.
type form struct{ token, formToken, cookie string }

var (
	hiddenField   = regexp.MustCompile(`<input type="hidden" name="(token|form)" value="([^"]*)">`)
	setFormCookie = regexp.MustCompile(`^` + plainFormCookie + `=([\w-]{43});`)
)

// openForm loads the page of a link as a browser with the form cookie would; an empty cookie is none yet.
func (s *service) openForm(l link, cookie string) form {
	s.t.Helper()
	header := http.Header{}
	if cookie != "" {
		header.Set("Cookie", plainFormCookie+"="+cookie)
	}
	page := send(s.t, http.MethodGet, l.url, "", header)
	require.Equal(s.t, http.StatusOK, page.Status, page.Body)
	f := form{cookie: cookie}
	if cookie == "" {
		match := setFormCookie.FindStringSubmatch(page.Header.Get("Set-Cookie"))
		require.NotNil(s.t, match)
		f.cookie = match[1]
	}
	for _, field := range hiddenField.FindAllStringSubmatch(page.Body, -1) {
		if field[1] == "token" {
			f.token = html.UnescapeString(field[2])
		} else {
			f.formToken = html.UnescapeString(field[2])
		}
	}
	require.Equal(s.t, l.token(), f.token)
	require.NotEmpty(s.t, f.formToken)
	return f
}

// post submits the form as a client that sends neither Origin nor Sec-Fetch-Site.
func (s *service) post(f form) servetest.Answer {
	s.t.Helper()
	return send(s.t, http.MethodPost, s.BaseURL, url.Values{"token": {f.token}, "form": {f.formToken}}.Encode(), http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {plainFormCookie + "=" + f.cookie},
	})
}
