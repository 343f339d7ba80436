package httpadapter_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
)

func FuzzTokenForm(f *testing.F) {
	for _, form := range []string{
		"", goodForm, goodForm + "&grant_type=client_credentials&scope=auth:create&expires_in=60", "a=b&a=c", "%zz", "a;b",
		goodForm + "&resource=https://a.example&resource=urn:x",
		goodForm + "&business_id=" + business, "client_secret=%00%ff",
		goodForm + "&expires_in=99999999999999999999", goodForm + "&resource=" + strings.Repeat("a:", 3000),
	} {
		f.Add(form, "")
		f.Add(form, "Basic Y3JtOmNhbmFyeS1zZWNyZXQ=")
	}
	tokens := newTokens(f)
	f.Fuzz(func(t *testing.T, form, authorization string) {
		var headers []string
		if authorization != "" {
			headers = []string{"Authorization", authorization}
		}
		w := post(tokens, typeForm, form, headers...)
		if w.Code == http.StatusOK {
			require.Contains(t, w.Body.String(), `"access_token":"eyJ`)
			return
		}
		require.True(t, slices.Contains([]int{401, 403, 404, 413, 422}, w.Code), "status %d", w.Code)
		requireEnvelope(t, w.Code, w)
		require.Contains(t, w.Body.String(), `"error_description":"`)
	})
}

func FuzzMagicLinkBody(f *testing.F) {
	for _, body := range []string{
		"", goodBody, "{", "[]", `{"ttl":1e999999999}`, `{"business_id":"` + business + `","ttl":5.0,"email":"a@b.de"}`,
		`{"external_business_id":"\ud83d\ude00","path":"/a?b#c","session_timeout":1}`,
		"{\"a\":\"\xff\"}", `{"a":1,"\u0061":2}`,
	} {
		f.Add(body)
	}
	handler, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{Issuer: newIssuer(f), Authenticator: anyone})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body string) {
		w := post(handler, typeJSON, body)
		if w.Code == http.StatusCreated {
			require.Contains(t, w.Body.String(), `{"data":{"magic_link":"https://app.example.com/magic`)
			return
		}
		require.True(t, slices.Contains([]int{413, 422}, w.Code), "status %d", w.Code)
		requireEnvelope(t, w.Code, w)
		if w.Code == http.StatusUnprocessableEntity {
			require.Contains(t, w.Body.String(), `"data":{"fields":[`)
		}
	})
}
