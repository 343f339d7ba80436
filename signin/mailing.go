package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/internal/useragent"
)

// request is what somebody has asked for. All that depends on the address happens outside of the HTTP request.
type request struct {
	asked
	network                   string // the widest one of the client
	language, browser, system string
	at                        time.Time
}

func (f *Flow) newRequest(r *http.Request, network string, a asked) request {
	browser, system := useragent.Of(r.Header)
	tag := f.config.Page.Language
	if tag == "" {
		tag = language.Match(strings.Join(r.Header.Values("Accept-Language"), ","))
	}
	return request{asked: a, network: network, language: tag, browser: browser, system: system, at: f.now().UTC()}
}

// mail is a message with the link that is in it.
type mail struct {
	message Message
	subject magiclink.Subject
	linkID  string   // empty for a message without a link
	older   []string // the ids of links that end when the mail was sent
	flow    [32]byte // the digest of the flow that may end them
}

// send sends what was asked for, in its own time. It reports false when too much is waiting already.
func (f *Flow) send(ctx context.Context, asked request) bool {
	accepted := f.queue.add(func(ctx context.Context) { f.answer(ctx, asked) })
	if !accepted {
		f.tell(ctx, OpRequest, ReasonQueueFull, magiclink.Subject{}, "")
	}
	return accepted
}

func (f *Flow) answer(ctx context.Context, asked request) {
	ctx = magiclink.WithActor(ctx, actor)
	code, tied, made := f.makeCode(ctx, asked)
	if !made || !f.queue.rest(ctx) || !enter(ctx, f.queue.lookups) {
		f.tell(ctx, OpRequest, magiclink.ReasonUnavailable, magiclink.Subject{}, "")
		return
	}
	ready, reason, err := f.prepare(ctx, asked, code, tied)
	leave(f.queue.lookups)
	if err != nil {
		f.logger.ErrorContext(ctx, "magiclink: no sign-in mail was made", "error", hide(err, asked.address, asciiDomain(asked.address)))
	}
	f.tell(ctx, OpRequest, reason, ready.subject, ready.linkID)
	if ready.message.To != "" {
		f.deliver(ctx, ready)
	}
}

// makeCode makes a code, for every address. Its digest is the one work of a request that a processor has long to do, and slows the next
// requests of the client down: made for known addresses alone it would tell them. It reports false when the queue has given up.
func (f *Flow) makeCode(ctx context.Context, asked request) (code string, tied binding, made bool) {
	if !enter(ctx, f.queue.digests) {
		return "", binding{}, false
	}
	defer leave(f.queue.digests)
	code, tied.flow = newCode(), digestOf(asked.secret)
	tied.code = codeDigest(tied.flow, code)
	return code, tied, true
}

// prepare asks the application who the person is, and issues the link. The mail is empty where none is to be sent.
func (f *Flow) prepare(ctx context.Context, asked request, code string, tied binding) (mail, magiclink.Reason, error) {
	ctx, cancel := context.WithTimeout(ctx, f.config.Timeout)
	defer cancel()
	address := asciiDomain(asked.address)
	if !magiclink.ValidEmail(address) { // before it is folded: U+212A, which is no ASCII, folds to k
		return mail{}, magiclink.ReasonInvalidInput, nil
	}
	address = lowerDomain(address)
	for n, rate := range f.config.Limits.perAddress() {
		if reason, err := f.limited(ctx, asked, "address"+strconv.Itoa(n), rate, mailbox(address)); reason != "" {
			return mail{}, reason, err
		}
	}
	create, err := f.resolve(ctx, address)
	switch {
	case errors.Is(err, ErrUnknownAddress):
		return f.unknown(asked, address), magiclink.ReasonNotFound, nil
	case err != nil:
		return mail{}, magiclink.ReasonUnavailable, fmt.Errorf("resolve the address: %w", err)
	}
	if reason, err := f.limitedTenant(ctx, asked, create.Caller.TenantID); reason != "" {
		return mail{}, reason, err
	}
	return f.issue(ctx, asked, address, create, code, tied)
}

// resolve calls the application. A call that panics or ignores its context is an outage.
func (f *Flow) resolve(ctx context.Context, address string) (create magiclink.MagicLinkCreate, err error) {
	result := make(chan magiclink.MagicLinkCreate, 1)
	err = f.queue.call(ctx, func(ctx context.Context) error {
		found, err := f.config.Resolve(ctx, address)
		result <- found
		return err
	})
	if err != nil {
		return magiclink.MagicLinkCreate{}, err
	}
	return <-result, nil
}

// unknown is the mail to an address that nobody has.
func (f *Flow) unknown(asked request, address string) mail {
	if !f.config.TellUnknown {
		return mail{}
	}
	return mail{message: f.message(KindNoAccount, asked, address)}
}

func (f *Flow) message(kind Kind, asked request, to string) Message {
	return Message{
		Kind: kind, To: to, App: f.app, Language: asked.language, Browser: asked.browser, System: asked.system, AskedAt: asked.at,
	}
}

// issue makes the link that is tied to the flow and to the code.
func (f *Flow) issue(
	ctx context.Context, asked request, address string, create magiclink.MagicLinkCreate, code string, tied binding,
) (mail, magiclink.Reason, error) {
	if len(create.Extension) > MaxExtension {
		return mail{}, magiclink.ReasonInvalidInput, fmt.Errorf("the Extension that Resolve has returned has more than %d bytes", MaxExtension)
	}
	if create.Email == "" {
		create.Email = address
	}
	if asked.next != "" {
		create.Path = asked.next
	}
	create.Extension, create.TTL = tied.extension(create.Extension), int(f.config.TTL/time.Minute)
	create.MagicLinkID, create.IdempotencyKey = asked.linkID(), ""
	link, err := f.issuer.Issue(ctx, create)
	switch {
	case errors.Is(err, magiclink.ErrExists): // the same form was sent twice
		return mail{}, magiclink.ReasonLimited, nil
	case errors.Is(err, magiclink.ErrLimited):
		return mail{}, magiclink.ReasonLimited, nil
	case err != nil:
		return mail{}, magiclink.ReasonUnavailable, err
	}
	ready := mail{
		message: f.message(KindSignIn, asked, create.Email), linkID: link.MagicLinkID, older: asked.linkIDs(), flow: tied.flow,
		subject: magiclink.Subject{TenantID: create.Caller.TenantID, BusinessID: create.BusinessID},
	}
	ready.message.Link, ready.message.Code, ready.message.ExpiresAt = link.MagicLink, showCode(code), link.ExpiresAt
	return ready, "", nil
}

// lowerDomain returns an address with its domain in lower case. The domain of an address that ValidEmail accepts is ASCII.
func lowerDomain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	return address[:at] + strings.ToLower(address[at:])
}
