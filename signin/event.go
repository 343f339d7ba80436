package signin

import (
	"context"

	"github.com/magiclink-go/magiclink"
)

// The operations of a flow in the events of [magiclink.Config.OnEvent]. Their Actor is "sign-in".
const (
	OpRequest magiclink.Op = "sign_in_request" // somebody has asked for a mail
	OpMail    magiclink.Op = "sign_in_mail"    // a mail was handed to the Mailer, or could not be delivered
	OpCode    magiclink.Op = "sign_in_code"    // a code was tried
)

// The reasons of a flow, beside those of the core: ReasonNotFound for an address that Resolve does not know, ReasonInvalidInput for a text that is no
// address, ReasonLimited beyond the Limits, and ReasonUnavailable for an outage.
const (
	ReasonQueueFull     magiclink.Reason = "queue_full"    // OpRequest: too many mails are under way, or the flow was closed
	ReasonUndeliverable magiclink.Reason = "undeliverable" // OpMail: the mail failed for good, and its link was revoked
	ReasonWrongCode     magiclink.Reason = "wrong_code"    // OpCode
	ReasonCodeEnded     magiclink.Reason = "code_ended"    // OpCode: there were too many wrong codes before
)

// actor is who makes the calls of a flow: see [magiclink.WithActor].
const actor = "sign-in"

// tell reports an event. A panic in OnEvent is contained. The context of a request may have ended.
func (f *Flow) tell(ctx context.Context, op magiclink.Op, reason magiclink.Reason, subject magiclink.Subject, linkID string) {
	onEvent := f.config.Config.OnEvent
	if onEvent == nil {
		return
	}
	event := magiclink.Event{
		Op: op, Reason: reason, At: f.now(), TenantID: subject.TenantID, BusinessID: subject.BusinessID, LinkID: linkID, Actor: actor,
	}
	if !magiclink.ValidTenantID(event.TenantID) {
		event.TenantID = ""
	}
	if !magiclink.ValidBusinessID(event.BusinessID) {
		event.BusinessID = ""
	}
	defer func() {
		if recover() != nil {
			f.logger.ErrorContext(ctx, "magiclink: OnEvent panicked", "op", string(op), "link_id", linkID)
		}
	}()
	onEvent(ctx, event)
}
