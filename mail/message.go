package mail

import (
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/signin"
)

const maxLink = 4096 // bytes

var codeForm = regexp.MustCompile(`^[0-9A-Z]{4}-[0-9A-Z]{4}$`)

// checked returns the message with its texts cleaned, or an error that matches [signin.ErrPermanent]. The error holds no part of the
// message.
func checked(m signin.Message) (signin.Message, error) {
	m.Language = language.Primary(m.Language)
	m.App = clean(m.App, maxName)
	m.Browser = clean(unlinked(m.Browser), maxDevice)
	m.System = clean(unlinked(m.System), maxDevice)
	if m.InvitedBy = clean(m.InvitedBy, maxName); !magiclink.ValidEmail(m.InvitedBy) {
		m.InvitedBy = clean(unlinked(m.InvitedBy), maxName)
	}
	if fault := faultOf(m); fault != "" {
		return signin.Message{}, fmt.Errorf("magiclink/mail: the message has a fault: %s: %w", fault, signin.ErrPermanent)
	}
	return m, nil
}

func faultOf(m signin.Message) string {
	if !magiclink.ValidEmail(m.To) {
		return "To must be one bare address, see magiclink.ValidEmail"
	}
	if m.App == "" {
		return "App is missing"
	}
	switch m.Kind {
	case signin.KindSignIn, signin.KindInvitation:
		return faultOfLink(m)
	case signin.KindNoAccount:
		if m.Link != "" || m.Code != "" {
			return "a message of the kind no-account has no link and no code"
		}
		return ""
	}
	return "Kind is unknown"
}

func faultOfLink(m signin.Message) string {
	switch {
	case !isLink(m.Link):
		return "Link must be an absolute http or https URL"
	case m.Code != "" && m.Kind != signin.KindSignIn:
		return "only a message of the kind sign-in has a code"
	case m.Code != "" && !codeForm.MatchString(m.Code):
		return "Code must have the form XXXX-XXXX, of digits and capital letters"
	case m.ExpiresAt.IsZero():
		return "ExpiresAt is missing"
	}
	return ""
}

// isLink reports whether a text is a URL that stands in a line of its own. Where the link leads is the matter of whoever has
// issued it.
func isLink(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	link, err := url.Parse(text)
	return err == nil && len(text) <= maxLink && link.Host != "" && (link.Scheme == "https" || link.Scheme == "http")
}

// Sample returns a message to try templates with: a made-up one with every field that its kind can have. The address, the link and the
// times are always the same. For a kind that is unknown the message cannot be rendered.
func Sample(kind signin.Kind, lang string) signin.Message {
	asked := time.Date(2030, time.January, 15, 9, 30, 0, 0, time.UTC)
	m := signin.Message{
		Kind: kind, To: "jane@example.com", App: "Acme", Language: lang,
		Browser: "Firefox", System: "Windows", AskedAt: asked,
	}
	if kind == signin.KindNoAccount {
		return m
	}
	m.Link = "https://app.example.com/magic/eyJhbGciOiJFZERTQSIsImtpZCI6InNhbXBsZSIsInR5cCI6Im1sK2p3dCJ9.c2FtcGxl.c2FtcGxl"
	m.ExpiresAt = asked.Add(15 * time.Minute)
	if kind == signin.KindInvitation {
		m.Browser, m.System, m.AskedAt, m.InvitedBy = "", "", time.Time{}, "John Doe"
		return m
	}
	m.Code = "K7QM-3XWP"
	return m
}

// bare is Sample without the fields that may be empty.
func bare(kind signin.Kind, lang string) signin.Message {
	m := Sample(kind, lang)
	m.Code, m.Browser, m.System, m.AskedAt, m.InvitedBy = "", "", "", time.Time{}, ""
	return m
}
