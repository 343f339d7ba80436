package magiclink_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

const canary = "CANARY-7f3a"

// No error and no log line quotes what came in.
func TestErrorsQuoteNoValues(t *testing.T) {
	var log bytes.Buffer
	f := newFixture(t, func(c *magiclink.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.OnEvent = func(context.Context, magiclink.Event) { panic(canary) }
	})
	for _, in := range []magiclink.MagicLinkCreate{
		{BusinessID: canary, ExternalBusinessID: canary + "\n", Email: canary, Path: canary, TTL: -1, Caller: caller("", canary)},
		{Caller: caller(canary+"\x00", ""), BusinessID: businessA},
		{Caller: caller("", businessB), BusinessID: businessA, Email: canary + "@example.com", Path: "/" + canary},
		{BusinessID: businessA, Email: canary + "@example.com", Path: "/" + canary, ExternalBusinessID: canary},
	} {
		_, err := f.Issue(t.Context(), in)
		requireNoCanary(t, err, in)
	}
	for _, body := range []string{
		canary, `{"` + canary + `":1,"` + canary + `":2}`, withID(`"email":"` + canary + `"`), withID(`"path":"` + canary + `"`),
		withID(`"email":"` + canary + "\xff"), withID(`"` + canary), withID(`"ttl":"` + canary + `"`), `{"business_id":"` + canary + `"}`,
	} {
		_, err := f.IssueJSON(t.Context(), magiclink.Caller{}, []byte(body))
		require.Error(t, err)
		requireNoCanary(t, err, nil)
	}
	requireNoCanary(t, f.Revoke(t.Context(), canary, canary), nil)
	require.Contains(t, log.String(), "panicked", "there was something to read")
	require.NotContains(t, log.String(), canary)
	require.NotContains(t, log.String(), "token")
}

func requireNoCanary(t *testing.T, err error, in any) {
	t.Helper()
	if err == nil {
		return
	}
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	var faults magiclink.FieldErrors
	if errors.As(err, &faults) {
		more, err := json.Marshal(faults)
		require.NoError(t, err)
		text += string(more)
	}
	require.NotContains(t, text, canary, "%v", in)
}

func TestFaultsOfConfigQuoteNoPassword(t *testing.T) {
	_, err := magiclink.New(magiclink.Config{BaseURL: "https://user:" + canary + "@app.example.com"})
	require.Error(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), canary)
	_, err = magiclink.New(magiclink.Config{BaseURL: "https://user:" + canary + "@app.example.com:%zz"})
	require.Error(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), canary)
}

// A keyring may be printed or logged by accident.
func TestKeyringPrintsNoMaterial(t *testing.T) {
	secret := []byte(canary + " and so on, and so on, until it is long")
	keys, err := magiclink.NewKeyring(secret)
	require.NoError(t, err)
	f := newFixture(t, func(c *magiclink.Config) { c.Keys = keys })

	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "keys", keys, "issuer", f.Issuer, "info", keys.Keys())
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "keys", keys, "issuer", f.Issuer, "info", keys.Keys())
	printed, err := json.Marshal([]any{keys, f.Issuer, keys.Keys()})
	require.NoError(t, err)
	text := log.String() + string(printed)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		text += fmt.Sprintf(verb, keys) + fmt.Sprintf(verb, keys.Keys()) + fmt.Sprintf(verb, f.Issuer)
	}
	for _, form := range []string{
		canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%v", []byte(canary))[1:20],
		base64.StdEncoding.EncodeToString(secret)[:12], base64.RawURLEncoding.EncodeToString(secret)[:12],
	} {
		require.NotContains(t, text, form)
	}
	require.Contains(t, text, keys.Keys()[0].ID, "there was something to read")
}

// No error, event or log line quotes a link, the person that it signs in, or the place where it leads.
func TestRedeemingQuotesNoValues(t *testing.T) {
	var said strings.Builder
	outage := errors.New("outage")
	panics := false
	f := newFixture(t, func(c *magiclink.Config) {
		c.OnEvent = func(_ context.Context, event magiclink.Event) {
			fmt.Fprintf(&said, "%+v\n", event)
			if panics {
				panic(canary)
			}
		}
	})
	in := magiclink.MagicLinkCreate{
		Caller: caller("tenant-1", ""), BusinessID: businessA, ExternalBusinessID: canary, Email: canary + "@example.com", Path: "/" + canary,
	}
	var secrets []string
	redeem := func(token string) {
		for _, redeem := range []func(context.Context, string) (magiclink.Redemption, error){f.Inspect, f.Redeem} {
			_, err := redeem(t.Context(), token)
			fmt.Fprintf(&said, "%v %+v %#v\n", err, err, err)
		}
	}
	for _, panics = range []bool{false, true} {
		for _, prepare := range []func(token, id string){
			func(string, string) {},
			func(token, _ string) { redeem(token) },
			func(_, id string) { require.NoError(t, f.Revoke(t.Context(), "tenant-1", id)) },
			func(string, string) { f.clock.set(noon.AddDate(1, 0, 0)) },
			func(string, string) { f.store.before = func(context.Context) error { return outage } },
		} {
			f.clock.set(noon)
			f.store.before = nil
			token, id := f.link(t, in)
			secrets = append(secrets, token, strings.Split(token, ".")[1], strings.Split(token, ".")[2])
			prepare(token, id)
			for _, bad := range invalidTokensOf(token) {
				redeem(bad)
			}
			redeem(token)
		}
	}
	f.clock.set(noon)
	f.store.before = nil
	token, _ := f.link(t, in)
	redeemed, err := f.RedeemBy(t.Context(), token, canary+" by")
	require.NoError(t, err)
	_, err = f.RedeemBy(t.Context(), token, canary+"\n")
	fmt.Fprintf(&said, "%v %#v\n", err, err)
	session, granted, err := f.sessions.Grant(t.Context(), redeemed)
	require.NoError(t, err)
	_, err = f.sessions.Verify(t.Context(), session+canary)
	fmt.Fprintf(&said, "%v %#v\n", err, err)
	redeemed.Email = repeat(canary, 1000)
	_, _, err = f.sessions.Grant(t.Context(), redeemed)
	fmt.Fprintf(&said, "%v %#v\n", err, err)
	granted.ID = "ses_" + canary
	fmt.Fprintf(&said, "%v\n", f.sessions.End(t.Context(), granted))

	text := said.String() + f.log.String()
	for _, control := range []string{
		"already used", "revoked", "expired", "invalid token", "outage", "<nil>", "redeem", "OnEvent panicked", "by must be",
		"longer than", "mlk_", "end a session",
	} {
		require.True(t, strings.Contains(text, control), "the control: %s has happened", control)
	}
	for _, secret := range append(secrets, session, canary, strings.ToLower(canary), "example.com", "eyJ") {
		require.False(t, strings.Contains(text, secret), secret) // the text is too long to print
	}
}

func invalidTokensOf(token string) []string {
	return []string{"", canary, token + canary, canary + token, canary + "." + canary + "." + canary, baseURL + "/" + canary + "?token=" + token}
}
