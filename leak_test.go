package magiclink_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
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
		{BusinessID: canary, ExternalBusinessID: canary + "\n", Email: canary, Path: canary, TTL: -1, ScopedBusinessID: canary},
		{TenantID: canary + "\x00", BusinessID: businessA},
		{BusinessID: businessA, ScopedBusinessID: businessB, Email: canary + "@example.com", Path: "/" + canary},
		{BusinessID: businessA, Email: canary + "@example.com", Path: "/" + canary, ExternalBusinessID: canary},
	} {
		_, err := f.Issue(t.Context(), in)
		requireNoCanary(t, err, in)
	}
	for _, body := range []string{
		canary, `{"` + canary + `":1,"` + canary + `":2}`, withID(`"email":"` + canary + `"`), withID(`"path":"` + canary + `"`),
		withID(`"email":"` + canary + "\xff"), withID(`"` + canary), withID(`"ttl":"` + canary + `"`), `{"business_id":"` + canary + `"}`,
	} {
		_, err := f.ParseCreate([]byte(body))
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
