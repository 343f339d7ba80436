package signin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

func inMode(mode signin.Mode) func(*signin.Config) {
	return func(c *signin.Config) { c.Mode = mode }
}

// Who may use a link, in each mode. A scanner opens each link, keeps cookies, runs what runs and presses every button; it comes first, and the
// person still gets in.
func TestModes(t *testing.T) {
	for _, row := range []struct {
		mode                                                signin.Mode
		scannerGetsIn, elsewhereGetsIn, codeElsewhereGetsIn bool
	}{
		{signin.ModeOff, true, true, true},
		{"", false, false, true},
		{signin.ModePrefer, false, false, true},
		{signin.ModeRequire, false, false, false},
	} {
		t.Run("mode "+string(row.mode), func(t *testing.T) {
			s := newSite(t, inMode(row.mode))
			b := s.browser()
			mail := b.waiting(jane)
			scanner := s.browser()
			for range 7 { // more often than a code has tries
				scanner.click(mail.Link, "")
			}
			require.Equal(t, row.scannerGetsIn, scanner.account() == jane)
			if row.scannerGetsIn {
				return
			}
			requireIn(t, b, b.click(mail.Link, ""), "/")

			s.clock.move(time.Hour)
			mail = b.waiting(jane)
			phone := s.browser()
			page := phone.get(mail.Link)
			require.Equal(t, http.StatusOK, page.status)
			requireSecure(t, page)
			require.Contains(t, page.body, "You asked for this in another browser")
			require.Equal(t, row.codeElsewhereGetsIn, strings.Contains(page.body, `name="code"`))
			require.Equal(t, row.elsewhereGetsIn, phone.click(mail.Link, "").status == http.StatusSeeOther)
			require.Empty(t, phone.account())
			require.NoError(t, s.verdict(mail.Link), "unused")
			if row.codeElsewhereGetsIn {
				got := phone.click(mail.Link, "ABCD-2345")
				require.Equal(t, http.StatusForbidden, got.status)
				require.Contains(t, got.body, "This code is not right")
				requireIn(t, phone, phone.click(mail.Link, strings.ToLower(mail.Code)), "/")
				require.Empty(t, s.told.reasons(signin.OpCode)[1])
				return
			}
			form := b.get(mail.Link).fields(t)
			form.Set("code", mail.Code)
			require.Equal(t, http.StatusForbidden, phone.post("/magic", form).status, "the form of another browser")
			phone.get(mail.Link)
			requireIn(t, b, b.typed(mail.Code), "/")
		})
	}
}

// A code needs the browser that has asked: another one may have asked for the same address.
func TestCodeOfAnotherFlow(t *testing.T) {
	for _, mode := range []signin.Mode{signin.ModeOff, signin.ModePrefer, signin.ModeRequire} {
		s := newSite(t, inMode(mode))
		b := s.browser()
		mail := b.waiting(jane)
		attacker := s.browser()
		attacker.ask(jane, "")
		s.settled()
		require.Len(t, s.inbox.all(), 1)
		require.Equal(t, http.StatusForbidden, attacker.typed(mail.Code).status)
		require.Empty(t, attacker.account())
		requireIn(t, b, b.typed(mail.Code), "/")
	}
}

// Links that the application issues itself, and invitations, are used by a click in any browser.
func TestUnboundLinks(t *testing.T) {
	for _, mode := range []signin.Mode{signin.ModeOff, signin.ModePrefer, signin.ModeRequire} {
		var took []magiclink.Redemption
		s := newSite(t, inMode(mode), func(c *signin.Config) {
			c.Page.OnRedeem = func(_ http.ResponseWriter, _ *http.Request, redeemed magiclink.Redemption) error {
				took = append(took, redeemed)
				return nil
			}
		})
		create := magiclink.MagicLinkCreate{ExternalBusinessID: "acme", Email: jane, Extension: strings.Repeat("x", 1024)}
		issued, err := s.Issuer().Issue(t.Context(), create)
		require.NoError(t, err)
		b := s.browser()
		requireIn(t, b, b.click(issued.MagicLink, ""), "/")
		require.Equal(t, create.Extension, took[0].Extension)
		require.Empty(t, took[0].Delivered)

		create.Extension = strings.Repeat("y", signin.MaxExtension)
		id, err := s.flow.Invite(t.Context(), create, signin.Invitation{By: "Joe", Language: "pt-BR"})
		require.NoError(t, err)
		mail := s.last()
		require.Equal(t, signin.Message{
			Kind: signin.KindInvitation, To: jane, App: "Acme", Link: mail.Link, ExpiresAt: noon.Add(5 * time.Minute), Language: "pt", InvitedBy: "Joe",
		}, mail)
		b = s.browser()
		requireIn(t, b, b.click(mail.Link, ""), "/")
		require.Equal(t, id, took[1].MagicLinkID)
		require.Equal(t, create.Extension, took[1].Extension)
		require.Equal(t, magiclink.DeliveredByMail, took[1].Delivered)
	}
}

