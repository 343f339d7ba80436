package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/url"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// redeemFlags are the flags of the redeem command.
type redeemFlags struct {
	data    dataDir
	address address
	inspect bool
}

func (f *redeemFlags) declare(set *flag.FlagSet) {
	f.data.declare(set)
	f.address.declare(set)
	set.BoolVar(&f.inspect, "inspect", false, "only look, without using the link up")
}

func redeemCommand() *command {
	return &command{
		name:    "redeem",
		args:    "[flags] TOKEN-OR-LINK",
		summary: "redeems a link and prints what it stands for",
		long: "Redeems a link, or the token in it, and prints what it stands for as JSON. The link is used up then. With -inspect\n" +
			"it only looks. Give the same -addr or -base-url that serve has.",
		example: "magiclink redeem -inspect 'http://127.0.0.1:8080/magic/reports?token=eyJ…'",
		flags:   new(redeemFlags).declare,
		run:     runRedeem,
	}
}

func runRedeem(ctx context.Context, p *program, args []string) (err error) {
	var f redeemFlags
	rest, err := p.parseAround("redeem", f.declare, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("say which link to redeem: its token or its URL, and nothing else")
	}
	if err := f.address.resolve(f.address.addr); err != nil {
		return err
	}
	keys, err := f.data.keys()
	if err != nil {
		return err
	}
	store, err := f.data.database()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	redeemer, err := magiclink.NewRedeemer(magiclink.RedeemerConfig{BaseURL: f.address.baseURL, Keys: keys, Store: store})
	if err != nil {
		return err
	}
	redeem := redeemer.Redeem
	if f.inspect {
		redeem = redeemer.Inspect
	}
	redeemed, err := redeem(ctx, tokenOf(rest[0]))
	if err != nil {
		return err
	}
	return printRedemption(p, redeemed)
}

// tokenOf takes the token out of a link, and anything else as it is.
func tokenOf(text string) string {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme == "" {
		return strings.TrimSpace(text)
	}
	tokens := u.Query()["token"]
	if len(tokens) == 0 {
		return ""
	}
	return tokens[len(tokens)-1]
}

func printRedemption(p *program, redeemed magiclink.Redemption) error {
	out := json.NewEncoder(p.stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(struct {
		MagicLinkID        string     `json:"magic_link_id"`
		Tenant             string     `json:"tenant"`
		BusinessID         *string    `json:"business_id"`
		ExternalBusinessID *string    `json:"external_business_id"`
		Email              *string    `json:"email"`
		Path               *string    `json:"path"`
		SessionTimeout     int64      `json:"session_timeout"`
		IssuedAt           time.Time  `json:"issued_at"`
		ExpiresAt          time.Time  `json:"expires_at"`
		RedeemedAt         *time.Time `json:"redeemed_at"`
	}{
		MagicLinkID: redeemed.MagicLinkID, Tenant: redeemed.TenantID, BusinessID: orNull(redeemed.BusinessID),
		ExternalBusinessID: orNull(redeemed.ExternalBusinessID), Email: orNull(redeemed.Email), Path: orNull(redeemed.Path),
		SessionTimeout: int64(redeemed.SessionTimeout / time.Second),
		IssuedAt:       redeemed.IssuedAt, ExpiresAt: redeemed.ExpiresAt, RedeemedAt: orNull(redeemed.RedeemedAt),
	})
}

// orNull makes null of what there is not.
func orNull[T comparable](value T) *T {
	if value == *new(T) {
		return nil
	}
	return &value
}
