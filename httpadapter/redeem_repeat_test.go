package httpadapter_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// redeemDesk is the route that redeems links, with a clock.
type redeemDesk struct {
	*core
	handler http.Handler
	at      time.Time
}

func newRedeemDesk(tb testing.TB, change ...func(*httpadapter.RedeemConfig)) *redeemDesk {
	tb.Helper()
	d := &redeemDesk{at: noon}
	clock := func() time.Time { return d.at }
	d.core = newCore(tb, func(c *magiclink.Config) { c.Now = clock })
	logger, _ := logTo()
	config := httpadapter.RedeemConfig{Redeemer: d.redeemer, Sessions: d.sessions, Now: clock, Logger: logger}
	for _, c := range change {
		c(&config)
	}
	handler, err := httpadapter.NewRedeemHandler(config)
	require.NoError(tb, err)
	d.handler = handler
	return d
}

func (d *redeemDesk) redeem(token string, headers ...string) *httptest.ResponseRecorder {
	return post(d.handler, typeJSON, `{"token":"`+token+`"}`, headers...)
}

// The same key gets the same answer for one minute after the link was used, and another key gets nothing.
func TestIdempotencyKey(t *testing.T) {
	const key = "Idempotency-Key"
	d := newRedeemDesk(t)
	token := d.link(t, create)
	first := d.redeem(token, key, "k1")
	require.Equal(t, http.StatusOK, first.Code)
	answers := func(w *httptest.ResponseRecorder) (list []any) {
		var body struct{ Data map[string]any }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
		session, err := d.sessions.Verify(t.Context(), body.Data["session_token"].(string))
		require.NoError(t, err)
		return []any{body.Data["magic_link_id"], body.Data["email"], body.Data["path"], body.Data["expires_at"], session}
	}
	for after, status := range map[time.Duration]int{
		0: 200, time.Second: 200, time.Minute: 200, time.Minute + time.Millisecond: 410, time.Hour: 410,
	} {
		d.at = noon.Add(after)
		again := d.redeem(token, key, "k1")
		require.Equal(t, status, again.Code, after)
		if status == 200 {
			require.Equal(t, answers(first), answers(again))
		}
	}
	d.at = noon.Add(time.Second)
	for _, headers := range [][]string{nil, {key, "k2"}, {key, "K1"}, {key, `"k1"`}} {
		requireEnvelope(t, http.StatusGone, d.redeem(token, headers...))
	}
	require.Equal(t, http.StatusOK, d.redeem("https://app.example.com/magic?token="+token, key, "k1").Code, "the link in place of its token")
	require.Equal(t, http.StatusOK, d.redeem(d.link(t, create), key, "k1").Code, "a key for another link")
}

// A link that was used without a key is used.
func TestNoIdempotencyKey(t *testing.T) {
	d := newRedeemDesk(t)
	token := d.link(t, create)
	require.Equal(t, http.StatusOK, d.redeem(token).Code)
	requireEnvelope(t, http.StatusGone, d.redeem(token))
	requireEnvelope(t, http.StatusGone, d.redeem(token, "Idempotency-Key", "k1"))
}

// A session that was ended does not come back by a repetition.
func TestIdempotencyKeyAfterTheEnd(t *testing.T) {
	d := newRedeemDesk(t)
	token := d.link(t, create)
	first := d.redeem(token, "Idempotency-Key", "k1")
	var body struct{ Data map[string]any }
	require.NoError(t, json.Unmarshal(first.Body.Bytes(), &body))
	session, err := d.sessions.Verify(t.Context(), body.Data["session_token"].(string))
	require.NoError(t, err)
	require.NoError(t, d.sessions.End(t.Context(), session))
	requireEnvelope(t, http.StatusGone, d.redeem(token, "Idempotency-Key", "k1"))
}

