package signin

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/webform"
)

const (
	maxAddress  = 254  // bytes of an address as it was entered
	maxFlowText = 2048 // bytes of an encoded flow

	// step is the precision of the time in the ids of a flow's links. Two requests of one form within a step have one link.
	step = 10 * time.Second
	// maxSteps is how many requests a flow remembers.
	maxSteps = 5
	// maxEarlier is how many requests for other addresses a browser remembers beside the last one.
	maxEarlier = 2
)

// asked is what the browser holds that has asked: in a cookie, or as the "flow" of the JSON routes. The secret determines the ids of the
// flow's links, so that nothing has to be stored, and so that it looks the same whether there is a link or not.
//
// Nothing in it is trusted: whoever changes the address or a time in a cookie could as well send another form.
type asked struct {
	secret  string    // SecretLength characters
	address string    // as it was entered, at most maxAddress bytes
	next    string    // a local path, or empty
	at      time.Time // of the last request; a whole second
	steps   []int64   // the times of all requests in steps since 1970, newest first
}

// flowVersion is in front of every flow.
const flowVersion = "1"

// String encodes the flow. Each value has one encoding.
func (a asked) encode() string {
	steps := make([]string, 0, len(a.steps))
	for _, s := range a.steps {
		steps = append(steps, strconv.FormatInt(s, 36))
	}
	return strings.Join([]string{
		flowVersion, a.secret, base64.RawURLEncoding.EncodeToString([]byte(a.address)), base64.RawURLEncoding.EncodeToString([]byte(a.next)),
		strconv.FormatInt(a.at.Unix(), 36), strings.Join(steps, "-"),
	}, ".")
}

// decodeFlow reports false for every text that encode has not written.
func decodeFlow(text string) (a asked, ok bool) {
	parts := strings.Split(text, ".")
	if len(text) > maxFlowText || len(parts) != 6 || parts[0] != flowVersion || !isSecret(parts[1]) {
		return asked{}, false
	}
	address, err1 := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	next, err2 := base64.RawURLEncoding.Strict().DecodeString(parts[3])
	at, err3 := strconv.ParseInt(parts[4], 36, 64)
	if err1 != nil || err2 != nil || err3 != nil || !isTime(at) {
		return asked{}, false
	}
	a = asked{secret: parts[1], address: string(address), next: string(next), at: time.Unix(at, 0).UTC()}
	for _, s := range strings.Split(parts[5], "-") {
		n, err := strconv.ParseInt(s, 36, 64)
		if err != nil || !isTime(n) {
			return asked{}, false
		}
		a.steps = append(a.steps, n)
	}
	if len(a.steps) > maxSteps || a.address != trimAddress(a.address) || a.next != localNext(a.next) || a.encode() != text {
		return asked{}, false
	}
	return a, true
}

func isSecret(text string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(text) == webform.SecretLength && len(raw) == 32
}

// held is what the cookie of a browser holds: the flow that it waits for, and the secrets of those that it has begun before for other addresses.
// Their links are those of this browser as well.
type held struct {
	flow    string   // encoded; empty after the browser has signed out of it
	earlier []string // newest first, at most maxEarlier
}

// encode joins by a character that is in no flow, and that a cookie may hold.
func (h held) encode() string { return strings.Join(append([]string{h.flow}, h.earlier...), "~") }

// decodeHeld returns nothing for a text that encode has not written.
func decodeHeld(text string) held {
	parts := strings.Split(text, "~")
	h := held{flow: parts[0], earlier: parts[1:]}
	if len(h.earlier) > maxEarlier || slices.ContainsFunc(h.earlier, func(secret string) bool { return !isSecret(secret) }) {
		return held{}
	}
	return h
}

// with returns what the browser holds that begins or continues a flow.
func (h held) with(a asked) held {
	earlier := h.earlier
	if before, ok := decodeFlow(h.flow); ok {
		earlier = slices.Insert(slices.Clone(earlier), 0, before.secret)
	}
	earlier = slices.DeleteFunc(slices.Clone(earlier), func(secret string) bool { return secret == a.secret })
	return held{flow: a.encode(), earlier: earlier[:min(len(earlier), maxEarlier)]}
}

// secrets are those of all flows of the browser.
func (h held) secrets() []string {
	if a, ok := decodeFlow(h.flow); ok {
		return append([]string{a.secret}, h.earlier...)
	}
	return h.earlier
}

// isTime keeps times within what an id can hold.
func isTime(n int64) bool { return n > 0 && n < 1<<38 }

// localNext returns a path to which a person may be sent, or "".
func localNext(next string) string {
	if !magiclink.ValidLocalPath(next) {
		return ""
	}
	return next
}

// trimAddress cuts what was entered to what is kept of it.
func trimAddress(entered string) string {
	entered = strings.TrimSpace(strings.ToValidUTF8(entered, ""))
	if len(entered) > maxAddress {
		entered = strings.TrimSpace(strings.ToValidUTF8(entered[:maxAddress], ""))
	}
	return entered
}

// again returns the flow with one more request.
func (a asked) again(now time.Time) asked {
	a.at = now.Truncate(time.Second)
	if a.at.Before(now) { // not before the limits that count from now
		a.at = a.at.Add(time.Second)
	}
	if s := stepOf(now); !slices.Contains(a.steps, s) {
		a.steps = slices.Insert(slices.Clone(a.steps), 0, s)
	}
	a.steps = a.steps[:min(len(a.steps), maxSteps)]
	return a
}

func stepOf(now time.Time) int64 { return now.Unix() / int64(step/time.Second) }

// linkID is the id of the link of the last request.
func (a asked) linkID() string { return a.idAt(a.steps[0]) }

func (a asked) idAt(s int64) string {
	return magiclink.NewMagicLinkID(time.Unix(s*int64(step/time.Second), 0).UTC(), a.secret)
}

// linkIDs are the ids that the links of the flow can have, newest first.
func (a asked) linkIDs() []string {
	var ids []string
	for _, pair := range a.pairs() {
		for _, id := range pair {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// pairs are the ids that the link of each request can have. The same form that was sent twice at the turn of two steps has the link of the
// earlier one.
func (a asked) pairs() [][2]string {
	pairs := make([][2]string, 0, len(a.steps))
	for _, s := range a.steps {
		pairs = append(pairs, [2]string{a.idAt(s), a.idAt(s - 1)})
	}
	return pairs
}

// redeemedBy is the "by" of a redemption by code: it names this flow, this link and this code.
func (a asked) redeemedBy(id, code string) string {
	return webform.Digest("magiclink code by", a.secret, id+"\x00"+code)
}
