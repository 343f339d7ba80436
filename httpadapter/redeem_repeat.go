package httpadapter

import (
	"context"
	"net/http"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/useragent"
)

// repeatWindow is how long after a link was used the caller who used it may redeem it again.
const repeatWindow = time.Minute

// onDevice returns the context with the device of the request, for the sessions page.
func onDevice(ctx context.Context, r *http.Request) context.Context {
	return magiclink.WithDevice(ctx, useragent.Device(r.Header))
}

// redeemRepeatable redeems a link for a caller who may have to repeat the call: a browser that sends its form twice, or a
// client whose answer was lost. The same by gets the same redemption again within one minute of the first use. After that
// the link is used for this caller, too, and the answer is [magiclink.ErrConsumed]: a by that leaks later signs nobody in.
// With an empty by no call succeeds twice.
func redeemRepeatable(
	ctx context.Context, redeemer *magiclink.Redeemer, token, by string, now time.Time,
) (magiclink.Redemption, error) {
	if by == "" {
		return redeemer.Redeem(ctx, token)
	}
	redeemed, err := redeemer.RedeemBy(ctx, token, by)
	if err == nil && redeemed.Repeated && now.Sub(redeemed.RedeemedAt) > repeatWindow {
		return magiclink.Redemption{}, magiclink.ErrConsumed
	}
	return redeemed, err
}