// The application gets its own Extension back, and knows that the link was mailed: on the page, by the code, and where it redeems itself.
func TestRedemption(t *testing.T) {
	var admitted, took []magiclink.Redemption
	s := newSite(t, func(c *signin.Config) {
		c.Limits.ResendPauses = []time.Duration{}
		c.Page.Admit = func(_ *http.Request, seen magiclink.Redemption) error {
			admitted = append(admitted, seen)
			return nil
		}
		c.Page.OnRedeem = func(_ http.ResponseWriter, _ *http.Request, redeemed magiclink.Redemption) error {
			took = append(took, redeemed)
			return nil
		}
	})
	b := s.browser()
	requireIn(t, b, b.click(b.waiting(jane).Link, ""), "/")
	b = s.browser()
	requireIn(t, b, b.typed(b.waiting(jane).Code), "/")
	phone := s.browser()
	mail := s.browser().waiting(jane)
	requireIn(t, phone, phone.click(mail.Link, mail.Code), "/")
	require.Len(t, admitted, 3)
	require.Len(t, took, 3)
	for _, redemption := range append(admitted, took...) {
		require.Equal(t, "own", redemption.Extension)
		require.Equal(t, magiclink.DeliveredByMail, redemption.Delivered)
	}
	raw := s.record(s.browser().waiting(jane).Link)
	require.NotEqual(t, "own", raw.Extension)
	require.Empty(t, raw.Delivered)
	opened := signin.Open(raw)
	require.Equal(t, "own", opened.Extension)
	require.Equal(t, magiclink.DeliveredByMail, opened.Delivered)
	require.Equal(t, opened, signin.Open(opened), "open once more")
}

// Admit decides before the link is used, also for a code, and OnRedeem after it.
func TestHooks(t *testing.T) {
	refused := fmt.Errorf("canary: %w", httpadapter.ErrRefused)
	outage := errors.New("the-cause")
	for name, row := range map[string]struct {
		admit, onRedeem error
		panics          bool
		status          int
		used            bool
		says            string
	}{
		"Admit refuses":    {admit: refused, status: 403, says: "were not used up"},
		"Admit fails":      {admit: outage, status: 503, says: "does not answer"},
		"Admit panics":     {panics: true, status: 503, says: "does not answer"},
		"OnRedeem refuses": {onRedeem: refused, status: 403, used: true, says: "is used up"},
		"OnRedeem fails":   {onRedeem: outage, status: 503, used: true, says: "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			failing := true
			s := newSite(t, func(c *signin.Config) {
				c.Page.Admit = func(*http.Request, magiclink.Redemption) error {
					if failing && row.panics {
						panic("canary")
					}
					if failing {
						return row.admit
					}
					return nil
				}
				c.Page.OnRedeem = func(_ http.ResponseWriter, _ *http.Request, _ magiclink.Redemption) error {
					if failing {
						return row.onRedeem
					}
					return nil
				}
			})
			b := s.browser()
			mail := b.waiting(jane)
			got := b.typed(mail.Code)
			require.Equal(t, row.status, got.status)
			requireSecure(t, got)
			require.Contains(t, got.body, row.says)
			require.NotContains(t, got.body+s.log.String(), "canary")
			require.NotContains(t, got.body, "the-cause")
			require.Empty(t, b.account())
			require.Equal(t, row.used, errors.Is(s.verdict(mail.Link), magiclink.ErrConsumed))
			failing = false
			requireIn(t, b, b.typed(mail.Code), "/")
		})
	}
}

// Nothing can be changed in a record that lets a stranger in, and an Extension that is too long is no link.
func TestLongExtension(t *testing.T) {
	for extra, mails := range map[int]int{0: 1, 1: 0} {
		s := newSite(t, func(c *signin.Config) {
			c.Resolve = func(context.Context, string) (magiclink.MagicLinkCreate, error) {
				return magiclink.MagicLinkCreate{ExternalBusinessID: "acme", Extension: strings.Repeat("z", signin.MaxExtension+extra)}, nil
			}
		})
		s.browser().ask(jane, "")
		s.settled()
		require.Len(t, s.inbox.all(), mails)
		require.Equal(t, mails == 0, strings.Contains(s.log.String(), "has more than 955 bytes"))
	}
}

