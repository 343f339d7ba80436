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
// to 255 visible ASCII characters that nobody else can guess, such as a random UUID. The same key with the same link gets
// the same answer for one minute after the link was used.
//
// It sets no cookie and reads none. A page that calls it must itself ask the user before: see [Page] for why.
type RedeemHandler struct {
	redeemer *magiclink.Redeemer
	sessions *magiclink.Sessions
	origins  allowedOrigins
	now      func() time.Time
	endpoint
}

// NewRedeemHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewRedeemHandler(config RedeemConfig) (*RedeemHandler, error) {
	var found faults
	checkRedeemer(&found, config.Redeemer)
	checkSessions(&found, config.Sessions)
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
		redeemer: config.Redeemer, sessions: config.Sessions, origins: origins, now: config.Now, endpoint: shared,
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
		token, key, fault := h.read(w, r)
		if fault != nil {
			return malformed(fault)
		}
		ctx, cancel := h.deadline(r)
		defer cancel()
		data, unusable := h.redeem(ctx, token, redeemedByKey(token, key))
		if unusable == nil {
			writeJSON(w, http.StatusOK, success{Data: data})
		}
		return unusable
	})
}

// read returns the token of the body and the key of the header, which may be empty.
func (h *RedeemHandler) read(w http.ResponseWriter, r *http.Request) (token, key string, fault *bodyFault) {
	body, fault := readBody(w, r, h.maxBody, mediaJSON, readSoon)
	if fault != nil {
		return "", "", fault
	}
	token, err := readToken(body)
	if err != nil {
		return "", "", unprocessable("the body " + err.Error())
	}
	key, err = idempotencyKey(r.Header)
	if err != nil {
		return "", "", unprocessable(err.Error())
	}
	return magiclink.TokenOf(token), key, nil
}

func (h *RedeemHandler) redeem(ctx context.Context, token, by string) (data redemptionData, _ *problem) {
	redeemed, err := redeemRepeatable(ctx, h.redeemer, token, by, h.now())
	if err != nil && !isDead(err) {
		return data, unavailable(err)
	}
	if err != nil {
		return data, &problem{status: http.StatusGone, code: "the link cannot be used: it is not valid, expired, revoked or used"}
	}
	sessionToken, session, err := h.sessions.Grant(ctx, redeemed)
	if err != nil {
		return data, unavailable(fmt.Errorf("link %s is used up, and no session was started: %w", redeemed.MagicLinkID, err))
	}
	return redemptionData{
		MagicLinkID: redeemed.MagicLinkID, BusinessID: orNull(redeemed.BusinessID),
		ExternalBusinessID: orNull(redeemed.ExternalBusinessID), Email: orNull(redeemed.Email),
		Path: orNull(redeemed.Path), SessionToken: sessionToken, ExpiresAt: session.ExpiresAt.Format(time.RFC3339),
	}, nil
}

var errNoToken = errors.New(`must be {"token": "…"} with the link or its token`)

// readToken reads {"token": "…"}; other members are ignored.
func readToken(body []byte) (token string, err error) {
	found := false
	err = strictjson.Object(body, func(name []byte, value strictjson.Value) error {
		if string(name) == "token" {
			token, found = value.Text(), value.Kind == strictjson.String
		}
		return nil
	})
	if err == nil && !found {
		err = errNoToken
	}
	return token, err
}
