package e2e_test

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// client follows no redirection and keeps no cookie.
var client = &http.Client{
	Timeout:       patience,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
}

// answer is an HTTP answer with its body read.
type answer struct {
	status int
	header http.Header
	body   string
}

func send(t *testing.T, method, address, body string, header http.Header) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	require.NoError(t, err)
	if header != nil {
		r.Header = header
	}
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header, string(text)}
}

// link is an issued link.
type link struct{ url, id string }

// token is the credential in the link.
func (l link) token() string {
	u, err := url.Parse(l.url)
	if err != nil {
		return ""
	}
	tokens := u.Query()["token"]
	return tokens[len(tokens)-1]
}

func (s *service) accessToken() string {
	form := url.Values{"client_id": {clientID}, "client_secret": {clientSecret}}
	got := send(s.t, http.MethodPost, s.origin+"/v0/auth/token", form.Encode(), http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"},
	})
	require.Equal(s.t, http.StatusOK, got.status, got.body)
	var body struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(s.t, json.Unmarshal([]byte(got.body), &body))
	return body.AccessToken
}

// tryIssue asks the API for a link.
func (s *service) tryIssue(body string) answer {
	s.t.Helper()
	return send(s.t, http.MethodPost, s.origin+"/v0/auth/magic-link", body, http.Header{
		"Content-Type": {"application/json"}, "Authorization": {"Bearer " + s.token()},
	})
}

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
	return readLink(s.t, s.tryIssue(string(body)))
}

func readLink(t *testing.T, got answer) link {
	t.Helper()
	require.Equal(t, http.StatusCreated, got.status, got.body)
	var body struct {
		Data struct {
			MagicLink   string `json:"magic_link"`
			MagicLinkID string `json:"magic_link_id"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal([]byte(got.body), &body))
	return link{body.Data.MagicLink, body.Data.MagicLinkID}
}

const (
	formCookie    = "__Host-magiclink_form"
	sessionCookie = "__Host-magiclink_session"
)

// form is what the confirmation page would post, and the cookie that goes with it.
type form struct{ token, formToken, cookie string }

var (
	hiddenField   = regexp.MustCompile(`<input type="hidden" name="(token|form)" value="([^"]*)">`)
	setFormCookie = regexp.MustCompile(`^` + formCookie + `=([\w-]{43});`)
)

// openForm loads the page of a link as a browser with the form cookie would; an empty cookie is none yet.
func (s *service) openForm(l link, cookie string) form {
	s.t.Helper()
	header := http.Header{}
	if cookie != "" {
		header.Set("Cookie", formCookie+"="+cookie)
	}
	page := send(s.t, http.MethodGet, l.url, "", header)
	require.Equal(s.t, http.StatusOK, page.status, page.body)
	f := form{cookie: cookie}
	if cookie == "" {
		match := setFormCookie.FindStringSubmatch(page.header.Get("Set-Cookie"))
		require.NotNil(s.t, match)
		f.cookie = match[1]
	}
	for _, field := range hiddenField.FindAllStringSubmatch(page.body, -1) {
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

// post submits the form as a browser that sends neither Origin nor Sec-Fetch-Site.
func (s *service) post(f form) answer {
	s.t.Helper()
	return send(s.t, http.MethodPost, s.baseURL, url.Values{"token": {f.token}, "form": {f.formToken}}.Encode(), http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {formCookie + "=" + f.cookie},
	})
}
