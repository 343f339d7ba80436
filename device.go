package magiclink

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxDevice = 48 // bytes of a device; with the mark and the longest "by" less than the 128 bytes of a ConsumedBy

	// deviceMark stands in a ConsumedBy between the "by" and the device. A "by" has no control characters, so it never holds the mark.
	deviceMark = "\t"
)

type deviceKey struct{}

// WithDevice returns a context that says on which device a person redeems a link, such as "Firefox on Windows". The calls of Redeem, RedeemBy and
// RedeemID with it store the device with the use of the link: [Redemption.Device] and [Session.Device] return it, so that a person recognises their own
// sessions. The HTTP adapter and the package signin set it to a short name that they derive from the User-Agent.
//
// A device is at most 48 bytes of UTF-8: visible characters and spaces. Another device counts as none, since a device must never keep a
// person from signing in. It decides nothing: it is what the client says of itself. Pass no whole User-Agent, which tells more about a person than is needed.
func WithDevice(ctx context.Context, device string) context.Context {
	return context.WithValue(ctx, deviceKey{}, device)
}

// withDevice returns by with the device of the context, as a store keeps it. An empty by stays empty: it must not succeed twice.
func withDevice(ctx context.Context, by string) string {
	device, _ := ctx.Value(deviceKey{}).(string)
	if by == "" || device == "" || !validDevice(device) {
		return by
	}
	return by + deviceMark + device
}

// usedBy reports whether the same non-empty by has used the link, on whatever device.
func (r *Record) usedBy(by string) bool {
	before, _, _ := strings.Cut(r.ConsumedBy, deviceMark)
	return !r.ConsumedAt.IsZero() && by != "" && before == by
}

// device is checked again because somebody may have changed what is stored.
func (r *Record) device() string {
	_, device, _ := strings.Cut(r.ConsumedBy, deviceMark)
	if !validDevice(device) {
		return ""
	}
	return device
}

// session is the session that came from a record that was used.
func (r *Record) session() Session {
	session := sessionOf(r.ID, r.Subject, r.ConsumedAt, r.SessionTimeout)
	session.Device = r.device()
	return session
}

// validDevice refuses control characters, and those that are invisible or turn the direction of the text around them.
func validDevice(device string) bool {
	return len(device) <= maxDevice && utf8.ValidString(device) &&
		!strings.ContainsFunc(device, func(r rune) bool { return !unicode.IsPrint(r) })
}
