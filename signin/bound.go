package signin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/useragent"
)

// flowCookie holds the flow of the browser that has asked, and the secrets of earlier ones: see held.
const flowCookie = "__Host-magiclink_signin"

// Flow implements [httpadapter.Binding]: it returns the value of the browser's cookie, or "". The value proves the last three requests that the
// browser has made for different addresses.
func (f *Flow) Flow(r *http.Request) string {
	if !f.ready() {
		return ""
	}
	text, _ := f.cookies.Value(r, flowCookie)
	return text
}

// Open implements [httpadapter.Binding]: see the function [Open].
func (f *Flow) Open(redemption magiclink.Redemption) magiclink.Redemption { return Open(redemption) }

// Check implements [httpadapter.Binding]. A link that no flow has mailed may be used by everybody who has it, and so may an invitation.
func (f *Flow) Check(
	ctx context.Context, seen magiclink.Redemption, proof httpadapter.Proof,
) (httpadapter.BindingState, error) {
	tied, kind, _ := readExtension(seen.Extension)
	switch {
	case kind != kindFlow:
		return httpadapter.BindingHolds, nil
	case !f.ready():
		return httpadapter.BindingNeedsBrowser, errNoFlow
	case f.config.Mode == ModeOff || tied.isOf(proof.Flow):
		return httpadapter.BindingHolds, nil
	case f.config.Mode != ModePrefer:
		return httpadapter.BindingNeedsBrowser, nil
	case proof.Code == "":
		return httpadapter.BindingNeedsCode, nil
	}
	code, ok := readCode(proof.Code)
	if !ok {
		return httpadapter.BindingWrongCode, nil
	}
	return f.checkCode(ctx, seen, tied, code)
}

// isOf reports whether the link belongs to an encoded flow, or to one of those that a cookie holds.
func (b binding) isOf(flow string) bool {
	return slices.ContainsFunc(decodeHeld(flow).secrets(), func(secret string) bool { return b.isFlow(digestOf(secret)) })
}

// Forget implements [httpadapter.Binding]: it takes the flow of the link out of the browser's cookie, so that the waiting page does not wait for a
// mail that was used. What the browser has asked for otherwise stays.
func (f *Flow) Forget(w http.ResponseWriter, r *http.Request, linkID string) {
	if !f.ready() {
		return
	}
	a, found := f.asked(r)
	if !found || !slices.Contains(a.linkIDs(), linkID) {
		return
	}
	rest := held{earlier: decodeHeld(f.Flow(r)).earlier}
	if len(rest.earlier) == 0 {
		http.SetCookie(w, f.cookies.Make(flowCookie, "", -1))
		return
	}
	http.SetCookie(w, f.cookies.Make(flowCookie, rest.encode(), f.cookieAge()))
}

// checkCode judges a code that was typed beside the link. Its tries are not those of the browser that has asked: anybody can ask for somebody else's
// address and use those up, and the person who has the mail must still get in. Whoever only asks has no link, and so has no tries here.
func (f *Flow) checkCode(
	ctx context.Context, seen magiclink.Redemption, tied binding, code string,
) (httpadapter.BindingState, error) {
	wait, err := f.take(ctx, "code-of-link", codeTries, seen.MagicLinkID)
	state, reason := httpadapter.BindingHolds, magiclink.Reason("")
	switch {
	case err != nil:
		return "", err
	case wait > 0:
		state, reason = httpadapter.BindingCodeEnded, ReasonCodeEnded
	case !tied.isCode(codeDigest(tied.flow, code)):
		state, reason = httpadapter.BindingWrongCode, ReasonWrongCode
	}
	f.tell(ctx, OpCode, reason, seen.Subject, seen.MagicLinkID)
	return state, nil
}

func (b binding) isFlow(digest [sha256.Size]byte) bool {
	return subtle.ConstantTimeCompare(digest[:], b.flow[:]) == 1
}

func (b binding) isCode(digest [sha256.Size]byte) bool {
	return subtle.ConstantTimeCompare(digest[:], b.code[:]) == 1
}

var (
	errWrongCode = errors.New("magiclink/signin: the code is wrong")
	errCodeEnded = errors.New("magiclink/signin: there were too many wrong codes")
)

