package httpadapter

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

// Binding ties a link to the browser, or the program, that has asked for it. The package signin implements it; a link that nobody has
// tied is used by a click as before. It is safe for concurrent use.
type Binding interface {
	// Flow returns the secret of the sign-in flows that the browser of the request has begun, or "".
	Flow(r *http.Request) string

	// Check says whether the link may be used with this proof. Seen is what Inspect has returned. A check with a code may count as one
	// of few attempts; a check without one changes nothing. An error is an outage: the link is not used.
	Check(ctx context.Context, seen magiclink.Redemption, proof Proof) (BindingState, error)

	// Forget removes from the browser what it keeps of the flow that the link belongs to. It is called when the browser signs out of the session
	// that came from the link, and may set a cookie.
	Forget(w http.ResponseWriter, r *http.Request, linkID string)

	// Open returns the redemption as the application gets it: without what the Binding has stored in its Extension, and with Delivered set.
	Open(redemption magiclink.Redemption) magiclink.Redemption
}

// Proof is what a caller gives beside a link. Both are credentials: printed by fmt or slog, a Proof shows nothing of them.
type Proof struct {
	Flow string // the secret of the flow, from the cookie or the body; may be empty
	Code string // the code from the mail, as a person has typed it; may be empty
}

// String returns the name of the type alone.
func (p Proof) String() string { return "Proof{}" }

// GoString is String, for the verb %#v.
func (p Proof) GoString() string { return p.String() }

// LogValue implements [slog.LogValuer]. It has nothing of the proof.
func (p Proof) LogValue() slog.Value { return slog.GroupValue() }

// MarshalJSON writes an empty object, since slog writes the fields of a struct as JSON.
func (p Proof) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

// BindingState is the answer of a [Binding]. Every value but BindingHolds leaves the link unused.
type BindingState string

// The answers of a Binding.
const (
	BindingHolds        BindingState = "holds"         // the link may be used
	BindingNeedsCode    BindingState = "needs-code"    // another browser has asked for the link: this one needs the code
	BindingNeedsBrowser BindingState = "needs-browser" // another browser has asked for the link, and no other one may use it
	BindingWrongCode    BindingState = "wrong-code"    // another code may be right
	BindingCodeEnded    BindingState = "code-ended"    // there were too many wrong codes, and no code is right any more
)

// unboundError says that a link stays unused because its binding does not hold.
type unboundError struct{ state BindingState }

func (e *unboundError) Error() string { return "magiclink: the link is tied to another browser" }

// checkBindingValue reports a Binding that would panic.
func checkBindingValue(found *faults, binding Binding) {
	if binding != nil && nilvalue.Is(binding) {
		found.add("Binding", "is a nil value in an interface: set a binding, or nothing")
	}
}

// checkBinding returns an unboundError unless the link may be used with this proof.
func checkBinding(ctx context.Context, binding Binding, seen magiclink.Redemption, proof Proof) error {
	if binding == nil {
		return nil
	}
	state, err := binding.Check(ctx, seen, proof)
	if err == nil && state != BindingHolds {
		err = &unboundError{state}
	}
	return err
}

// openBinding returns the redemption as the application gets it.
func openBinding(binding Binding, redemption magiclink.Redemption) magiclink.Redemption {
	if binding == nil {
		return redemption
	}
	return binding.Open(redemption)
}

// forget lets the browser forget the flow that has begun a session, after the session has ended.
func forget(binding Binding, w http.ResponseWriter, r *http.Request, ended magiclink.Session) {
	if binding != nil && ended.MagicLinkID != "" {
		binding.Forget(w, r, ended.MagicLinkID)
	}
}

// binding and admission are those of the page, and nil for a nil pointer.
func (p *Page) binding() Binding {
	if p == nil {
		return nil
	}
	return p.config.Binding
}

func (p *Page) admission() func(*http.Request, magiclink.Redemption) error {
	if p == nil {
		return nil
	}
	return p.config.Admit
}

func (p *Page) onRedeem() func(http.ResponseWriter, *http.Request, magiclink.Redemption) error {
	if p == nil {
		return nil
	}
	return p.config.OnRedeem
}

// proof is what the browser gives beside the link.
func (p *Page) proof(r *http.Request, code string) Proof {
	if p.config.Binding == nil {
		return Proof{}
	}
	return Proof{Flow: p.config.Binding.Flow(r), Code: code}
}

// answerUnbound shows that another browser has asked for the link. It reports false for every other error, and then has answered nothing.
func (p *Page) answerUnbound(w http.ResponseWriter, r *http.Request, token, secret string, err error) bool {
	unbound, ok := errors.AsType[*unboundError](err)
	if !ok {
		return false
	}
	status, data := http.StatusForbidden, p.openAgain(token)
	if r.Method != http.MethodPost {
		status = http.StatusOK
	}
	switch unbound.state {
	case BindingNeedsCode:
		data = p.formData(token, secret)
	case BindingWrongCode:
		data = p.formData(token, secret)
		data.WrongCode = true
	case BindingCodeEnded:
		data.CodeEnded = true
	}
	p.show(w, r, status, StateOtherBrowser, data)
	return true
}

// StartSession does what the page does after a redemption, for a handler that has redeemed a link in another way: it sets the session cookie,
// calls OnRedeem, and ends the session that the browser had before. It writes neither a status nor a body. After an error, which matches
// [ErrRefused] or is an outage, no cookie is set.
func (p *Page) StartSession(w http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) error {
	if p == nil || p.config.Redeemer == nil {
		return errNoPage
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), p.timeout)
	defer cancel()
	r = r.WithContext(ctx)
	replaced := p.replacedSession(r, redeemed)
	if err := p.begin(w, r, redeemed); err != nil {
		return err
	}
	p.end(r, replaced)
	return nil
}

// IsSignedInBy reports whether the session of the browser came from this link, as [PageConfig.ActiveLink] or the session cookie says. It is
// false for an empty linkID. An error says that the store of the sessions failed: nobody knows then, so take it for false.
func (p *Page) IsSignedInBy(r *http.Request, linkID string) (bool, error) {
	if p == nil || p.config.Redeemer == nil {
		return false, errNoPage
	}
	return p.isSignedInBy(r, linkID)
}

var errNoPage = errors.New("magiclink: Page is not initialized: use NewPage")
