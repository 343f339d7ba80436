package httpadapter

import (
	"encoding/json"
	"html/template"
	"log/slog"
)

// PageState is which page is shown.
type PageState string

// The pages.
const (
	StateConfirm      PageState = "confirm"       // 200: ask before signing in
	StateOtherBrowser PageState = "other-browser" // 200, and 403 for a click: another browser has asked for the link
	StateDead         PageState = "dead"          // 410: the link is used, expired, revoked, unknown or forged
	StateRefused      PageState = "refused"       // 403: no page that this browser was shown has posted the form; also 405
	StateWrongAddress PageState = "wrong-address" // 403: the form came from another origin than that of the links
	StateNotAdmitted  PageState = "not-admitted"  // 403: Admit or OnRedeem returned ErrRefused
	StateUnavailable  PageState = "unavailable"   // 503: the store does not answer
	StateLimited      PageState = "limited"       // 429: too many attempts: see Page.TryLater
)

// PageData is the data for a page's template. Control and formatting characters are removed from the texts, so that none
// can change the order in which a text is read.
//
// It holds a link, tokens and account names. Printed by fmt, slog or encoding/json it shows its State alone; a template reads
// the fields.
type PageData struct {
	State      PageState
	App        string       // the name of the application
	Host       string       // the host of the links, where they can be used
	HomeURL    string       // the path "/" on the origin of the links
	NewLinkURL string       // where to ask for a new link; may be empty
	Logo       template.URL // the logo; may be empty
	Icon       template.URL // a small picture with the first letter of App, for <link rel="icon">
	Style      template.CSS // the colours, as custom properties: see internal/webpage/layout.html
	Nonce      string       // for <style nonce="…">; other styles, and scripts, do not run
	Language   string       // of the page, for the attribute lang: a primary subtag such as "de"
	Direction  string       // of the language, for the attribute dir: "ltr" or "rtl"

	// LinkURL opens the link again, at its own address. It is set in StateRefused, StateWrongAddress, StateNotAdmitted,
	// StateOtherBrowser and StateUnavailable where the link is known and not used up by this click.
	LinkURL string

	// LinkUsed says, in StateNotAdmitted, that the link is used up.
	LinkUsed bool

	// WrongCode says, in StateOtherBrowser, that the code was wrong. CodeEnded says that there were too many wrong codes. Action is set
	// where the page is to ask for the code, in the field "code".
	WrongCode, CodeEnded bool

	// Action is the address to which the form is posted, by POST, with the fields "token" and "form". It is set in
	// StateConfirm, in StateOtherBrowser where a code helps, and in StateUnavailable where the same click should be tried again.
	Action    string
	Token     string // the field "token"
	FormToken string // the field "form"

	// The rest is for StateConfirm alone.

	Account       string // whom the link signs in, masked: j•••@example.com; empty for a link without an address
	ActiveAccount string // who is signed in already; empty if nobody is
	Destination   string // where the person arrives: host and path, without a query
}

// String returns the state alone: the link and the tokens are credentials.
func (d PageData) String() string { return "PageData{State:" + string(d.State) + "}" }

// GoString is String, for the verb %#v.
func (d PageData) GoString() string { return d.String() }

// LogValue implements [slog.LogValuer]. It has the state alone.
func (d PageData) LogValue() slog.Value {
	return slog.GroupValue(slog.String("state", string(d.State)))
}

// MarshalJSON writes the state alone, since slog writes the fields of a struct as JSON.
func (d PageData) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"state": string(d.State)})
}