// The JSON route that redeems asks for the flow or the code as the page does.
func TestRedeemAsJSON(t *testing.T) {
	for _, mode := range []signin.Mode{signin.ModeOff, signin.ModePrefer, signin.ModeRequire} {
		for _, row := range []struct {
			flow, code string
			want       map[signin.Mode]int
		}{
			{"", "", map[signin.Mode]int{signin.ModeOff: 200, signin.ModePrefer: 410, signin.ModeRequire: 410}},
			{"other", "", map[signin.Mode]int{signin.ModeOff: 200, signin.ModePrefer: 410, signin.ModeRequire: 410}},
			{"right", "", map[signin.Mode]int{signin.ModeOff: 200, signin.ModePrefer: 200, signin.ModeRequire: 200}},
			{"", "right", map[signin.Mode]int{signin.ModeOff: 200, signin.ModePrefer: 200, signin.ModeRequire: 410}},
			{"other", "right", map[signin.Mode]int{signin.ModeOff: 200, signin.ModePrefer: 200, signin.ModeRequire: 410}},
			{"", "2222-2222", map[signin.Mode]int{signin.ModeOff: 200, signin.ModePrefer: 410, signin.ModeRequire: 410}},
		} {
			s := newSite(t, inMode(mode))
			client, other := s.browser(), s.browser()
			flow := client.begin(jane)
			otherFlow := other.begin("joe@open.example")
			s.settled()
			mail := s.inbox.all()[0]
			if mail.To != jane {
				mail = s.inbox.all()[1]
			}
			body := map[string]any{"token": mail.Link, "flow": map[string]string{"right": flow, "other": otherFlow}[row.flow]}
			if row.code != "" {
				body["code"] = strings.ReplaceAll(row.code, "right", mail.Code)
			}
			text, err := json.Marshal(body)
			require.NoError(t, err)
			got := client.json(httpadapter.RedeemPath, string(text), "Idempotency-Key", "key")
			require.Equal(t, row.want[mode], got.status, "%s %v: %s", mode, row, got.body)
			if got.status == http.StatusOK {
				require.Equal(t, got.body, client.json(httpadapter.RedeemPath, string(text), "Idempotency-Key", "key").body, "a repetition")
				require.Equal(t, http.StatusGone, client.json(httpadapter.RedeemPath, string(text)).status)
			} else {
				require.NoError(t, s.verdict(mail.Link))
			}
		}
	}
}

// Whoever has the token and the Idempotency-Key of a redemption, but neither the flow nor the code, does not get its session.
func TestRepetitionAsJSONNeedsTheProof(t *testing.T) {
	for _, mode := range []signin.Mode{signin.ModePrefer, signin.ModeRequire} {
		s := newSite(t, inMode(mode))
		client := s.browser()
		flow := client.begin(jane)
		mail := s.last()
		other := s.browser().begin("joe@open.example")
		redeem := func(members string) answer {
			return s.browser().json(httpadapter.RedeemPath, `{"token":"`+mail.Link+`"`+members+`}`, "Idempotency-Key", "1")
		}
		right := `,"flow":"` + flow + `"`
		first := redeem(right)
		require.Equal(t, http.StatusOK, first.status)
		for _, members := range []string{"", `,"flow":null`, `,"flow":"` + other + `"`, `,"code":"` + mail.Code + `"`, `,"code":"` + flow + `"`} {
			got := redeem(members)
			require.Equal(t, http.StatusGone, got.status, members)
			require.NotContains(t, got.body, "session_token")
		}
		require.Equal(t, first.body, redeem(right).body, "the control")
	}
}

func TestRedeemAsJSONMalformed(t *testing.T) {
	s := newSite(t)
	mail := s.browser().waiting(jane)
	for _, member := range []string{`"flow":1`, `"code":[]`, `"flow":{}`, `"code":true`, `"flow":"a","flow":"b"`} {
		got := s.browser().json(httpadapter.RedeemPath, `{"token":"`+mail.Link+`",`+member+`}`)
		require.Equal(t, http.StatusUnprocessableEntity, got.status, member)
	}
	got := s.browser().json(httpadapter.RedeemPath, `{"token":"`+mail.Link+`","flow":null,"code":null}`)
	require.Equal(t, http.StatusGone, got.status)
}

// A person who may not sign in does not get in by the JSON route either.
func TestRedeemAsJSONNotAdmitted(t *testing.T) {
	s := newSite(t, func(c *signin.Config) {
		c.Page.Admit = func(*http.Request, magiclink.Redemption) error { return httpadapter.ErrRefused }
	})
	client := s.browser()
	flow := client.begin(jane)
	mail := s.last()
	require.Equal(t, http.StatusGone, client.json(httpadapter.RedeemPath, `{"token":"`+mail.Link+`","flow":"`+flow+`"}`).status)
	require.Equal(t, http.StatusGone, client.json(signin.CodeJSONPath, `{"code":"`+mail.Code+`","flow":"`+flow+`"}`).status)
	require.NoError(t, s.verdict(mail.Link))
}

// The code tells the device of the browser in which it was typed, as the link does.
func TestDeviceOfACode(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.headers = append(b.headers, "User-Agent", firefox)
	mail := b.waiting(jane)
	require.Equal(t, http.StatusSeeOther, b.typed(mail.Code).status)
	sessions, err := s.Sessions().List(t.Context(), magiclink.Subject{Email: jane})
	require.NoError(t, err)
	require.Len(t, sessions, 1)
	require.Equal(t, "Firefox on Windows", sessions[0].Device)
}
