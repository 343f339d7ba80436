package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/strictjson"
	"github.com/magiclink-go/magiclink/internal/webform"
)

// maxJSON is the greatest body of a JSON route in bytes.
const maxJSON = 16 << 10

// serveJSON answers a POST. A panic is answered like an outage.
func (f *Flow) serveJSON(w http.ResponseWriter, r *http.Request, answer func(http.ResponseWriter, *http.Request)) {
	defer contain(func() { unavailable(w, r, f.logger, errPanic) })
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		writeError(w, http.StatusMethodNotAllowed, "use POST", nil)
		return
	}
	answer(w, r)
}

type requestBody struct {
	email, next string
	has         bool
}

type flowData struct {
	Flow string `json:"flow"`
}

// requestJSON is the twin of postRequest. The limit of the client is the one thing that it tells, which depends on no address.
func (f *Flow) requestJSON(w http.ResponseWriter, r *http.Request) {
	var body requestBody
	fault := f.readJSON(w, r, func(name string, value strictjson.Value) error {
		switch name {
		case "email":
			body.has = true
			return text(&body.email, name, value)
		case "next":
			if value.Kind != strictjson.Null {
				return text(&body.next, name, value)
			}
		}
		return nil
	})
	if fault == nil && !body.has {
		fault = webform.Unprocessable(`the body must be {"email": "…"}, and may have a "next"`)
	}
	if fault != nil {
		writeFault(w, fault)
		return
	}
	network, granted := f.takeJSON(w, r, "client", f.config.Limits.PerClient)
	if !granted {
		return
	}
	a := asked{secret: webform.NewSecret(), address: trimAddress(body.email), next: localNext(body.next)}.again(f.now())
	f.send(r.Context(), f.newRequest(r, network, a))
	writeData(w, http.StatusAccepted, flowData{Flow: a.encode()})
}

// takeJSON counts a request against the limit of its client, and returns the widest network of the client. It reports false when it has answered.
func (f *Flow) takeJSON(w http.ResponseWriter, r *http.Request, kind string, rate magiclink.Rate) (network string, granted bool) {
	ctx, cancel := context.WithTimeout(r.Context(), f.config.Timeout)
	defer cancel()
	network, wait, err := f.takeClient(ctx, r, kind, rate)
	switch {
	case err != nil:
		unavailable(w, r, f.logger, err)
	case wait > 0:
		w.Header().Set("Retry-After", seconds(wait))
		writeError(w, http.StatusTooManyRequests, "too many requests: try again later", nil)
	}
	return network, err == nil && wait == 0
}

// redemptionData is the answer of the redeem route.
type redemptionData struct {
	MagicLinkID        string  `json:"magic_link_id"`
	BusinessID         *string `json:"business_id"`
	ExternalBusinessID *string `json:"external_business_id"`
	Email              *string `json:"email"`
	Path               *string `json:"path"`
	SessionToken       string  `json:"session_token"`
	ExpiresAt          string  `json:"expires_at"`
}

// codeJSON is the twin of postCode. Everything that is not right has one answer.
func (f *Flow) codeJSON(w http.ResponseWriter, r *http.Request) {
	var flow, code string
	has := 0
	fault := f.readJSON(w, r, func(name string, value strictjson.Value) error {
		switch name {
		case "flow":
			has |= 1
			return text(&flow, name, value)
		case "code":
			has |= 2
			return text(&code, name, value)
		}
		return nil
	})
	if fault == nil && has != 3 {
		fault = webform.Unprocessable(`the body must be {"flow": "…", "code": "…"}`)
	}
	if fault != nil {
		writeFault(w, fault)
		return
	}
	if _, granted := f.takeJSON(w, r, "codes", f.config.Limits.CodesPerClient); !granted {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), f.config.Timeout)
	defer cancel()
	data, err := f.signInJSON(w, r.WithContext(ctx), flow, code)
	switch {
	case err == nil:
		writeData(w, http.StatusOK, data)
	case isDead(err) || errors.Is(err, errWrongCode) || errors.Is(err, errCodeEnded) || errors.Is(err, httpadapter.ErrRefused):
		writeError(w, http.StatusGone, "the code cannot be used: it is wrong, expired or used, or there were too many wrong codes", nil)
	default:
		unavailable(w, r, f.logger, err)
	}
}

func (f *Flow) signInJSON(w http.ResponseWriter, r *http.Request, flow, code string) (redemptionData, error) {
	a, ok := decodeFlow(flow)
	if !ok {
		return redemptionData{}, errWrongCode
	}
	redeemed, err := f.redeemCode(r, a, code)
	if err != nil {
		return redemptionData{}, err
	}
	token, session, err := f.sessions.Grant(r.Context(), redeemed)
	if err != nil {
		return redemptionData{}, fmt.Errorf("link %s is used up, and no session was started: %v", redeemed.MagicLinkID, err) //nolint:errorlint // an outage, whatever the cause
	}
	if err := f.afterwards(w, r, redeemed); err != nil {
		return redemptionData{}, err
	}
	return redemptionData{
		MagicLinkID: redeemed.MagicLinkID, BusinessID: orNull(redeemed.BusinessID),
		ExternalBusinessID: orNull(redeemed.ExternalBusinessID), Email: orNull(redeemed.Email), Path: orNull(redeemed.Path),
		SessionToken: token, ExpiresAt: session.ExpiresAt.Format(time.RFC3339),
	}, nil
}

// afterwards calls OnRedeem, as the pages do. The link is used up: that the client has gone is no excuse. After an error no cookie is left, and
// nobody gets the session token.
func (f *Flow) afterwards(w http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) (err error) {
	if f.config.Page.OnRedeem == nil {
		return nil
	}
	defer func() {
		if err != nil {
			w.Header().Del("Set-Cookie")
		}
	}()
	defer contain(func() { err = errPanic })
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), f.config.Timeout)
	defer cancel()
	err = f.config.Page.OnRedeem(w, r.WithContext(ctx), redeemed)
	if err == nil || errors.Is(err, httpadapter.ErrRefused) {
		return err
	}
	return fmt.Errorf("link %s is used up, and OnRedeem failed: %v", redeemed.MagicLinkID, err) //nolint:errorlint // an outage, whatever the cause
}

// readJSON reads a body that is one object. Members that nobody knows are ignored.
func (f *Flow) readJSON(w http.ResponseWriter, r *http.Request, member func(name string, value strictjson.Value) error) *webform.Fault {
	body, fault := webform.ReadBody(w, r, maxJSON, webform.MediaJSON, webform.ReadSoon)
	if fault != nil {
		return fault
	}
	err := strictjson.Object(body, func(name []byte, value strictjson.Value) error { return member(string(name), value) })
	if err != nil {
		return webform.Unprocessable("the body " + err.Error())
	}
	return nil
}

func text(to *string, name string, value strictjson.Value) error {
	if value.Kind != strictjson.String {
		return errors.New(`has a "` + name + `" that is not a string`)
	}
	*to = value.Text()
	return nil
}
