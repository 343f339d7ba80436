package main_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// person has a browser: cookies, and no more.
type person struct {
	t      *testing.T
	client *http.Client
}

func newPerson(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &person{t, &http.Client{
		Jar: jar, Timeout: httpClient.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (b *person) send(r *http.Request) answer {
	b.t.Helper()
	response, err := b.client.Do(r)
	require.NoError(b.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return answer{response.StatusCode, response.Header, string(body)}
}

func (b *person) get(address string) answer {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	require.NoError(b.t, err)
	return b.send(r)
}

var formAction = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)

// submit fills in the first form of a page: names and values in turn. The form leads to the origin of the links, which is not where a
// replica is.
func (b *person) submit(at string, page answer, fields ...string) answer {
	b.t.Helper()
	form, _, ok := strings.Cut(page.body, "</form>")
	require.True(b.t, ok, "a page with a form: %d %s", page.status, page.body)
	values := url.Values{}
	for _, field := range pageField.FindAllStringSubmatch(form, -1) {
		values.Set(field[1], html.UnescapeString(field[2]))
	}
	for pair := range slices.Chunk(fields, 2) {
		values.Set(pair[0], pair[1])
	}
	to, err := url.Parse(html.UnescapeString(formAction.FindStringSubmatch(form)[1]))
	require.NoError(b.t, err)
	r, err := http.NewRequest(http.MethodPost, at+to.RequestURI(), strings.NewReader(values.Encode()))
	require.NoError(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", at)
	if to.Host != "" {
		r.Header.Set("Origin", to.Scheme+"://"+to.Host)
	}
	return b.send(r)
}

// ask asks for a mail.
func (b *person) ask(at, email string) {
	b.t.Helper()
	got := b.submit(at, b.get(at+"/sign-in"), "email", email)
	require.Equal(b.t, http.StatusSeeOther, got.status, got.body)
	require.True(b.t, strings.HasSuffix(got.header.Get("Location"), "/sign-in/check"))
}

// typed types the code into the waiting page.
func (b *person) typed(at, code string) answer {
	b.t.Helper()
	return b.submit(at, b.get(at+"/sign-in/check"), "code", code)
}

// session is what the server says about who is signed in.
func (b *person) session(at string) answer { b.t.Helper(); return b.get(at + "/session") }

var (
	linkLine = regexp.MustCompile(`(?m)^https?://\S+token=\S+$`)
	codeLine = regexp.MustCompile(`(?m)^[0-9A-Z]{4}-[0-9A-Z]{4}$`)
)

// received is what a person takes out of a mail.
type received struct{ text, link, code string }

func readMail(text string) received {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return received{text, linkLine.FindString(text), codeLine.FindString(text)}
}

// mails waits for n mails in the directory and reads them, the oldest first.
func mails(t *testing.T, dir string, n int) []received {
	t.Helper()
	var names []string
	require.Eventually(t, func() bool {
		names, _ = filepath.Glob(filepath.Join(dir, "*.eml"))
		return len(names) >= n
	}, 30*time.Second, 10*time.Millisecond)
	require.Len(t, names, n)
	slices.Sort(names)
	all := make([]received, 0, n)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		all = append(all, readMail(string(text)))
	}
	return all
}
