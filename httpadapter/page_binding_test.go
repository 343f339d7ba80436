package httpadapter_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// fakeBinding answers what it is told to.
type fakeBinding struct {
	state  httpadapter.BindingState
	err    error
	panics bool
	proofs []httpadapter.Proof
}

func (f *fakeBinding) Flow(*http.Request) string { return "the flow" }

func (f *fakeBinding) Check(_ context.Context, _ magiclink.Redemption, proof httpadapter.Proof) (httpadapter.BindingState, error) {
	f.proofs = append(f.proofs, proof)
	if f.panics {
		panic(canaryText)
	}
	return f.state, f.err
}

func (f *fakeBinding) Forget(http.ResponseWriter, *http.Request, string) {}

func (f *fakeBinding) Open(redemption magiclink.Redemption) magiclink.Redemption {
	redemption.Delivered = magiclink.DeliveredByMail
	return redemption
}

// Whatever a binding answers but that it holds leaves the link unused, for a GET and for a click.
func TestBinding(t *testing.T) {
	for name, row := range map[string]struct {
		answer    fakeBinding
		get, post int
		says      string
		asks      bool // for the code
	}{
		"needs a code":    {fakeBinding{state: httpadapter.BindingNeedsCode}, 200, 403, "another browser", true},
		"wrong code":      {fakeBinding{state: httpadapter.BindingWrongCode}, 200, 403, "This code is not right", true},
		"code ended":      {fakeBinding{state: httpadapter.BindingCodeEnded}, 200, 403, "too many wrong codes", false},
		"needs a browser": {fakeBinding{state: httpadapter.BindingNeedsBrowser}, 200, 403, "another browser", false},
		"nothing":         {fakeBinding{}, 200, 403, "another browser", false},
		"something else":  {fakeBinding{state: "whatever"}, 200, 403, "another browser", false},
		"outage":          {fakeBinding{state: httpadapter.BindingHolds, err: errors.New("down")}, 503, 503, "does not answer", false},
		"panic":           {fakeBinding{panics: true}, 503, 503, "does not answer", false},
	} {
		t.Run(name, func(t *testing.T) {
			binding := &fakeBinding{state: httpadapter.BindingHolds}
			var took []magiclink.Redemption
			s := newSite(t, func(c *httpadapter.PageConfig) {
				c.Binding = binding
				c.OnRedeem = func(_ http.ResponseWriter, _ *http.Request, redeemed magiclink.Redemption) error {
					took = append(took, redeemed)
					return nil
				}
			})
			link, _ := s.link(create)
			b := s.browser()
			f := b.get(link).form(t)
			*binding = row.answer
			got := b.get(link)
			require.Equal(t, row.get, got.status)
			requireSecure(t, got)
			f.fields.Set("code", "abcd")
			got = b.post(f)
			require.Equal(t, row.post, got.status)
			requireSecure(t, got)
			require.Contains(t, got.body, row.says)
			require.NotContains(t, got.body+s.log.String(), canaryText)
			require.Equal(t, row.asks, strings.Contains(got.body, `name="code"`))
			s.requireUsable(link)
			require.Equal(t, httpadapter.Proof{Flow: "the flow"}, binding.proofs[0], "a GET tries no code")
			require.Equal(t, httpadapter.Proof{Flow: "the flow", Code: "abcd"}, binding.proofs[1])

			*binding = fakeBinding{state: httpadapter.BindingHolds}
			require.Equal(t, http.StatusSeeOther, b.post(f).status, "the control")
			*binding = row.answer
			require.Equal(t, http.StatusSeeOther, b.post(f).status, "a repetition needs no proof but its cookie")
			require.Empty(t, binding.proofs)
			require.Len(t, took, 2)
			require.Equal(t, magiclink.DeliveredByMail, took[0].Delivered)
		})
	}
}

// An expired link is not used past its binding.
func TestBindingOfAnExpiredLink(t *testing.T) {
	binding := &fakeBinding{state: httpadapter.BindingHolds}
	s := newSite(t, func(c *httpadapter.PageConfig) { c.Binding = binding })
	link, _ := s.link(create)
	b := s.browser()
	f := b.get(link).form(t)
	s.wait(5 * time.Minute)
	require.Equal(t, http.StatusGone, b.post(f).status)
}

func TestNilBinding(t *testing.T) {
	s := newSite(t)
	_, err := httpadapter.NewPage(httpadapter.PageConfig{Redeemer: s.redeemer, Sessions: s.sessions, Binding: (*fakeBinding)(nil)})
	require.Equal(t, []string{"Binding"}, faultyFields(t, err))
	_, err = httpadapter.NewRedeemHandler(httpadapter.RedeemConfig{Redeemer: s.redeemer, Sessions: s.sessions, Binding: (*fakeBinding)(nil)})
	require.Equal(t, []string{"Binding"}, faultyFields(t, err))
	for _, page := range []*httpadapter.Page{nil, new(httpadapter.Page)} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		require.Error(t, page.StartSession(httptest.NewRecorder(), r, magiclink.Redemption{}))
		_, err := page.IsSignedInBy(r, "mlk_x")
		require.Error(t, err)
	}
}
