package signin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/language"
)

// ErrQueueFull says that so many mails are under way that no other one is taken, or that the Flow was closed. Nothing was issued: try again later.
var ErrQueueFull = errors.New("magiclink/signin: too many mails are under way")

// Invitation is what a mail says that nobody has asked for.
type Invitation struct {
	By       string // who invites, as the recipient knows them; may be empty
	Language string // the primary subtag of the language to write in, such as "de"; empty or unknown is English
}

// Invite issues a link and mails it to its Email, which is required. A click in any browser uses the link: nobody has asked for it in one. The
// link counts neither against the limits of a flow nor against the pauses; [magiclink.Config.Limits] hold. Its TTL is that of the input, from
// 1 to 15 minutes; zero means 5, which is little time for somebody who waits for no mail. An invitation that lies in a mailbox for days is a
// mail with the address of the request page, and needs a [Config.Resolve] that knows who was invited. The Extension has at most
// [MaxExtension] bytes. The IdempotencyKey must be empty: nobody keeps a link, so a repeated call has none to mail.
//
// Invite returns when the mail is queued, with the link's id. When the mail fails for good, the link is revoked, and an event with that id tells.
//
// Errors: [ErrQueueFull], and those of [magiclink.Issuer.Issue].
func (f *Flow) Invite(ctx context.Context, create magiclink.MagicLinkCreate, invitation Invitation) (linkID string, _ error) {
	if !f.ready() {
		return "", errNoFlow
	}
	if create.Email == "" || len(create.Extension) > MaxExtension || create.IdempotencyKey != "" {
		return "", magiclink.FieldErrors{inviteFault(create)}
	}
	create.Extension = invited(create.Extension)
	ready := make(chan mail, 1)
	place := f.queue.add(func(ctx context.Context) {
		if m := <-ready; m.linkID != "" {
			f.deliver(magiclink.WithActor(ctx, actor), m)
		}
	})
	if !place {
		return "", ErrQueueFull
	}
	m := mail{}
	defer func() { ready <- m }() // also when Issue panics
	link, err := f.issuer.Issue(ctx, create)
	if err != nil {
		return "", err
	}
	m = f.invitation(create, link, invitation)
	return link.MagicLinkID, nil
}

func (f *Flow) invitation(create magiclink.MagicLinkCreate, link magiclink.MagicLinkResponse, invitation Invitation) mail {
	tag := language.Primary(invitation.Language)
	if !slices.Contains(language.All, tag) {
		tag = language.Default
	}
	return mail{
		linkID: link.MagicLinkID, subject: magiclink.Subject{TenantID: create.Caller.TenantID, BusinessID: create.BusinessID},
		message: Message{
			Kind: KindInvitation, To: create.Email, App: f.app, Link: link.MagicLink, ExpiresAt: link.ExpiresAt.In(time.UTC),
			Language: tag, InvitedBy: invitation.By,
		},
	}
}

func inviteFault(create magiclink.MagicLinkCreate) magiclink.FieldError {
	switch {
	case create.Email == "":
		return magiclink.FieldError{Field: "email", Rule: "email", Message: "is missing: an invitation is mailed"}
	case create.IdempotencyKey != "":
		return magiclink.FieldError{Field: "IdempotencyKey", Rule: "max", Message: "must be empty in an invitation: a repetition has no link to mail"}
	}
	return magiclink.FieldError{Field: "Extension", Rule: "max", Message: "must have at most 955 bytes in an invitation"}
}
