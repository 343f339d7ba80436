package signin_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

func TestReadCode(t *testing.T) {
	for _, typed := range []string{
		"ABCD-2345", "abcd-2345", "ABCD2345", " abcd 2345 ", "AB CD 23 45", "abcd–2345", "abcd\u00a02345", "ＡＢＣＤ－２３４５", "ａｂｃｄ２３４５", "a-b-c-d-2-3-4-5",
		"ABCD\u20112345", "\tABCD-2345\r\n", "ABCD\u22122345", "ABCDー2345", "ABCD\u202f2345", "ABCD\u20092345",
		"\u200eABCD-2345", "\u2066ABCD-2345\u2069", "\u202bABCD-2345\u202c", "\ufeffABCD-2345", "ABCD-\u20602345", "ABCD\u200c2345", // pasted
		"ABCD-٢٣٤٥", "ABCD-۲۳۴۵", "ABCD-२३४५",
	} {
		code, ok := signin.ReadCode(typed)
		require.True(t, ok, "%q", typed)
		require.Equal(t, "ABCD2345", code)
	}
	for _, typed := range []string{
		"", "-", "ABCD-234", "ABCD-23456", "ABCD-2340", "ABCD-234O", "ABCI-2345", "ABC1-2345", "ABCD_2345", "ÄBCD2345", "ABCD2345\x00", strings.Repeat(" ", 100) + "ABCD2345",
		"ſBCD2345", "KBCD2345" + "K", "ABCD-٢٣٤٠", "ABCD-٢٣٤١", "ABCD-๒๓๔๕",
	} {
		_, ok := signin.ReadCode(typed)
		require.False(t, ok, "%q", typed)
	}
}

func TestNewCode(t *testing.T) {
	require.Len(t, signin.CodeDigits, 32)
	require.GreaterOrEqual(t, signin.CodeRounds, 20_000)
	seen := map[rune]int{}
	for range 2000 {
		code := signin.NewCode()
		again, ok := signin.ReadCode(signin.ShowCode(code))
		require.True(t, ok)
		require.Equal(t, code, again)
		for _, c := range code {
			seen[c]++
		}
	}
	require.Len(t, seen, 32)
	for c, n := range seen { // 500 are expected; ten standard deviations away
		require.InDelta(t, 500, n, 220, string(c))
	}
}

func FuzzReadCode(f *testing.F) {
	for _, seed := range []string{"ABCD-2345", "", "ａｂｃｄ２３４５", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := signin.ReadCode(typed)
		if !ok {
			require.Empty(t, code)
			return
		}
		require.Len(t, code, 8)
		require.Empty(t, strings.Trim(code, signin.CodeDigits))
		again, ok := signin.ReadCode(signin.ShowCode(code))
		require.True(t, ok)
		require.Equal(t, code, again)
	})
}

func FuzzFlow(f *testing.F) {
	s := strings.Repeat("A", 42) + "A"
	for _, seed := range []string{"", "1." + s + ".YUBi..abc.abc", "1." + s + "..L2E.abc.abc-abb", "1." + s + "..Ly9ldmlsLmV4YW1wbGU.abc.abc", "1.a.b.c.d.e", "1....."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		again, address, next, ok := signin.RecodeFlow(text)
		if !ok {
			return
		}
		require.Equal(t, text, again, "one encoding for each value")
		require.LessOrEqual(t, len(address), 254)
		require.True(t, next == "" || magiclink.ValidLocalPath(next))
		ids := signin.LinkIDs(text)
		require.True(t, len(ids) > 0 && len(ids) <= 10)
		for _, id := range ids {
			require.True(t, magiclink.ValidMagicLinkID(id))
		}
	})
}

// Five wrong codes end the code, and not the link.
func TestWrongCodes(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s := newSiteOn(t, open(t))
			b := s.browser()
			mail := b.waiting(jane)
			require.Equal(t, http.StatusForbidden, b.typed("not a code").status, "it is no try")
			for range 5 {
				got := b.typed("2222-2222")
				require.Equal(t, http.StatusForbidden, got.status)
				requireSecure(t, got)
				require.Contains(t, got.body, "This code is not right")
			}
			got := b.typed(mail.Code)
			require.Equal(t, http.StatusForbidden, got.status)
			require.Contains(t, got.body, "too many wrong codes")
			require.Equal(t, []magiclink.Reason{
				signin.ReasonWrongCode, signin.ReasonWrongCode, signin.ReasonWrongCode, signin.ReasonWrongCode, signin.ReasonWrongCode, signin.ReasonCodeEnded,
			}, s.told.reasons(signin.OpCode))
			requireIn(t, b, b.click(mail.Link, ""), "/")
		})
	}
}

