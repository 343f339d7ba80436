package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/magiclink-go/magiclink"
)

// redeemFlags are the flags of the redeem command.
type redeemFlags struct {
	data    dataDir
	store   storeFlag
	address address
	audit   auditFlag
	inspect bool
}

func (f *redeemFlags) declare(set *flag.FlagSet) {
	f.data.declare(set)
	f.store.declare(set)
	f.address.declare(set)
	f.audit.declare(set)
	set.BoolVar(&f.inspect, "inspect", false, "only look: the link stays usable")
}

func redeemCommand() *command {
	return &command{
		name:    "redeem",
		args:    "TOKEN-OR-LINK [flags]",
		summary: "redeems a link and prints what it stands for",
		long: "Redeems a link, or the token in it, and prints what it stands for as JSON. The link is used up then. With -inspect\n" +
			"it only looks. Give the same -addr or -base-url that serve has. A link of the sign-in by mail is redeemed whatever browser has\n" +
			"asked for it, and without its code: whoever has the keys may do that.",
		example: "magiclink redeem -inspect 'http://127.0.0.1:8080/magic/reports?token=eyJ…'",
		flags:   new(redeemFlags).declare,
		run:     runRedeem,
	}
}

func runRedeem(ctx context.Context, p *program, args []string) error {
	var f redeemFlags
	words, err := p.parse("redeem", f.declare, args)
	if err != nil {
		return err
	}
	if len(words) != 1 {
		return usagef("give one link, or the token in it, in single quotes: the shell splits a link at & otherwise")
	}
	if err := f.address.resolve(f.address.addr); err != nil {
		return err
	}
	trail, err := f.audit.open(newPlainLogger(p.stderr))
	if err != nil {
		return err
	}
	redeemed, err := withStore(ctx, &f.data, &f.store, func(c magiclink.Config) (magiclink.Redemption, error) {
		c.OnEvent = trail.onEvent()
		return f.redeem(asCLI(ctx), c, words[0])
	})
	if err = errors.Join(err, trail.close()); err != nil {
		return err
	}
	return printRedemption(p, redeemed)
}

func (f *redeemFlags) redeem(ctx context.Context, c magiclink.Config, link string) (magiclink.Redemption, error) {
	c.BaseURL = f.address.baseURL
	redeemer, err := magiclink.NewRedeemer(c)
	if err != nil {
		return magiclink.Redemption{}, configFault(err)
	}
	token := magiclink.TokenOf(link)
	if token == "" {
		return magiclink.Redemption{}, errors.New("this is not a magic link: paste the whole link, or all that stands behind token=")
	}
	if err := f.address.owns(link); err != nil {
		return magiclink.Redemption{}, err
	}
	redeem := redeemer.Redeem
	if f.inspect {
		redeem = redeemer.Inspect
	}
	redeemed, err := redeem(ctx, token)
	if errors.Is(err, magiclink.ErrInvalidToken) {
		err = fmt.Errorf("%w: the link is not complete, or it was issued with other keys than those in %s, or for another base URL than %s, "+
			"or the store does not have it: it was removed after its end, or the store is a copy that is older than the link",
			err, f.data.keysPath(), f.address.baseURL)
	}
	return redeemed, err
}

func printRedemption(p *program, redeemed magiclink.Redemption) error {
	return printJSON(p.stdout, struct {
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
		MagicLinkID: redeemed.MagicLinkID, Tenant: redeemed.TenantID, BusinessID: orNil(redeemed.BusinessID),
		ExternalBusinessID: orNil(redeemed.ExternalBusinessID), Email: orNil(redeemed.Email), Path: orNil(redeemed.Path),
		SessionTimeout: int64(redeemed.SessionTimeout / time.Second),
		IssuedAt:       redeemed.IssuedAt, ExpiresAt: redeemed.ExpiresAt, RedeemedAt: orNil(redeemed.RedeemedAt),
	})
}

// orNil returns nil for the zero value, which JSON writes as null.
func orNil[T comparable](value T) *T {
	if value == *new(T) {
		return nil
	}
	return &value
}
