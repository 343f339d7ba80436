package servetest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The API client that [ClientEnv] gives to a first start.
const (
	ClientID     = "crm"
	ClientSecret = "correct-horse-battery-staple"
)

// ClientEnv returns the environment that makes a first start register the client of [Process.Token].
func ClientEnv() []string {
	return []string{"MAGICLINK_CLIENT_ID=" + ClientID, "MAGICLINK_CLIENT_SECRET=" + ClientSecret}
}

// client follows no redirection and keeps no cookie.
var client = &http.Client{
	Timeout:       patience,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
}

// Answer is an HTTP answer with its body read.
type Answer struct {
	Status int // 0 when there was no answer
	Header http.Header
	Body   string
	Took   time.Duration
	Err    error // why there was no answer
}

// Send sends a request and never fails the test. The target is a path below Origin, or a whole URL; headers are names
// and values in turn. It follows no redirection and keeps no cookie.
func (p *Process) Send(method, target, body string, headers ...string) Answer {
	if strings.HasPrefix(target, "/") {
		target = p.Origin + target
	}
	header := http.Header{}
	for n := 0; n+1 < len(headers); n += 2 {
		header.Add(headers[n], headers[n+1])
	}
	return Send(method, target, body, header)
}

// Send is [Process.Send] for any URL. The header is not changed; nil is an empty one.
func Send(method, target, body string, header http.Header) Answer {
	begun := time.Now()
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		return Answer{Err: err}
	}
	r.Header = header
	response, err := client.Do(r)
	if err != nil {
		return Answer{Err: err, Took: time.Since(begun)}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{Err: err, Took: time.Since(begun)}
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: string(text), Took: time.Since(begun)}
}

// Text returns a text member of the answer's JSON: of the object "data" in an answer that has one.
func (a Answer) Text(tb testing.TB, member string) string {
	tb.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(a.Body), &body); err != nil {
		tb.Fatalf("the answer %d %q is no JSON object: %v %v", a.Status, a.Body, err, a.Err)
	}
	if data, ok := body["data"].(map[string]any); ok {
		body = data
	}
	text, ok := body[member].(string)
	if !ok {
		tb.Fatalf("the answer %d %s has no text %q", a.Status, a.Body, member)
	}
	return text
}

// Token returns an access token of the client that [ClientEnv] has registered. All calls return the same one.
func (p *Process) Token() string { return p.token() }

func (p *Process) requestToken() string {
	p.tb.Helper()
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {ClientID}, "client_secret": {ClientSecret},
	}
	got := p.Send(http.MethodPost, "/v0/auth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	if got.Status != http.StatusOK {
		p.tb.Fatalf("no access token: %d %s %v", got.Status, got.Body, got.Err)
	}
	return got.Text(p.tb, "access_token")
}

// Issue asks for a link, with the token of [Process.Token].
func (p *Process) Issue(body string) Answer {
	return p.Send(http.MethodPost, "/v0/auth/magic-link", body, "Content-Type", "application/json", "Authorization", "Bearer "+p.Token())
}

// Redeem redeems a link, or the token of one, as a back end does.
func (p *Process) Redeem(link string) Answer {
	body, err := json.Marshal(map[string]string{"token": TokenOf(link)})
	if err != nil {
		return Answer{Err: err}
	}
	return p.Send(http.MethodPost, "/v0/auth/magic-link/redeem", string(body), "Content-Type", "application/json")
}

// TokenOf returns the token in a link: the last of its parameters of that name. What is no link is returned as it is.
func TokenOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	tokens := u.Query()["token"]
	if len(tokens) == 0 {
		return link
	}
	return tokens[len(tokens)-1]
}
