package httpadapter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// RedeemPath is the usual path of [RedeemHandler].
const RedeemPath = "/v0/auth/magic-link/redeem"

// RedeemConfig configures a [RedeemHandler].
type RedeemConfig struct {
	Redeemer *magiclink.Redeemer // redeems the links. Required
	Sessions *magiclink.Sessions // grants the sessions. Required

	// Binding ties links to the flow in which they were asked for: see the package signin. Nil lets the token alone use every link.
	Binding Binding

	// Admit decides before the link is used whether its person may sign in, and again where a call is repeated, as [PageConfig.Admit] does. An
	// error that matches [ErrRefused] is answered with the 410 of a link that cannot be used, and every other error with 503. Nil admits
	// everybody.
	Admit func(r *http.Request, redemption magiclink.Redemption) error

	// OnRedeem is called when a link was redeemed, as [PageConfig.OnRedeem] is: what an application does at a sign-in must not depend on the route. A
	// cookie that it sets goes out with the answer. After an error that matches [ErrRefused] the answer is the 410 of a link that cannot be used,
	// and after every other error 503; then nobody gets the session token. Nil does nothing.
	OnRedeem func(w http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) error

	// AllowedOrigins are the origins whose pages may call the route from a browser (CORS), such as
	// "https://app.example.com": scheme, host and port as a browser writes them in the Origin header. Nil allows none but
	// the own origin. Neither "*" nor "null" is an origin.
	AllowedOrigins []string

	MaxBody int64            // the greatest body in bytes; zero means 16 KiB
	Timeout time.Duration    // how long the store may take: see Timeouts in the package documentation; zero means 5 s
	Now     func() time.Time // the clock, the same as the Redeemer's; nil means time.Now
	Logger  *slog.Logger     // takes the causes of 503 answers; nil means slog.Default
}

// RedeemHandler answers POST /v0/auth/magic-link/redeem for back ends and single-page apps: {"token": "…"} in, what the
// link stands for and a session token out. The token may be given as the whole link. Every link that cannot be used gets
// the same 410. It is safe for concurrent use. The zero value answers 503.
//
// A client that may have to repeat its request, for example because the answer was lost, sends an Idempotency-Key header: 1
// to 255 visible ASCII characters that nobody else can guess, such as a random UUID. The same key with the same link, flow and code gets
// the same answer for one minute after the link was used.
//
// With a Binding a link of a sign-in flow also needs {"flow": "…"}, the secret of the flow that has asked for the link, or {"code": "…"}, the
// code from the mail, as the mode of the flow has it. A missing or wrong one is answered with the same 410.
//
// The session has the device of the request's User-Agent as its [magiclink.Session.Device]. A back end that calls the route for a browser can
// send the User-Agent of that browser.
//
// It reads no cookie, and sets none but those of OnRedeem. A page that calls it must itself ask the user before: see [Page] for why.
type RedeemHandler struct {
	redeemer *magiclink.Redeemer
	sessions *magiclink.Sessions
	binding  Binding
	admit    func(*http.Request, magiclink.Redemption) error
	onRedeem func(http.ResponseWriter, *http.Request, magiclink.Redemption) error
	origins  allowedOrigins
	now      func() time.Time
	endpoint
}

// NewRedeemHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewRedeemHandler(config RedeemConfig) (*RedeemHandler, error) {
	var found faults
	checkRedeemer(&found, config.Redeemer)
	checkSessions(&found, config.Sessions)
	checkBindingValue(&found, config.Binding)
	origins := newAllowedOrigins(&found, config.AllowedOrigins)
	if config.MaxBody == 0 {
		config.MaxBody = defaultMaxUnknown
	}
	shared := newEndpoint(&found, config.MaxBody, config.Timeout, "", config.Logger)
	if err := found.err(); err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &RedeemHandler{
		redeemer: config.Redeemer, sessions: config.Sessions, binding: config.Binding, admit: config.Admit,
		onRedeem: config.OnRedeem, origins: origins, now: config.Now, endpoint: shared,
	}, nil
}

type redemptionData struct {
	MagicLinkID        string  `json:"magic_link_id"`
	BusinessID         *string `json:"business_id"`
	ExternalBusinessID *string `json:"external_business_id"`
	Email              *string `json:"email"`
	Path               *string `json:"path"`
	SessionToken       string  `json:"session_token"`
	ExpiresAt          string  `json:"expires_at"`
}

// ServeHTTP implements [http.Handler].
func (h *RedeemHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h == nil || h.redeemer == nil {
		uninitialized(w, r, "RedeemHandler")
		return
	}
	if h.origins.answer(w, r) {
		return
	}
	h.serve(w, r, func() *problem {
		asked, key, fault := h.read(w, r)
		if fault != nil {
			return malformed(fault)
		}
		ctx, cancel := h.deadline(r)
		defer cancel()
		data, unusable := h.redeem(w, r.WithContext(ctx), asked, redeemedByKey(asked, key))
		if unusable == nil {
			writeJSON(w, http.StatusOK, success{Data: data})
		}
		return unusable
	})
}

