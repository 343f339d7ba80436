package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

const (
	remoteTimeout = 30 * time.Second // of one request
	maxAnswer     = 8 << 20          // bytes
)

// remote is a server that is asked by its API. The secret of the client and its tokens are sent to the origin alone: redirects are not followed.
type remote struct {
	origin     string
	id, secret string
	client     *http.Client
	tokens     map[string]string // by scope
}

// newRemote takes the client of the environment: a secret on the command line could be read by other users of the machine.
func newRemote(server string, getenv func(string) string) (*remote, error) {
	origin, err := serverOrigin(server)
	if err != nil {
		return nil, err
	}
	id, secret := getenv(clientIDVariable), getenv(clientSecretVariable)
	if id == "" || secret == "" {
		return nil, usagef("-server needs a client: set %s and %s; \"magiclink clients add ops -scope auth:read -scope auth:revoke\" makes one",
			clientIDVariable, clientSecretVariable)
	}
	return &remote{
		origin: origin, id: id, secret: secret, tokens: map[string]string{},
		client: &http.Client{
			Timeout:       remoteTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// serverOrigin accepts https everywhere, and http on this machine alone.
func serverOrigin(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", usagef("-server must be the origin of a server: write https://HOST, without a path and without a user")
	}
	switch {
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u.Scheme + "://" + u.Host, nil
	case u.Scheme == "http":
		return "", usagef("-server must begin with https://: over http the secret of the client could be read on the way; http is for this machine alone")
	}
	return "", usagef("-server must begin with https://, or with http:// on this machine")
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// token returns an access token with the scope, and with no other.
func (r *remote) token(ctx context.Context, scope string) (string, error) {
	if token := r.tokens[scope]; token != "" {
		return token, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {r.id}, "client_secret": {r.secret}, "scope": {scope}}
	var answer struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	request, err := r.request(ctx, http.MethodPost, httpadapter.TokenPath, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, _, err := r.do(request, &answer)
	switch {
	case err != nil:
		return "", err
	case answer.Error == "invalid_scope":
		return "", fmt.Errorf("the client %q may not ask for the scope %s: give it the scope in config.json, or take a client that has it", r.id, scope)
	case answer.Error == "invalid_client":
		return "", fmt.Errorf("the server does not know the client %q with this secret: correct %s and %s", r.id, clientIDVariable, clientSecretVariable)
	case status != http.StatusOK || answer.AccessToken == "":
		return "", fmt.Errorf("the server gave no access token: it answered %d %s", status, plain(strings.TrimSpace(answer.Error+" "+answer.Description)))
	}
	r.tokens[scope] = answer.AccessToken
	return answer.AccessToken, nil
}

func (r *remote) request(ctx context.Context, method, target string, body io.Reader) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, r.origin+target, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	return request, nil
}

// do sends a request and reads the JSON of its answer.
func (r *remote) do(request *http.Request, into any) (status int, header http.Header, err error) {
	response, err := r.client.Do(request)
	if err != nil {
		var fault *url.Error
		if errors.As(err, &fault) { // it names the whole URL, with the address of a person
			err = fault.Err
		}
		return 0, nil, fmt.Errorf("ask %s: %w", r.origin, err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	if response.StatusCode >= 300 && response.StatusCode < 400 {
		return 0, nil, fmt.Errorf("%s redirects to another address: give that one with -server if you trust it; credentials are not sent after a redirect", r.origin)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, nil, fmt.Errorf("read the answer of %s: %w", r.origin, err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return 0, nil, fmt.Errorf("%s answered %d without the JSON of a magiclink server: correct -server", r.origin, response.StatusCode)
	}
	return response.StatusCode, response.Header, nil
}

// call asks a route of the API and decodes the data of its envelope.
func (r *remote) call(ctx context.Context, scope, method, target string, body, data any) error {
	token, err := r.token(ctx, scope)
	if err != nil {
		return err
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = strings.NewReader(string(text))
	}
	request, err := r.request(ctx, method, target, content)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	var envelope struct {
		Error *string         `json:"error"`
		Data  json.RawMessage `json:"data"`
	}
	status, header, err := r.do(request, &envelope)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return refusal(status, text(envelope.Error), header.Get("Retry-After"))
	}
	if err := json.Unmarshal(envelope.Data, data); err != nil {
		return fmt.Errorf("the answer of %s is not one of this version of the API: %w", r.origin, err)
	}
	return nil
}

// refusal is the error of an answer that is not a success.
func refusal(status int, reason, retryAfter string) error {
	switch {
	case status == http.StatusNotFound && reason != "" && !strings.Contains(reason, "path"):
		return magiclink.ErrNotFound
	case status == http.StatusNotFound:
		return errors.New("the server has no such route: is it older than this command?")
	case retryAfter != "":
		reason += "; try again in " + retryAfter + " s"
	}
	return fmt.Errorf("the server answered %d: %s", status, plain(reason))
}
