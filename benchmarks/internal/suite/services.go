package suite

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/magiclink-go/magiclink/benchmarks/internal/load"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// captured asks the rival's program for the tokens of the links that it has "sent".
func captured(c *service) (tokens []string, err error) {
	conns, err := load.Dial(c.child.address, 1)
	if err != nil {
		return nil, err
	}
	defer load.Close(conns)
	status, body, err := conns[0].Do(load.Request(http.MethodGet, "/captured", ""))
	if err := expect(http.StatusOK, status, body, err); err != nil {
		return nil, err
	}
	return tokens, json.Unmarshal(body, &tokens)
}

// command runs "magiclink serve" on SQLite as it is, but for the client, whose secret has to be known, and for the limits: all of the load
// comes from one address.
func (s *Suite) command(ctx context.Context, dir string) (*service, error) {
	data := filepath.Join(dir, "data")
	child, err := start(ctx, dir, []string{"MAGICLINK_CLIENT_ID=bench", "MAGICLINK_CLIENT_SECRET=a secret that is long enough to be one"},
		s.Magiclink, "serve", "-addr", "127.0.0.1:0", "-data", data, "-limit-subject", "off", "-limit-redeem", "off")
	if err != nil {
		return nil, err
	}
	token, err := grant(child.address)
	if err != nil {
		return nil, err
	}
	c := &service{child: child, created: http.StatusCreated}
	for n := range people {
		body := fmt.Sprintf(`{"external_business_id":"acme","ttl":15,"email":"user%d@example.com"}`, n)
		c.issues = append(c.issues, load.Request(http.MethodPost, httpadapter.IssuePath, body, "Authorization: Bearer "+token))
	}
	c.redeem = func(token string) []byte {
		return load.Request(http.MethodPost, httpadapter.RedeemPath, `{"token":"`+token+`"}`)
	}
	_, err = os.Stat(filepath.Join(data, "magiclink.db")) // what is measured is on the disk
	return c, err
}

// grant gets an access token by the client's credentials.
func grant(address string) (string, error) {
	response, err := http.PostForm("http://"+address+httpadapter.TokenPath, url.Values{ //nolint:noctx // loopback
		"grant_type": {"client_credentials"}, "client_id": {"bench"}, "client_secret": {"a secret that is long enough to be one"},
	})
	if err != nil {
		return "", err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", err
	}
	if answer.AccessToken == "" {
		return "", fmt.Errorf("the token endpoint answered %d", response.StatusCode)
	}
	return answer.AccessToken, nil
}
