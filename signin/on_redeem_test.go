package signin_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

// What the application does at a sign-in does not depend on the route: an account that is made there, or taken away from somebody else, must not
// be left out by those who sign in as JSON.
func TestOnRedeemAsJSON(t *testing.T) {
	for route, post := range map[string]func(b *browser, flow string, mail signin.Message) answer{
		"code": func(b *browser, flow string, mail signin.Message) answer { return b.code(flow, mail.Code) },
		"redeem": func(b *browser, flow string, mail signin.Message) answer {
			body := fmt.Sprintf(`{"token":%q,"flow":%q}`, mail.Link, flow)
			return b.json(httpadapter.RedeemPath, body, "Idempotency-Key", "one")
		},
	} {
		for name, row := range map[string]struct {
			fail   func() error
			status int
		}{
			"refuses": {func() error { return fmt.Errorf("canary: %w", httpadapter.ErrRefused) }, http.StatusGone},
			"fails":   {func() error { return errors.New("the-cause") }, http.StatusServiceUnavailable},
			"dead":    {func() error { return magiclink.ErrNotFound }, http.StatusServiceUnavailable},
			"panics":  {func() error { panic("canary") }, http.StatusServiceUnavailable},
		} {
			t.Run(route+" "+name, func(t *testing.T) {
				var took []magiclink.Redemption
				s := newSite(t, func(c *signin.Config) {
					c.Page.OnRedeem = func(w http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) error {
						_, bounded := r.Context().Deadline()
						require.True(t, bounded)
						http.SetCookie(w, &http.Cookie{Name: "__Host-own", Value: "1", Path: "/", Secure: true, HttpOnly: true})
						if took = append(took, redeemed); len(took) == 1 {
							return row.fail()
						}
						return nil
					}
				})
				b := s.browser()
				flow := b.begin(jane)
				got := post(b, flow, s.last())
				require.Equal(t, row.status, got.status, got.body)
				require.NotContains(t, got.body, "session_token")
				require.NotContains(t, got.body+s.log.String(), "canary")
				require.NotContains(t, got.body, "the-cause")
				require.Empty(t, b.cookies, "half a session is none")

				got = post(b, flow, s.last())
				require.Equal(t, http.StatusOK, got.status, got.body)
				require.Contains(t, got.body, "session_token")
				require.Equal(t, "1", b.cookies["__Host-own"])
				require.Len(t, took, 2)
				for _, redeemed := range took {
					require.Equal(t, jane, redeemed.Email)
					require.Equal(t, "own", redeemed.Extension)
					require.Equal(t, magiclink.DeliveredByMail, redeemed.Delivered)
				}
			})
		}
	}
}
