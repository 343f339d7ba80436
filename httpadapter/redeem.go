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

// RedeemConfig is what a [RedeemHandler] is made from.
type RedeemConfig struct {
	Redeemer *magiclink.Redeemer // redeems the links. Required
	Sessions *magiclink.Sessions // grants the sessions. Required

	MaxBody int64         // the greatest body in bytes; zero means 64 KiB
	Timeout time.Duration // how long redeeming may take before the answer is 503; zero means 5 s
	Logger  *slog.Logger  // takes the causes of 503 answers; nil means slog.Default
}

// RedeemHandler answers POST /v0/auth/magic-link/redeem for back ends and single-page apps: {"token": "…"} in, what the
// link stands for and a session token out. Every link that cannot be used gets the same 410. It is safe for concurrent
// use.
//
// It sets no cookie and reads none. A page that calls it must itself ask the user before: see [Page] for why.
type RedeemHandler struct {
	redeemer *magiclink.Redeemer
	sessions *magiclink.Sessions
	endpoint
}

// NewRedeemHandler reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewRedeemHandler(config RedeemConfig) (*RedeemHandler, error) {
	var faults magiclink.ConfigErrors
	checkRedeemer(&faults, config.Redeemer)
	checkSessions(&faults, config.Sessions)
	shared := newEndpoint(&faults, config.MaxBody, config.Timeout, "", config.Logger)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return &RedeemHandler{redeemer: config.Redeemer, sessions: config.Sessions, endpoint: shared}, nil
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
	h.serve(w, r, func() *problem {
		body, unreadable := readBody(w, r, h.maxBody, "application/json")
		if unreadable != nil {
			return malformed(unreadable.status, unreadable.reason)
		}
		token, err := readToken(body)
		if err != nil {
			return malformed(http.StatusUnprocessableEntity, "the body "+err.Error())
		}
		ctx, cancel := h.deadline(r)
		defer cancel()
		data, fault := h.redeem(ctx, token)
		if fault == nil {
			writeJSON(w, http.StatusOK, success{Data: data})
		}
		return fault
	})
}

func (h *RedeemHandler) redeem(ctx context.Context, token string) (data redemptionData, _ *problem) {
	redeemed, err := h.redeemer.Redeem(ctx, token)
	if err != nil && !isDead(err) {
		return data, unavailable(err)
	}
	if err != nil {
		return data, &problem{status: http.StatusGone, code: "the link cannot be used: it is not valid, expired, revoked or used"}
	}
	sessionToken, session, err := h.sessions.Grant(redeemed)
	if err != nil {
		return data, unavailable(fmt.Errorf("link %s is used up, and no session was started: %w", redeemed.MagicLinkID, err))
	}
	return redemptionData{
		MagicLinkID: redeemed.MagicLinkID, BusinessID: orNull(redeemed.BusinessID),
		ExternalBusinessID: orNull(redeemed.ExternalBusinessID), Email: orNull(redeemed.Email),
		Path: orNull(redeemed.Path), SessionToken: sessionToken, ExpiresAt: session.ExpiresAt.Format(time.RFC3339),
	}, nil
}

var errNoToken = errors.New(`must be {"token": "…"} with the link's token`)

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
