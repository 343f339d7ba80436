package httpadapter_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// Whatever happens on the pages and routes, no log line, event or redirection says what a token is, who was signed in, or
// what is secret between page and browser; and no answer but the one to its owner has a credential.
func TestRedeemingLogsNothingSecret(t *testing.T) {
	s := newSite(t, func(c *httpadapter.PageConfig) { c.NewLinkURL = "/new" })
	in := create
	in.Email, in.ExternalBusinessID = "canary.mail@canary.example", "canary-shop"
	var secrets []string
	statuses, redirections := map[int]int{}, ""
	note := func(got view) view {
		statuses[got.status]++
		redirections += got.header.Get("Location") + "\n"
		for _, cookie := range got.cookies {
			if cookie.Value != "" {
				secrets = append(secrets, cookie.Value)
			}
		}
		return got
	}
	round := func() {
		link, id := s.link(in)
		token := tokenOf(t, link)
		secrets = append(secrets, token, strings.Split(token, ".")[1], strings.Split(token, ".")[2])
		b := s.browser()
		shown := note(b.get(link))
		if shown.status == http.StatusOK {
			f := shown.form(t)
			secrets = append(secrets, f.fields.Get("form"))
			note(s.browser().post(f))
			note(b.send(http.MethodPost, f.action+"?token="+token, f.fields.Encode()+"&x=canary", "Content-Type", typeForm, "Sec-Fetch-Site", "cross-site"))
			note(b.post(f))
			note(b.post(f))
			note(b.get(s.server.URL + "/session"))
			note(b.send(http.MethodPost, s.server.URL+httpadapter.LogoutPath, "token=canary", "Content-Type", typeForm))
		}
		note(b.get(link + "canary"))
		note(b.send(http.MethodPut, link, token))
		note(b.redeemJSON(`{"token":"` + token + `"}`))
		note(b.redeemJSON(`{"token":"` + token + `","token":"canary"}`))
		other, _ := s.link(in)
		secrets = append(secrets, tokenOf(t, other))
		got := note(b.redeemJSON(`{"token":"` + tokenOf(t, other) + `"}`))
		if session, ok := got.data(t)["session_token"].(string); ok {
			secrets = append(secrets, session)
			note(b.send(http.MethodGet, s.server.URL+"/session", "", "Authorization", "Bearer "+session))
			note(s.browser().send(http.MethodGet, s.server.URL+"/session", "", "Authorization", "Bearer "+session+"x"))
		}
		require.NoError(t, s.store.Revoke(t.Context(), id, s.now()))
		note(b.get(link))
	}
	round()
	require.Empty(t, s.log.String(), "nothing that visitors do is logged by the library")
	s.store.set(func(context.Context) error { return errors.New("the store is down") }, nil)
	round()
	s.store.set(func(context.Context) error { panic("canary") }, nil)
	round()
	s.store.set(nil, func() error { return magiclink.ErrUnknownOutcome })
	round()
	s.store.set(nil, nil)

	for _, status := range []int{200, 303, 401, 403, 405, 410, 422, 503} {
		require.Positive(t, statuses[status], "the control: %d was among the answers", status)
	}
	require.Greater(t, len(secrets), 20)
	require.Contains(t, redirections, "/reports")
	text := s.log.String() + redirections
	require.Contains(t, text, "the store is down")
	require.Contains(t, text, "panicked")
	for _, event := range s.events {
		text += fmt.Sprintf("%+v\n", event)
	}
	require.Contains(t, text, "Op:redeem Reason: ", "the control: a redemption was told")
	for _, secret := range append(secrets, "canary", "eyJ", "token=") {
		require.NotContains(t, text, secret)
	}
}
