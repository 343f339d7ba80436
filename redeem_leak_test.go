package magiclink_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// Whatever becomes of a link, no error, event or log line says what it is, whom it signs in or where it leads.
func TestRedeemingQuotesNoValues(t *testing.T) {
	var said strings.Builder
	outage := errors.New("outage")
	panics := false
	f := newRedeeming(t, memory.New(), func(c *magiclink.RedeemerConfig) {
		c.OnEvent = func(_ context.Context, event magiclink.Event) {
			fmt.Fprintf(&said, "%+v\n", event)
			if panics {
				panic(canary)
			}
		}
	})
	in := magiclink.MagicLinkCreate{
		TenantID: "tenant-1", BusinessID: businessA, ExternalBusinessID: canary, Email: canary + "@example.com", Path: "/" + canary,
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
			func(string, string) { f.at(noon.AddDate(1, 0, 0)) },
			func(string, string) { f.store.before = func(context.Context) error { return outage } },
		} {
			f.at(noon)
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
	f.at(noon)
	session, _, err := f.sessions.Grant(magiclink.Redemption{Email: in.Email, SessionTimeout: time.Second})
	require.NoError(t, err)
	_, err = f.sessions.Verify(session + canary)
	fmt.Fprintf(&said, "%v %#v\n", err, err)
	_, _, err = f.sessions.Grant(magiclink.Redemption{Email: repeat(canary, 1000), SessionTimeout: time.Second})
	fmt.Fprintf(&said, "%v %#v\n", err, err)

	text := said.String() + f.log.String()
	for _, control := range []string{
		"already used", "revoked", "expired", "invalid token", "outage", "<nil>", "redeemed", "refused", "OnEvent panicked",
		"longer than", "mlk_",
	} {
		require.Contains(t, text, control, "the control: all of this has happened")
	}
	for _, secret := range append(secrets, session, canary, strings.ToLower(canary), "example.com", "eyJ") {
		require.NotContains(t, text, secret)
	}
}

func invalidTokensOf(token string) []string {
	return []string{"", canary, token + canary, canary + token, canary + "." + canary + "." + canary, baseURL + "/" + canary + "?token=" + token}
}
