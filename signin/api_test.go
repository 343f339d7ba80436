package signin_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/signin"
)

// begin asks for a mail as a single-page app does, and returns the flow.
func (b *browser) begin(address string) string {
	b.t.Helper()
	text, err := json.Marshal(map[string]string{"email": address, "next": "/reports"})
	require.NoError(b.t, err)
	got := b.json(signin.RequestJSONPath, string(text))
	require.Equal(b.t, http.StatusAccepted, got.status, got.body)
	var body struct{ Data struct{ Flow string } }
	require.NoError(b.t, json.Unmarshal([]byte(got.body), &body))
	require.NotEmpty(b.t, body.Data.Flow)
	require.Equal(b.t, `{"data":{"flow":"`+body.Data.Flow+`"}}`+"\n", got.body)
	return body.Data.Flow
}

func (b *browser) code(flow, code string) answer {
	b.t.Helper()
	text, err := json.Marshal(map[string]string{"flow": flow, "code": code})
	require.NoError(b.t, err)
	return b.json(signin.CodeJSONPath, string(text))
}

func TestSignInAsJSON(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s := newSiteOn(t, open(t))
			client := s.browser()
			flow := client.begin(jane)
			mail := s.last()
			wrong := client.code(flow, "2222-2222")
			require.Equal(t, http.StatusGone, wrong.status)
			for _, dead := range []answer{client.code("x", mail.Code), client.code("", ""), client.code(flow, "ab"), client.code(client.begin("nobody@x.example"), mail.Code)} {
				require.Equal(t, wrong.status, dead.status)
				require.Equal(t, wrong.body, dead.body, "one body for everything that is not right")
				require.Equal(t, wrong.header, dead.header)
			}
			got := client.code(flow, strings.ToLower(mail.Code))
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Empty(t, got.header.Values("Set-Cookie"))
			var body struct{ Data map[string]any }
			require.NoError(t, json.Unmarshal([]byte(got.body), &body))
			session, err := s.Sessions().Verify(t.Context(), body.Data["session_token"].(string))
			require.NoError(t, err)
			require.Equal(t, jane, session.Email)
			delete(body.Data, "session_token")
			require.Equal(t, map[string]any{
				"magic_link_id": session.MagicLinkID, "business_id": nil, "external_business_id": "acme", "email": jane, "path": "/reports",
				"expires_at": session.ExpiresAt.Format(time.RFC3339),
			}, body.Data)
			require.Equal(t, got.body, client.code(flow, mail.Code).body, "the same again, whose answer was lost")
			s.clock.move(time.Minute + time.Second)
			require.Equal(t, wrong.body, client.code(flow, mail.Code).body)
		})
	}
}

// A flow that an app has begun can be finished in its browser, and the other way round: it is one value.
func TestFlowIsTheCookie(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	mail := b.waiting(jane)
	require.Equal(t, http.StatusOK, s.browser().code(b.cookies["__Host-magiclink_signin"], mail.Code).status)
}

func TestMalformedJSON(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	for path, bodies := range map[string][]string{
		signin.RequestJSONPath: {``, `{}`, `[]`, `{"email":1}`, `{"email":null}`, `{"email":"a","next":1}`, `{"email":"a","email":"b"}`, `{"email":"a"} x`, `{"email":"\ud800"}`},
		signin.CodeJSONPath:    {``, `{}`, `{"flow":"a"}`, `{"code":"a"}`, `{"flow":1,"code":"a"}`, `{"flow":"a","code":null}`},
	} {
		for _, body := range bodies {
			got := b.json(path, body)
			require.Equal(t, http.StatusUnprocessableEntity, got.status, body)
			require.Contains(t, got.body, `"data":{"fields":[]}`)
			require.Equal(t, "application/json", got.header.Get("Content-Type"))
		}
		require.Equal(t, http.StatusRequestEntityTooLarge, b.json(path, `{"x":"`+strings.Repeat("x", 16<<10)+`"}`).status)
		got := b.get(path)
		require.Equal(t, http.StatusMethodNotAllowed, got.status)
		require.Equal(t, "POST", got.header.Get("Allow"))
		require.Equal(t, http.StatusUnprocessableEntity, b.post(path, nil).status, "a form of another site needs no preflight")
	}
	require.Equal(t, http.StatusAccepted, b.json(signin.RequestJSONPath, `{"email":"a","next":null,"x":1}`).status)
}

// An app is told how long to wait. That depends on the client alone.
func TestLimitedJSON(t *testing.T) {
	s := newSite(t, func(c *signin.Config) {
		c.Limits.PerClient = magiclink.Rate{Burst: 2, Every: 30 * time.Second}
		c.Limits.CodesPerClient = magiclink.Rate{Burst: 2, Every: 20 * time.Second}
	})
	b := s.browser("X-Test-Client", "192.0.2.7")
	flow := b.begin(jane)
	b.begin("nobody@x.example")
	for _, address := range []string{jane, "nobody@x.example", "x"} {
		got := b.json(signin.RequestJSONPath, `{"email":"`+address+`"}`)
		require.Equal(t, http.StatusTooManyRequests, got.status)
		require.Equal(t, "30", got.header.Get("Retry-After"))
	}
	b.code(flow, "2222-2222")
	b.code(flow, "2222-2222")
	got := b.code(flow, s.last().Code)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Equal(t, "20", got.header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, s.browser("X-Test-Client", "192.0.2.8").code(flow, s.last().Code).status)
}