// redeemBody is the body of a request.
type redeemBody struct {
	token string
	proof Proof
}

// read returns the body, and the key of the header, which may be empty.
func (h *RedeemHandler) read(w http.ResponseWriter, r *http.Request) (asked redeemBody, key string, fault *bodyFault) {
	body, fault := readBody(w, r, h.maxBody, mediaJSON, readSoon)
	if fault != nil {
		return redeemBody{}, "", fault
	}
	asked, err := readRedeemBody(body)
	if err != nil {
		return redeemBody{}, "", unprocessable("the body " + err.Error())
	}
	key, err = idempotencyKey(r.Header)
	if err != nil {
		return redeemBody{}, "", unprocessable(err.Error())
	}
	asked.token = magiclink.TokenOf(asked.token)
	return asked, key, nil
}

func (h *RedeemHandler) redeem(w http.ResponseWriter, r *http.Request, asked redeemBody, by string) (data redemptionData, _ *problem) {
	admitted, fault := h.check(r, asked)
	if fault != nil {
		return data, fault
	}
	redeemed, err := redeemRepeatable(onDevice(r.Context(), r), h.redeemer, asked.token, by, h.now())
	if err == nil && !admitted { // a repetition
		err = h.admit(r, openBinding(h.binding, redeemed))
	}
	if err != nil {
		return data, notRedeemed(err)
	}
	sessionToken, session, err := h.sessions.Grant(r.Context(), redeemed)
	if err != nil {
		return data, unavailable(fmt.Errorf("link %s is used up, and no session was started: %w", redeemed.MagicLinkID, err))
	}
	if err := h.afterwards(w, r, openBinding(h.binding, redeemed)); err != nil {
		return data, notRedeemed(err)
	}
	return redemptionData{
		MagicLinkID: redeemed.MagicLinkID, BusinessID: orNull(redeemed.BusinessID),
		ExternalBusinessID: orNull(redeemed.ExternalBusinessID), Email: orNull(redeemed.Email),
		Path: orNull(redeemed.Path), SessionToken: sessionToken, ExpiresAt: session.ExpiresAt.Format(time.RFC3339),
	}, nil
}

// afterwards lets the application take part. The link is used up: that the client has gone is no excuse.
func (h *RedeemHandler) afterwards(w http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.timeout)
	defer cancel()
	err := callOnRedeem(h.onRedeem, w, r.WithContext(ctx), redeemed)
	if err == nil || errors.Is(err, ErrRefused) {
		return err
	}
	return fmt.Errorf("link %s is used up, and OnRedeem failed: %v", redeemed.MagicLinkID, err) //nolint:errorlint // an outage, whatever the cause
}

// check asks the binding and the application whether a link may be used that was not used yet. A link that was used goes on: only the by
// of its redemption can repeat it, which includes what the binding was shown. The application is asked after the repetition: admitted
// reports whether nothing is left to ask.
func (h *RedeemHandler) check(r *http.Request, asked redeemBody) (admitted bool, _ *problem) {
	if h.binding == nil && h.admit == nil {
		return true, nil
	}
	seen, err := h.redeemer.Inspect(r.Context(), asked.token)
	if errors.Is(err, magiclink.ErrConsumed) {
		return h.admit == nil, nil
	}
	if err == nil {
		err = checkBinding(r.Context(), h.binding, seen, asked.proof)
	}
	if err == nil && h.admit != nil {
		err = h.admit(r, openBinding(h.binding, seen))
	}
	if err != nil {
		return false, notRedeemed(err)
	}
	return true, nil
}

// notRedeemed has one answer for all links that cannot be used.
func notRedeemed(err error) *problem {
	_, unbound := errors.AsType[*unboundError](err)
	if unbound || isDead(err) || errors.Is(err, ErrRefused) {
		return &problem{status: http.StatusGone, code: "the link cannot be used: it is not valid, expired, revoked or used"}
	}
	return unavailable(err)
}

var errNoToken = errors.New(`must be {"token": "…"} with the link or its token`)

// readRedeemBody reads {"token": "…"}, and beside it "flow" and "code", which are strings or null; other members are ignored.
func readRedeemBody(body []byte) (asked redeemBody, err error) {
	found := false
	err = strictjson.Object(body, func(name []byte, value strictjson.Value) error {
		switch string(name) {
		case "token":
			asked.token, found = value.Text(), value.Kind == strictjson.String
		case "flow":
			return optionalText(&asked.proof.Flow, name, value)
		case "code":
			return optionalText(&asked.proof.Code, name, value)
		}
		return nil
	})
	if err == nil && !found {
		err = errNoToken
	}
	return asked, err
}

func optionalText(to *string, name []byte, value strictjson.Value) error {
	switch value.Kind {
	case strictjson.String:
		*to = value.Text()
	case strictjson.Null:
	default:
		return errors.New(`has a "` + string(name) + `" that is not a string`)
	}
	return nil
}
