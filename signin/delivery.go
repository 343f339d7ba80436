package signin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// lastTry is how long before the expiry of a link its mail is tried for the last time.
const lastTry = time.Minute

// deliver hands a mail to the Mailer until it is sent or has failed for good. Then its link is revoked: nobody has it.
func (f *Flow) deliver(ctx context.Context, m mail) {
	var err error
	for try := 0; ; try++ {
		if err = f.hand(ctx, m.message); err == nil {
			f.tell(ctx, OpMail, "", m.subject, m.linkID)
			f.endOlder(ctx, m)
			return
		}
		if errors.Is(err, ErrPermanent) || try >= len(f.config.Retries) {
			break
		}
		if try == 0 { // the last try is minutes away, and nobody gets a mail meanwhile
			f.logger.WarnContext(ctx, "magiclink: a sign-in mail could not be sent, and will be tried again", "kind", string(m.message.Kind),
				"link_id", m.linkID, "error", m.hidden(err))
		}
		if !f.pause(ctx, f.config.Retries[try], m.message.ExpiresAt) {
			break
		}
	}
	f.logger.ErrorContext(ctx, "magiclink: a sign-in mail has failed for good, and its link is revoked", "kind", string(m.message.Kind),
		"link_id", m.linkID, "error", m.hidden(err))
	f.revoke(ctx, m)
	f.tell(ctx, OpMail, ReasonUndeliverable, m.subject, m.linkID)
}

// hand calls the Mailer once.
func (f *Flow) hand(ctx context.Context, message Message) error {
	if !enter(ctx, f.queue.sends) {
		return ctx.Err()
	}
	defer leave(f.queue.sends)
	ctx, cancel := context.WithTimeout(ctx, f.config.MailTimeout)
	defer cancel()
	return f.queue.call(ctx, func(ctx context.Context) error { return f.config.Mailer.Send(ctx, message) })
}

// pause waits before another try. It reports false when the queue has given up, and when the link would expire too soon.
func (f *Flow) pause(ctx context.Context, d time.Duration, expires time.Time) bool {
	if !expires.IsZero() && f.now().Add(d+lastTry).After(expires) {
		return false
	}
	return pause(ctx, d)
}

// revoke takes back the link of a mail that was not sent. The queue may have given up.
func (f *Flow) revoke(ctx context.Context, m mail) {
	if m.linkID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.config.Timeout)
	defer cancel()
	if err := f.issuer.Revoke(ctx, m.subject.TenantID, m.linkID); err != nil {
		f.logger.ErrorContext(ctx, "magiclink: the link of a mail that was not sent could not be revoked", "link_id", m.linkID, "error", err)
	}
}

// endOlder ends the older links of the flow, so that the last mail is the one that works. A link is consumed first, which fails if its person was
// faster: to revoke alone would end the session of a person who uses the older link at this moment.
func (f *Flow) endOlder(ctx context.Context, m mail) {
	ctx, cancel := context.WithTimeout(ctx, f.config.Timeout)
	defer cancel()
	store, ended := f.config.Config.Store, 0
	for _, id := range m.older {
		if id == m.linkID {
			continue
		}
		seen, err := f.redeemer.InspectID(ctx, id, "")
		if tied, kind, _ := readExtension(seen.Extension); err != nil || kind != kindFlow || tied.flow != m.flow {
			continue
		}
		if _, err = store.Consume(ctx, id, f.now(), "superseded by "+m.linkID); err == nil {
			err = store.Revoke(ctx, id, f.now())
			ended++
		}
		if err != nil && !isDead(err) {
			f.logger.ErrorContext(ctx, "magiclink: an older link of a sign-in was not ended", "link_id", id, "error", err)
		}
	}
	if ended > 0 {
		f.tell(ctx, magiclink.OpSupersede, "", m.subject, m.linkID)
	}
}

// isDead tells the verdicts on a link from all errors that say nothing about it.
func isDead(err error) bool {
	for _, verdict := range []error{
		magiclink.ErrInvalidToken, magiclink.ErrNotFound, magiclink.ErrRevoked, magiclink.ErrConsumed, magiclink.ErrExpired,
	} {
		if errors.Is(err, verdict) {
			return true
		}
	}
	return false
}

// hidden is the text of an error about the mail for a log.
func (m mail) hidden(err error) string {
	return hide(err, m.message.To, m.message.Link, magiclink.TokenOf(m.message.Link), m.message.Code)
}

// hide is the text of an error for a log, without what is secret or personal: mail servers repeat addresses in their answers.
func hide(err error, secrets ...string) string {
	text := err.Error()
	for _, secret := range secrets {
		text = replaceFold(text, secret)
	}
	return text
}

// replaceFold replaces a secret in upper and lower case. Other scripts are compared as they are.
func replaceFold(text, secret string) string {
	if secret == "" {
		return text
	}
	lower, find := asciiLower(text), asciiLower(secret)
	var b strings.Builder
	for {
		at := strings.Index(lower, find)
		if at < 0 {
			return b.String() + text
		}
		b.WriteString(text[:at] + "•••")
		text, lower = text[at+len(find):], lower[at+len(find):]
	}
}

// asciiLower keeps the length of the text.
func asciiLower(text string) string {
	lower := []byte(text)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}
