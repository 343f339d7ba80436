package httpadapter

import (
	"net/http"
	"strconv"
	"time"
)

// TryLater answers a request that the application refuses for a while, such as a click of somebody who has clicked too often, with the page
// that asks to try again in a moment. The link of the request, or of its form, stays as it is, and the page leads to it. The status is 429 or
// 503; wait becomes the Retry-After header, rounded up to a whole second.
func (p *Page) TryLater(w http.ResponseWriter, r *http.Request, status int, wait time.Duration) {
	if p == nil || p.config.Redeemer == nil {
		uninitialized(w, r, "Page")
		return
	}
	token := linkToken(r.URL)
	if r.Method == http.MethodPost {
		form, _ := p.readForm(w, r)
		token = form.token
	}
	w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	state := StateUnavailable
	if status == http.StatusTooManyRequests {
		state = StateLimited
	}
	p.show(w, r, status, state, p.openAgain(token))
}