// A stranger who asks for Jane's address and types wrong codes keeps her from nothing: who has the link has tries of their own, and no more than five.
func TestAStrangerUsesUpTries(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s := newSiteOn(t, open(t))
			stranger, phone, finder := s.browser(), s.browser(), s.browser()
			mail := stranger.waiting(jane)
			for range 6 {
				require.Equal(t, http.StatusForbidden, stranger.typed("2222-2222").status)
			}
			require.Contains(t, stranger.typed(mail.Code).body, "too many wrong codes", "the control: these tries are used up")
			requireIn(t, phone, phone.click(mail.Link, mail.Code), "/")

			s.clock.move(time.Hour)
			mail = s.browser().waiting(jane)
			for range 5 {
				require.Contains(t, finder.click(mail.Link, "2222-2222").body, "This code is not right")
			}
			got := finder.click(mail.Link, mail.Code)
			require.Equal(t, http.StatusForbidden, got.status)
			require.Contains(t, got.body, "too many wrong codes")
			require.Empty(t, finder.account())
		})
	}
}

// A person who has clicked the link in one tab and then types the code in the other one is signed in, and is not told that nothing works.
func TestCodeAfterTheClick(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	mail := b.waiting(jane)
	otherTab := b.get("/sign-in/check").fields(t)
	otherTab.Set("code", mail.Code)
	requireIn(t, b, b.click(mail.Link, ""), "/")
	requireIn(t, b, b.post("/sign-in/check", otherTab), "/")

	flow := b.cookies[flowCookie]
	b.post("/logout", nil)
	b.cookies[flowCookie] = flow // which signing out has removed
	require.Equal(t, http.StatusForbidden, b.post("/sign-in/check", otherTab).status, "the control: the session has ended, and the code with it")
	require.Empty(t, b.account())
}

// A new mail has a new code, and does not give the old one new tries.
func TestTriesOfANewCode(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	first := b.waiting(jane)
	for range 5 {
		b.typed("2222-2222")
	}
	s.clock.move(time.Minute)
	b.post("/sign-in/resend", b.get("/sign-in/check").fields(t))
	second := s.last()
	require.NotEqual(t, first.Code, second.Code)
	require.Equal(t, http.StatusForbidden, b.typed(first.Code).status)
	requireIn(t, b, b.typed(second.Code), "/")
}

// Whoever has the flow writes its cookie as he likes. That gives a code no more tries.
func TestTriesOfAForgedCookie(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	mail := b.waiting(jane)
	flow := b.cookies["__Host-magiclink_signin"]
	parts := strings.Split(flow, ".")
	for n := range 5 { // the same step, in other company
		forged := strings.Join(append(append([]string{}, parts[:5]...), string(rune('1'+n))+"a-"+parts[5]), ".")
		require.NotEmpty(t, signin.LinkIDs(forged))
		s.browser().code(forged, "2222-2222")
	}
	forged := strings.Join(append(append([]string{}, parts[:5]...), "7a-"+parts[5]), ".")
	require.Equal(t, http.StatusGone, s.browser().code(forged, mail.Code).status)
	require.Equal(t, http.StatusGone, s.browser().code(flow, mail.Code).status, "and the link's five tries are used up")
	require.NoError(t, s.verdict(mail.Link))
}

// Of any number of racing guesses at most five are judged, on all replicas together, and a right one among those that come later is refused.
func TestGuessesRace(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			generous := func(c *signin.Config) {
				c.Limits.CodesPerClient = magiclink.Rate{Burst: 1_000_000, Every: time.Millisecond}
			}
			replicas := []*site{newSiteOn(t, store, generous), newSiteOn(t, store, generous), newSiteOn(t, store, generous)}
			flow := replicas[0].browser().begin(jane)
			mail := replicas[0].last()
			require.Equal(t, http.StatusGone, replicas[0].browser().code(flow, "2222-2222").status, "judged: racing ones may all be refused")
			const guesses = 3000
			var group sync.WaitGroup
			var refused atomic.Int32
			for n := range 60 {
				group.Go(func() {
					replica := replicas[n%3]
					for range guesses / 60 {
						if replica.browser().code(flow, "2222-2222").status == http.StatusGone {
							refused.Add(1)
						}
					}
				})
			}
			group.Wait()
			require.EqualValues(t, guesses, refused.Load())
			judged := 0
			for _, replica := range replicas {
				for _, reason := range replica.told.reasons(signin.OpCode) {
					if reason == signin.ReasonWrongCode {
						judged++
					}
				}
			}
			require.True(t, judged > 0 && judged <= 5, judged)
			require.Equal(t, http.StatusGone, replicas[1].browser().code(flow, mail.Code).status)
			got := replicas[2].browser().json(httpadapter.RedeemPath, `{"token":"`+mail.Link+`","flow":"`+flow+`"}`)
			require.Equal(t, http.StatusOK, got.status, "the control: the link works for the flow")
		})
	}
}

func TestMailbox(t *testing.T) {
	for _, address := range []string{"Jane@Example.com", "jane+a@example.com", "JANE+b+c@EXAMPLE.COM"} {
		require.Equal(t, "jane@example.com", signin.Mailbox(address))
	}
}

func TestHide(t *testing.T) {
	err := errors.New("550 <Jane@Example.COM> unknown, \xffJANE@EXAMPLE.COM too; code ABCD-2345 " + jane)
	text := signin.Hide(err, jane, "ABCD-2345", "")
	require.Equal(t, "550 <•••> unknown, \xff••• too; code ••• •••", text)
}
