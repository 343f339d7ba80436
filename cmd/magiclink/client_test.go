package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testClient is the client that tests give to a first start by its environment.
var testClient = []string{"MAGICLINK_CLIENT_ID=crm", "MAGICLINK_CLIENT_SECRET=" + testSecret}

const testSecret = "correct-horse-battery-staple"

var httpClient = &http.Client{Timeout: 30 * time.Second}

// answer is an HTTP answer with its body read.
type answer struct {
	status int
	header http.Header
	body   string
}

func do(t *testing.T, r *http.Request) answer {
	t.Helper()
	response, err := httpClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header, string(body)}
}

func (p *process) get(path string) answer {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.origin+path, nil)
	require.NoError(p.t, err)
	return do(p.t, r)
}

// eventually waits for what a running serve does by itself.
func (p *process) eventually(done func() bool, what string) {
	p.t.Helper()
	require.Eventually(p.t, done, 30*time.Second, 20*time.Millisecond, what)
}

// askToken asks for an access token with the credentials.
func (p *process) askToken(id, secret string) answer {
	p.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	r, err := http.NewRequest(http.MethodPost, p.origin+"/v0/auth/token", strings.NewReader(form.Encode()))
	require.NoError(p.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return do(p.t, r)
}

func (p *process) tokenStatus(id, secret string) int { return p.askToken(id, secret).status }

// token gets an access token for testClient.
func (p *process) token() string {
	p.t.Helper()
	got := p.askToken("crm", testSecret)
	require.Equal(p.t, http.StatusOK, got.status, got.body)
	var body struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(p.t, json.Unmarshal([]byte(got.body), &body))
	return body.AccessToken
}

// issue asks for a link with a body.
func (p *process) issue(token, body string) answer {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.origin+"/v0/auth/magic-link", strings.NewReader(body))
	require.NoError(p.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	return do(p.t, r)
}

const acme = `{"external_business_id":"acme","email":"jane@example.com","path":"/reports"}`
