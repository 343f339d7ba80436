package httpadapter

import (
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/webpage"
)

// ErrRefused says that a person may not sign in. [PageConfig.Admit] and [PageConfig.OnRedeem] return it, alone or wrapped,
// and the page then answers 403. The text of the error is neither shown nor logged.
var ErrRefused = errors.New("magiclink: the application refuses this sign-in")

// PageConfig configures a [Page].
type PageConfig struct {
	// Redeemer redeems the links. Required.
	Redeemer *magiclink.Redeemer

	// Sessions grants the session that a redemption stands for, in the cookie [SessionCookie], and ends the session that
	// this browser had before. Make it from the same [magiclink.Config] as Redeemer. Required unless OnRedeem is set.
	Sessions *magiclink.Sessions

	// OnRedeem is called when a link was redeemed. An application with sessions of its own starts one here, under a new
	// session id, and sets its cookie. It may stand beside Sessions: then it runs after the session cookie was set. It
	// writes no body and no status, since the redirection follows. The JSON routes of a [Service] call it, too: a cookie that it sets
	// goes out with their answer, and an error that matches [ErrRefused] is answered there like a link that cannot be used.
	//
	// The link is used up when OnRedeem is called. An error that matches [ErrRefused] is answered with 403, every other
	// error with 503; no cookie is set then, also not the session cookie. After a 503 the same browser can repeat the click
	// for one minute. OnRedeem is called again for each repetition, with Repeated set unless the two clicks overlap: it
	// must be able to run twice for one link. Its request has a deadline: see Timeout.
	OnRedeem func(w http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) error

	// Admit decides before the link is used whether its person may sign in, for example because the account may be
	// suspended. It is called for a click and never for a GET. An error that matches [ErrRefused] is answered with 403 and
	// every other error with 503; the link stays usable. When a click is repeated after the link was used, Admit is called
	// again, before OnRedeem. Its request has a deadline: see Timeout. Nil admits everybody.
	Admit func(r *http.Request, redemption magiclink.Redemption) error

	// Binding ties links to the browsers that have asked for them: see the package signin. Nil lets a click use every link.
	Binding Binding

	// ActiveAccount returns the account that is signed in already, so that the page can say that its session ends: a name
	// that the person in front of the page may see, or "". Nil means the account of the session cookie.
	ActiveAccount func(r *http.Request) string

	// ActiveLink returns the id of the link from which the current session of the browser came, or "". The page sends a
	// browser that opens a used link on to its destination if the session came from that link. Nil means the session
	// cookie; an application with sessions of its own looks in them.
	ActiveLink func(r *http.Request) string

	// App is the name of the application on the page. Empty means the host of the links.
	App string

	// Logo is an image that stands above the name: a local path, an https URL or a data: URI of an image. Empty means none.
	// The page loads nothing else from elsewhere. With an https URL of another host that host sees the visitor's address.
	Logo string

	// Colors are the colours of the page, and DarkColors those for a browser that prefers dark pages.
	Colors, DarkColors PageColors

	// Language is the language of the page: en, de, fr, es, pt, pl, tr, ar, hi, ja or zh. Empty means that each browser says
	// which of them it prefers (Accept-Language); English stands for all others.
	Language string

	// NewLinkURL is where a person can ask for a new link: an absolute https URL, or a local path. Empty means that there
	// is no such page; the button then leads to the path "/" on the origin of the links.
	NewLinkURL string

	// Template shows the pages, with [PageData]. Nil means the built-in template. The pages' Content-Security-Policy
	// allows no scripts, styles only with the nonce, and no image but Logo and data: URIs. A template should have the
	// element <meta name="referrer" content="strict-origin">: where a proxy sets the Referrer-Policy no-referrer, Chromium
	// otherwise sends the form with the Origin "null", and the page refuses it.
	//
	// NewPage executes the template in each language once for each [PageState] with every optional field set and once with
	// none, and reports a failure as a fault of the configuration. A template that was executed cannot be parsed into or cloned any more.
	Template *template.Template

	Timeout time.Duration    // how long the store, Admit and OnRedeem may take: see Timeouts in the package documentation; zero means 5 s
	Now     func() time.Time // the clock, the same as the Redeemer's; nil means time.Now
	Logger  *slog.Logger     // takes the causes of 503 answers; nil means slog.Default
}

// NewPage reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewPage(config PageConfig) (*Page, error) {
	var found faults
	config.check(&found)
	shared := newEndpoint(&found, 0, config.Timeout, "", config.Logger)
	route := newPageRoute(config.Redeemer.BaseURL())
	look := newLook(&found, route, webpage.LookConfig{
		App: config.App, Logo: config.Logo, Language: config.Language,
		Colors: webpage.Colors(config.Colors), DarkColors: webpage.Colors(config.DarkColors),
	})
	p := &Page{config: config, look: look, route: route, endpoint: shared}
	p.fillIn()
	p.checkTemplate(&found)
	if err := found.err(); err != nil {
		return nil, err
	}
	return p, nil
}

func (c PageConfig) check(found *faults) {
	checkRedeemer(found, c.Redeemer)
	if c.OnRedeem == nil || c.Sessions != nil {
		checkSessions(found, c.Sessions)
	}
	if c.Sessions.CanGrant() && c.Redeemer.BaseURL() != c.Sessions.BaseURL() {
		found.add("Sessions", "have another BaseURL than the Redeemer: make both from one magiclink.Config")
	}
	checkBindingValue(found, c.Binding)
	if !isLinkTarget(c.NewLinkURL) {
		found.add("NewLinkURL", "must be an https URL or a local path")
	}
}

func (p *Page) fillIn() {
	if p.config.ActiveAccount == nil {
		p.config.ActiveAccount = p.activeAccount
	}
	if p.config.Template == nil {
		p.config.Template = builtIn
	}
	if p.config.Now == nil {
		p.config.Now = time.Now
	}
}

func checkRedeemer(found *faults, redeemer *magiclink.Redeemer) {
	if redeemer.BaseURL() == "" {
		found.add("Redeemer", "is required: make one with magiclink.NewRedeemer")
	}
}

func checkSessions(found *faults, sessions *magiclink.Sessions) {
	if !sessions.CanGrant() {
		found.add("Sessions", "are required, with a key that can sign: make them with magiclink.NewSessions")
	}
}

// isLinkTarget accepts what may stand in an href: nothing that runs.
func isLinkTarget(address string) bool {
	if address == "" || magiclink.ValidLocalPath(address) {
		return true
	}
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}