// redeemCode redeems the link of a flow by its code, or repeats that redemption for the same flow and code.
func (f *Flow) redeemCode(r *http.Request, a asked, typed string) (redeemed magiclink.Redemption, err error) {
	defer contain(func() { err = errPanic })
	ctx := magiclink.WithDevice(r.Context(), useragent.Device(r.Header))
	code, ok := readCode(typed)
	if !ok {
		return magiclink.Redemption{}, errWrongCode
	}
	id, err := f.judge(ctx, a, code)
	if err != nil {
		return magiclink.Redemption{}, err
	}
	by, admit := a.redeemedBy(id, code), f.config.Page.Admit
	admitted := admit == nil
	if seen, err := f.redeemer.InspectID(ctx, id, ""); err == nil && !admitted {
		if err := admit(r, Open(seen)); err != nil {
			return magiclink.Redemption{}, err
		}
		admitted = true
	} else if err != nil && !errors.Is(err, magiclink.ErrConsumed) {
		return magiclink.Redemption{}, err
	}
	redeemed, err = f.redeemer.RedeemID(ctx, id, by)
	if err == nil && redeemed.Repeated && f.now().Sub(redeemed.RedeemedAt) > repeatWindow {
		err = magiclink.ErrConsumed
	}
	redeemed = Open(redeemed)
	if err == nil && !admitted { // a repetition
		err = admit(r, redeemed)
	}
	return redeemed, err
}

// judge returns the link of the flow whose code this is. Every link that the flow can have is counted and looked up, whether it exists or not. What
// the store is asked, and what is compared, is the same for an address without a link and for a link that its person has used. The links are looked up
// beside the slow digest, which takes longer: so it does not show that a store has more to do to find a link than to find none.
func (f *Flow) judge(ctx context.Context, a asked, code string) (id string, _ error) {
	granted, err := f.takeCode(ctx, a)
	if err != nil {
		return "", err
	}
	result := make(chan links, 1)
	go func() { result <- f.lookUp(ctx, a, code) }()
	var digest [sha256.Size]byte
	if len(granted) > 0 {
		digest = codeDigest(digestOf(a.secret), code)
	}
	found := <-result
	if found.err != nil || found.repeated != "" {
		return found.repeated, found.err
	}
	match, reason := magiclink.Redemption{}, ReasonCodeEnded
	if len(granted) > 0 {
		match, reason = found.matching(granted, digestOf(a.secret), digest)
	}
	f.tell(ctx, OpCode, reason, match.Subject, match.MagicLinkID)
	switch reason {
	case ReasonCodeEnded:
		return "", errCodeEnded
	case ReasonWrongCode:
		return "", errWrongCode
	}
	return match.MagicLinkID, nil
}

// links are those that a flow can have.
type links struct {
	byID     map[string]magiclink.Redemption
	repeated string // the id of the one that the same flow has used with the same code; it lets nobody in who is not in, and needs no try
	err      error
}

func (f *Flow) lookUp(ctx context.Context, a asked, code string) (l links) {
	defer func() {
		if recover() != nil {
			l.err = errPanic
		}
	}()
	l.byID = map[string]magiclink.Redemption{}
	for _, id := range a.linkIDs() {
		seen, err := f.redeemer.InspectID(ctx, id, a.redeemedBy(id, code))
		switch {
		case err != nil && !isDead(err):
			return links{err: err}
		case seen.Repeated:
			return links{repeated: id}
		case seen.MagicLinkID == "":
			seen = noLink
		}
		l.byID[id] = seen
	}
	return l
}

// noLink is compared in place of a link that does not exist. No code is the one of its digest.
var noLink = magiclink.Redemption{Extension: binding{}.extension("")}

// takeCode takes one try of each link that the flow can have, and returns those that may be judged: both ids of a request have had one left. So
// racing guesses never have more tries than one link has.
func (f *Flow) takeCode(ctx context.Context, a asked) (granted []string, _ error) {
	left := map[string]bool{}
	for _, id := range a.linkIDs() {
		wait, err := f.take(ctx, "code", codeTries, id)
		if err != nil {
			return nil, err
		}
		left[id] = wait == 0
	}
	for _, pair := range a.pairs() {
		if left[pair[0]] && left[pair[1]] {
			granted = append(granted, pair[:]...)
		}
	}
	return granted, nil
}

// matching returns the link that the code is of, whose digest is given. All links are compared, also after the right one.
func (l links) matching(granted []string, flow, code [sha256.Size]byte) (match magiclink.Redemption, reason magiclink.Reason) {
	reason = ReasonWrongCode
	for _, id := range granted {
		tied, kind, _ := readExtension(l.byID[id].Extension)
		ours, right := tied.isFlow(flow), tied.isCode(code)
		if kind == kindFlow && ours && right {
			match, reason = l.byID[id], ""
		}
	}
	return match, reason
}
