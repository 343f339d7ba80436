package signin

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/webform"
)

const (
	maxForm      = 16 << 10    // bytes of a posted form
	repeatWindow = time.Minute // how long after a sign-in by code the same browser may repeat it
	cookieSpare  = 10 * time.Minute
)

// showRequest shows the page with the field for the address.
func (f *Flow) showRequest(w http.ResponseWriter, r *http.Request) {
	f.showForm(w, r, http.StatusOK, pageData{Screen: screenRequest, Next: localNext(r.URL.Query().Get("next"))})
}

// postRequest answers in one way, whatever the address is. Nothing that depends on it happens before the answer.
func (f *Flow) postRequest(w http.ResponseWriter, r *http.Request) {
	values, nonce, ok := f.readPost(w, r, screenRequest)
	if !ok {
		return
	}
	address, next, now := trimAddress(values.Get("email")), localNext(values.Get("next")), f.now()
	secret, _ := f.cookies.FormSecret(r)
	a := asked{secret: webform.Digest("magiclink flow", secret, nonce+"\x00"+address), address: address, next: next}
	if before, found := f.asked(r); found && f.continues(before, a, now) {
		before.next = next
		a = before
	}
	f.ask(w, r, a, formDigest(RequestPath, a, values.Get("form"), address))
}

// continues reports whether a request belongs to the flow that the browser has: its address is the same, and its link may still live. A link
// that was mailed a moment ago stays that of this browser.
func (f *Flow) continues(before, a asked, now time.Time) bool {
	return before.secret == a.secret || strings.EqualFold(before.address, a.address) && now.Before(before.at.Add(f.config.TTL))
}

// postResend asks for another mail to the same address.
func (f *Flow) postResend(w http.ResponseWriter, r *http.Request) {
	values, _, ok := f.readPost(w, r, screenWait)
	if !ok {
		return
	}
	a, found := f.asked(r)
	if !found {
		f.redirect(w, RequestPath)
		return
	}
	f.ask(w, r, a, formDigest(ResendPath, a, values.Get("form"), a.address))
}

// ask sends a mail for the flow, unless it has just asked for one, and sends the browser to the waiting page. A form that is sent
// again, since its answer did not arrive, has the link that is under way already.
func (f *Flow) ask(w http.ResponseWriter, r *http.Request, a asked, form [sha256.Size]byte) {
	if now := f.now(); f.remaining(a, now) <= 0 {
		a = a.again(now)
		if !f.repeats.again(form, now) {
			f.admit(r, a, form)
		}
	}
	http.SetCookie(w, f.cookies.Make(flowCookie, decodeHeld(f.Flow(r)).with(a).encode(), f.cookieAge()))
	f.redirect(w, CheckPath)
}

// admit sends a mail unless the client has asked too often.
func (f *Flow) admit(r *http.Request, a asked, form [sha256.Size]byte) {
	if network, admitted := f.admitsClient(r); admitted && f.send(r.Context(), f.newRequest(r, network, a)) {
		f.repeats.counted(form, f.now())
	}
}

func (f *Flow) cookieAge() int { return int((f.config.TTL + cookieSpare) / time.Second) }

// remaining is how long the browser should wait before it asks for another mail.
func (f *Flow) remaining(a asked, now time.Time) time.Duration {
	if len(a.steps) == 0 {
		return 0
	}
	pause := f.config.Limits.pause(len(a.steps))
	return min(a.at.Add(pause).Sub(now), pause) // a clock that was set back keeps nobody out for longer
}

// admitsClient counts a request of a page against the limit of its client, and returns the widest network of the client. When the store fails, the request
// is refused, which looks the same.
func (f *Flow) admitsClient(r *http.Request) (network string, admitted bool) {
	ctx, cancel := context.WithTimeout(r.Context(), f.config.Timeout)
	defer cancel()
	network, wait, err := f.takeClient(ctx, r, "client", f.config.Limits.PerClient)
	switch {
	case err != nil:
		f.logger.Log(ctx, outageLevel(r), "magiclink: no sign-in mail is sent, because the request could not be counted", "error", err)
		f.tell(ctx, OpRequest, magiclink.ReasonUnavailable, magiclink.Subject{}, "")
	case wait > 0:
		f.tell(ctx, OpRequest, magiclink.ReasonLimited, magiclink.Subject{}, "")
	}
	return network, err == nil && wait == 0
}

// asked returns the flow that the browser waits for.
func (f *Flow) asked(r *http.Request) (asked, bool) { return decodeFlow(decodeHeld(f.Flow(r)).flow) }

// formToken binds a form to the browser that was shown it. The nonce is another one for each form.
func formToken(secret, nonce string) string {
	return nonce + "." + webform.Digest("magiclink sign-in form", secret, nonce)
}

// readPost returns the form that one of our pages has posted, with its nonce. Otherwise it has answered with the page.
func (f *Flow) readPost(w http.ResponseWriter, r *http.Request, screen string) (values url.Values, nonce string, ok bool) {
	values, fault := webform.ReadForm(w, r, maxForm)
	if fault == webform.BodyTaken {
		f.logger.ErrorContext(r.Context(), "magiclink: no form can be accepted", "error", fault.Reason)
	}
	if !webform.SameOrigin(r, f.origin) {
		f.refuseForm(w, r, screen, noticeWrongAddress, values)
		return nil, "", false
	}
	secret, found := f.cookies.FormSecret(r)
	nonce, _, _ = strings.Cut(values.Get("form"), ".")
	if fault != nil || !found || len(values["form"]) != 1 || len(nonce) == 0 || !equal(formToken(secret, nonce), values.Get("form")) {
		f.refuseForm(w, r, screen, noticeRefused, values)
		return nil, "", false
	}
	return values, nonce, true
}

// refuseForm shows the page again. The request page keeps where the person wants to go, which the address of the page could also
// say. It does not keep the e-mail address: the form may be somebody else's.
func (f *Flow) refuseForm(w http.ResponseWriter, r *http.Request, screen, notice string, values url.Values) {
	data := f.pageOf(r, screen, notice)
	if screen == screenRequest {
		data.Next = localNext(values.Get("next"))
	}
	f.showForm(w, r, http.StatusForbidden, data)
}
