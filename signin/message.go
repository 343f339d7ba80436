package signin

import (
	"context"
	"time"
)

// Kind is what a [Message] is about.
type Kind string

// The kinds of messages.
const (
	KindSignIn     Kind = "sign-in"    // the link and the code that somebody has asked for
	KindNoAccount  Kind = "no-account" // nobody here has this address: without a link and without a code
	KindInvitation Kind = "invitation" // a link that the application sends without being asked
)

// Message is a mail that is to be written and sent. Link and Code are credentials: do not log them. Printed by fmt or slog, a Message shows neither of
// them, and no address.
type Message struct {
	Kind Kind
	To   string // one bare address: see magiclink.ValidEmail
	App  string // the name of the application

	Link      string    // the magic link; empty for KindNoAccount
	Code      string    // "XXXX-XXXX", or empty: a code exists only for the browser that has asked
	ExpiresAt time.Time // when link and code expire, in UTC

	Language string // the primary subtag of the language to write in, such as "de"; see package mail for those that are built in

	// Who has asked. All of them are empty for KindInvitation.
	Browser string    // such as "Firefox", or empty where it is not known
	System  string    // such as "Windows", or empty where it is not known
	AskedAt time.Time // in UTC

	InvitedBy string // for KindInvitation: who invites, as the recipient knows them; may be empty
}

// Mailer sends messages. It is called outside of requests, with the deadline of [Config.MailTimeout], and by at most eight goroutines at one
// time. It is safe for concurrent use.
//
// An error for which errors.Is(err, [ErrPermanent]) is true is not tried again; every other one, and a panic, is tried again as
// [Config.Retries] says.
type Mailer interface {
	Send(ctx context.Context, message Message) error
}
