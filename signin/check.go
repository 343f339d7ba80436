package signin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// showCheck shows the waiting page. A browser that is signed in by the link already is sent on.
func (f *Flow) showCheck(w http.ResponseWriter, r *http.Request) {
	a, found := f.asked(r)
	if !found {
		f.redirect(w, RequestPath)
		return
	}
	if to := f.signedIn(r, a); to != "" {
		f.sendOn(w, to)
		return
	}
	f.showForm(w, r, http.StatusOK, f.pageOf(r, screenWait, ""))
}

// signedIn returns where the browser goes whose session came from a link of this flow, or "". A failure of the store is no
// reason to show nothing.
func (f *Flow) signedIn(r *http.Request, a asked) string {
	if _, has := f.cookies.Value(r, httpadapter.SessionCookie); !has && f.config.Page.ActiveLink == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(r.Context(), f.config.Timeout)
	defer cancel()
	for _, id := range a.linkIDs() {
		active, err := f.page.IsSignedInBy(r.WithContext(ctx), id)
		if err != nil {
			return ""
		}
		if active {
			seen, _ := f.redeemer.InspectID(ctx, id, "")
			return f.redeemer.Destination(seen)
		}
	}
	return ""
}

// postCode signs the browser in that has asked, by the code from the mail.
func (f *Flow) postCode(w http.ResponseWriter, r *http.Request) {
	values, _, ok := f.readPost(w, r, screenWait)
	if !ok {
		return
	}
	a, found := f.asked(r)
	if !found {
		f.redirect(w, RequestPath)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), f.config.Timeout)
	defer cancel()
	r = r.WithContext(ctx)
	code := values.Get("code")
	form := formDigest(CheckPath, a, values.Get("form"), code)
	wait, err := f.takeCodeForm(r, form)
	if err == nil && wait > 0 {
		w.Header().Set("Retry-After", seconds(wait))
		f.showForm(w, r, http.StatusTooManyRequests, f.pageOf(r, screenWait, noticeLimited))
		return
	}
	var redeemed magiclink.Redemption
	if err == nil {
		redeemed, err = f.redeemCode(r, a, code)
	}
	if err == nil {
		f.repeats.counted(form, f.now())
		f.begin(w, r, redeemed)
		return
	}
	if isDead(err) {
		if to := f.signedIn(r, a); to != "" { // by the link, in another tab
			f.sendOn(w, to)
			return
		}
	}
	f.refuseCode(w, r, err)
}

// takeCodeForm counts a form with a code against the limit of its client, unless its code was the right one a moment ago: then
// the form is sent again, and its sender must not be told to wait. A wrong code counts each time.
func (f *Flow) takeCodeForm(r *http.Request, form [sha256.Size]byte) (wait time.Duration, err error) {
	if f.repeats.again(form, f.now()) {
		return 0, nil
	}
	_, wait, err = f.takeClient(r.Context(), r, "codes", f.config.Limits.CodesPerClient)
	return wait, err
}

// begin starts the session of a link that was redeemed.
func (f *Flow) begin(w http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) {
	switch err := f.page.StartSession(w, r, redeemed); {
	case errors.Is(err, httpadapter.ErrRefused):
		f.show(w, r, http.StatusForbidden, pageData{Screen: screenRefused, LinkUsed: true})
	case err != nil:
		f.showUnavailable(w, r, f.pageOf(r, screenWait, ""), err)
	default:
		f.sendOn(w, f.redeemer.Destination(redeemed))
	}
}

// refuseCode answers a code that has signed nobody in.
func (f *Flow) refuseCode(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, httpadapter.ErrRefused):
		f.show(w, r, http.StatusForbidden, pageData{Screen: screenRefused})
	case errors.Is(err, errWrongCode):
		f.showForm(w, r, http.StatusForbidden, f.pageOf(r, screenWait, noticeWrongCode))
	case errors.Is(err, errCodeEnded):
		f.showForm(w, r, http.StatusForbidden, f.pageOf(r, screenWait, noticeCodeEnded))
	case isDead(err):
		f.showForm(w, r, http.StatusGone, f.pageOf(r, screenWait, noticeLinkEnded))
	default:
		f.showUnavailable(w, r, f.pageOf(r, screenWait, ""), err)
	}
}

// redirect sends the browser to another page of the flow.
func (f *Flow) redirect(w http.ResponseWriter, path string) { f.sendOn(w, f.origin+path) }

func (f *Flow) sendOn(w http.ResponseWriter, to string) {
	f.look.Secure(w.Header(), "")
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// seconds rounds a time up for a Retry-After header.
func seconds(wait time.Duration) string {
	return strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10)
}