// A person who was suspended meanwhile is asked about again, as on the page: there is no session token, and OnRedeem does not run.
func TestIdempotencyKeyOfSomebodyWhoIsNotAdmittedAnyMore(t *testing.T) {
	var refusal error
	asked, redeemed := []string{}, 0
	d := newRedeemDesk(t, func(c *httpadapter.RedeemConfig) {
		c.Admit = func(_ *http.Request, redemption magiclink.Redemption) error {
			asked = append(asked, redemption.Email)
			return refusal
		}
		c.OnRedeem = func(http.ResponseWriter, *http.Request, magiclink.Redemption) error { redeemed++; return nil }
	})
	token := d.link(t, create)
	require.Equal(t, http.StatusOK, d.redeem(token, "Idempotency-Key", "k1").Code)
	require.Equal(t, http.StatusOK, d.redeem(token, "Idempotency-Key", "k1").Code, "the control")
	refusal = httpadapter.ErrRefused
	requireEnvelope(t, http.StatusGone, d.redeem(token, "Idempotency-Key", "k1"))
	refusal = errors.New("outage")
	requireEnvelope(t, http.StatusServiceUnavailable, d.redeem(token, "Idempotency-Key", "k1"))
	require.Equal(t, 2, redeemed)
	requireEnvelope(t, http.StatusGone, d.redeem(token, "Idempotency-Key", "k2"))
	require.Equal(t, slices.Repeat([]string{create.Email}, 4), asked, "once for each call with the right key")
}

func TestMalformedIdempotencyKey(t *testing.T) {
	d := newRedeemDesk(t)
	token := d.link(t, create)
	for name, keys := range map[string][]string{
		"empty": {""}, "a space": {"a b"}, "a tab": {"a\tb"}, "not ASCII": {"ü"}, "a control": {"a\x01"},
		"256 characters": {strings.Repeat("k", 256)}, "two": {"a", "a"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"token":"`+token+`"}`))
		r.Header["Content-Type"], r.Header["Idempotency-Key"] = []string{typeJSON}, keys
		w := httptest.NewRecorder()
		d.handler.ServeHTTP(w, r)
		requireEnvelope(t, http.StatusUnprocessableEntity, w)
		require.Contains(t, w.Body.String(), "Idempotency-Key", name)
		require.Contains(t, w.Body.String(), `"data":{"fields":[]}`)
	}
	require.Equal(t, http.StatusOK, d.redeem(token, "Idempotency-Key", strings.Repeat("~", 255)).Code, "control")
}

// What is stored tells nobody the key.
func TestIdempotencyKeyIsNotStored(t *testing.T) {
	d := newRedeemDesk(t)
	token := d.link(t, create)
	w := d.redeem(token, "Idempotency-Key", "canary-key")
	var body struct{ Data map[string]any }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	record, err := d.store.Get(t.Context(), body.Data["magic_link_id"].(string))
	require.NoError(t, err)
	require.Len(t, record.ConsumedBy, 43)
	require.NotContains(t, record.ConsumedBy, "canary")
}

// Racing requests with one key all get the session, and with different keys exactly one does.
func TestIdempotencyKeysRace(t *testing.T) {
	for name, row := range map[string]struct {
		key  func(n int) string
		want int
	}{
		"one key":    {func(int) string { return "k" }, 8},
		"many keys":  {func(n int) string { return strings.Repeat("k", n+1) }, 1},
		"two by two": {func(n int) string { return strings.Repeat("k", n/4+1) }, 4},
	} {
		t.Run(name, func(t *testing.T) {
			d := newRedeemDesk(t)
			token := d.link(t, create)
			var group sync.WaitGroup
			codes := make([]int, 8)
			for n := range codes {
				group.Go(func() { codes[n] = d.redeem(token, "Idempotency-Key", row.key(n)).Code })
			}
			group.Wait()
			succeeded := 0
			for _, code := range codes {
				if code == http.StatusOK {
					succeeded++
				}
			}
			require.Equal(t, row.want, succeeded, codes)
		})
	}
}
