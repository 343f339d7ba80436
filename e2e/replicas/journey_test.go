package replicas_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/servetest"
)

func TestIssueOnOneRedeemOnAnother(t *testing.T) {
	onEachStore(t, func(t *testing.T, store string) {
		f := start(t, store)
		for issuer := range f.replicas {
			for redeemer := range f.replicas {
				link := f.issueAt(issuer)
				got := redeem(f.replicas[redeemer].Origin, link)
				require.Equal(t, http.StatusOK, got.Status, "issued by %d, redeemed by %d: %s", issuer, redeemer, got.Body)
				for _, replica := range f.replicas {
					require.Equal(t, http.StatusGone, redeem(replica.Origin, link).Status)
				}
			}
		}
	})
}

// hiddenField finds the fields of a form.
var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// signIn opens a link through the proxy and presses the button. The requests go to different replicas.
func signIn(t *testing.T, client *http.Client, link string) *http.Response {
	t.Helper()
	page, err := client.Get(link)
	require.NoError(t, err)
	text := readAll(t, page)
	require.Equal(t, http.StatusOK, page.StatusCode, text)
	form := url.Values{}
	for _, field := range hiddenField.FindAllStringSubmatch(text, -1) {
		form.Set(field[1], strings.ReplaceAll(field[2], "&amp;", "&"))
	}
	require.NotEmpty(t, form)
	bare, _, _ := strings.Cut(link, "?")
	post, err := http.NewRequest(http.MethodPost, bare, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	post.Header.Set("Origin", "http://"+post.URL.Host)
	answer, err := client.Do(post)
	require.NoError(t, err)
	readAll(t, answer)
	return answer
}

func newClient(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &http.Client{Jar: jar, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

func TestSignOutOnOneEndsItOnAll(t *testing.T) {
	onEachStore(t, func(t *testing.T, store string) {
		f := start(t, store)
		for at := range f.replicas {
			client := newClient(t)
			answer := signIn(t, client, f.issueAt(at))
			require.Equal(t, http.StatusSeeOther, answer.StatusCode)
			cookies := copied(t, client, f.origin)
			session := func(replica *servetest.Process) int {
				return servetest.Send(http.MethodGet, replica.Origin+"/session", "", http.Header{"Cookie": {cookies}}).Status
			}
			for _, replica := range f.replicas {
				require.Equal(t, http.StatusOK, session(replica), "the control: each knows the session")
			}
			got := servetest.Send(http.MethodPost, f.replicas[at].Origin+"/logout", "", http.Header{
				"Cookie": {cookies}, "Origin": {f.origin}, "Content-Type": {"application/x-www-form-urlencoded"},
			})
			require.Equal(t, http.StatusSeeOther, got.Status, got.Body)
			for i, replica := range f.replicas {
				require.Equal(t, http.StatusUnauthorized, session(replica), "replica %d", i)
			}
		}
	})
}

// copied returns the cookies of a browser as a thief sends them.
func copied(t *testing.T, client *http.Client, origin string) string {
	t.Helper()
	u, err := url.Parse(origin)
	require.NoError(t, err)
	var pairs []string
	for _, cookie := range client.Jar.Cookies(u) {
		pairs = append(pairs, cookie.Name+"="+cookie.Value)
	}
	require.NotEmpty(t, pairs)
	return strings.Join(pairs, "; ")
}
