package signin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/network"
	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

// Mode is which browser may use a link that a Flow has mailed.
type Mode string

// The modes. A link that the application has issued itself is in none of them: a click uses it.
const (
	// ModePrefer is the default: the browser that has asked uses the link by a click. Every other browser needs the code from the mail, too. A mail
	// scanner that presses buttons types no code.
	ModePrefer Mode = "prefer"
	// ModeRequire lets only the browser that has asked sign in.
	ModeRequire Mode = "require"
	// ModeOff lets a click in any browser use the link. A mail scanner that presses buttons uses it up, and signs somebody in who has not asked.
	ModeOff Mode = "off"
)

// Config configures a [Flow]. Config, Mailer and Resolve are required.
type Config struct {
	// Config configures issuing, redeeming and sessions. Its Store is also a [magiclink.Limiter], as the stores of this project are. Its OnEvent gets
	// the events of the flow as well: see OpRequest.
	Config magiclink.Config

	// Mailer sends the mails.
	Mailer Mailer

	// Resolve decides who may sign in. It gets an address that [magiclink.ValidEmail] accepts, with its domain in lower case and
	// in ASCII (jane@münchen.example is jane@xn--mnchen-3ya.example here), and returns for whom the link is: see
	// [magiclink.MagicLinkCreate]. An empty Email means the address. A mail goes to the Email that Resolve returns and nowhere
	// else, so that two addresses which a database takes for one cannot be mixed up. A Path that Resolve returns is for a person
	// who has not said where to go. TTL, MagicLinkID and IdempotencyKey are set by the flow. The Extension has at most
	// [MaxExtension] bytes.
	//
	// [ErrUnknownAddress] says that nobody with this address may sign in. Every other error is an outage: nobody gets a mail. Resolve runs outside of
	// the request, so how long it takes tells nobody whether the address is known. It is safe for concurrent use.
	//
	// # Sign-up without a password
	//
	// Resolve may return a link for an address that it does not know, and OnRedeem makes the account. Make it there and not in Resolve: before
	// the link is used nobody has shown that the address is theirs. And mind the pre-hijacked account: somebody may have made an
	// account with this address before, by a password or a log-in elsewhere that nobody has verified, and waits in it for the owner
	// of the address. So when [magiclink.Redemption.Delivered] is DeliveredByMail, and the account's address was never verified, take the
	// account away from everybody else first: remove its password, other log-ins, sessions and API keys, or make a new account.
	Resolve func(ctx context.Context, address string) (magiclink.MagicLinkCreate, error)

	// Mode is which browser may use a link. Empty means ModePrefer.
	Mode Mode

	// TTL is how long link and code work, in whole minutes from 1 to 15, and not more than Config.MaxTTL. Zero means 10 minutes, or Config.MaxTTL if
	// that is shorter. A mail that a server delays for longer is of no use.
	TTL time.Duration

	// TellUnknown sends a mail to an address that Resolve does not know, which says so. It is polite to a person who has several addresses, and
	// lets anybody send such a mail to strangers, within the Limits.
	TellUnknown bool

	// Limits bound how often mails are sent and codes are tried. The zero Limits are the defaults.
	Limits Limits

	// ClientAddress returns the address of the client, for the limits of each client. Nil means the address of the connection. Behind a proxy read
	// a header that the proxy sets, and only if the connection comes from the proxy. Clients with an address that is not valid share one
	// limit.
	ClientAddress func(*http.Request) netip.Addr

	// App is the name of the application on the pages and in the mails. Empty means the host of the links.
	App string

	// Note is one line of text above every page of the flow, such as where a developer finds the mails. Empty means none.
	Note string

	// Page is what else the redemption page can be told: its look, which the pages of the flow share, Admit and OnRedeem, which also apply to
	// a sign-in by code and by the JSON routes. Its Redeemer, Sessions, Binding, App, Timeout, Now and Logger must not be set: the page gets those of the flow. An
	// empty NewLinkURL means the request page.
	Page httpadapter.PageConfig

	// Queue is how many mails may wait or be under way at once. Beyond it requests are answered as ever and send nothing, and an event tells. Zero
	// means 1000.
	Queue int

	// Retries are the pauses before a mail is tried again that the Mailer could not deliver. A try that would come less than a minute before
	// the link expires is left out. Nil means 5 s, 20 s, 60 s, 120 s and 180 s, which is enough for a server with greylisting. An empty list
	// that is not nil means that no mail is tried again. When none is left, the link is revoked, and an event tells.
	Retries []time.Duration

	// MailTimeout is how long one call of Mailer.Send may take. Zero means 30 s.
	MailTimeout time.Duration

	Timeout time.Duration // how long the store, Resolve and the hooks may take: see Timeouts in the package httpadapter; zero means 5 s
	Logger  *slog.Logger  // takes the causes of failures; nil means Config.Logger
}

// ErrUnknownAddress says that nobody with this address may sign in. [Config.Resolve] returns it, alone or wrapped.
var ErrUnknownAddress = errors.New("magiclink/signin: nobody with this address may sign in")

const (
	defaultTTL         = 10 * time.Minute
	defaultTimeout     = 5 * time.Second
	defaultMailTimeout = 30 * time.Second
	defaultQueue       = 1000
	maxQueue           = 1_000_000
)

var defaultRetries = []time.Duration{5 * time.Second, 20 * time.Second, time.Minute, 2 * time.Minute, 3 * time.Minute}

// faults collects what is wrong with a configuration.
type faults magiclink.ConfigErrors

func (f *faults) add(field, reason string) {
	*f = append(*f, &magiclink.ConfigError{Field: field, Reason: reason})
}

// take adds the faults of a part, with a prefix in front of its fields. A fault that is there already is left out.
func (f *faults) take(err error, prefix string) {
	list, _ := errors.AsType[magiclink.ConfigErrors](err)
	for _, fault := range list {
		if field := prefix + fault.Field; !f.has(field, fault.Reason) {
			f.add(field, fault.Reason)
		}
	}
}

func (f *faults) has(field, reason string) bool {
	for _, fault := range *f {
		if fault.Field == field && fault.Reason == reason {
			return true
		}
	}
	return false
}

// check reports the faults of what no part checks.
func (c *Config) check(found *faults) {
	if nilvalue.Is(c.Mailer) {
		found.add("Mailer", "is required: see the module github.com/magiclink-go/magiclink/mail")
	}
	if c.Resolve == nil {
		found.add("Resolve", "is required: it says who may sign in")
	}
	switch c.Mode {
	case "", ModePrefer, ModeRequire, ModeOff:
	default:
		found.add("Mode", "must be ModePrefer, ModeRequire or ModeOff")
	}
	c.checkTimes(found)
	if c.Queue < 0 || c.Queue > maxQueue {
		found.add("Queue", "must be from 1 to 1000000, or zero for 1000")
	}
	c.Limits.check(found)
	c.checkPage(found)
	if store := c.Config.Store; !nilvalue.Is(store) {
		if _, ok := magiclink.StoreAs[magiclink.Limiter](store); !ok {
			found.add("Config.Store", "must also be a magiclink.Limiter, as the stores of this project are: mails and codes are limited")
		}
	}
}

func (c *Config) checkTimes(found *faults) {
	longest := c.Config.MaxTTL
	if longest <= 0 {
		longest = 15 * time.Minute
	}
	if c.TTL < 0 || c.TTL%time.Minute != 0 || c.TTL > longest {
		found.add("TTL", "must be whole minutes from 1 to 15, and not more than Config.MaxTTL")
	}
	for _, each := range []struct {
		name  string
		value time.Duration
	}{{"Timeout", c.Timeout}, {"MailTimeout", c.MailTimeout}} {
		if each.value < 0 {
			found.add(each.name, "must not be negative")
		}
	}
	for _, pause := range c.Retries {
		if pause < 0 {
			found.add("Retries", "must not be negative")
			break
		}
	}
}

// checkPage reports what the page gets from the flow and must not be set.
func (c *Config) checkPage(found *faults) {
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"Redeemer", c.Page.Redeemer != nil},
		{"Sessions", c.Page.Sessions != nil},
		{"Binding", c.Page.Binding != nil},
		{"App", c.Page.App != ""},
		{"Timeout", c.Page.Timeout != 0},
		{"Now", c.Page.Now != nil},
		{"Logger", c.Page.Logger != nil},
	} {
		if field.set {
			found.add("Page."+field.name, "must not be set: the page gets that of the flow")
		}
	}
}

func (c *Config) fillIn() {
	if c.Mode == "" {
		c.Mode = ModePrefer
	}
	if c.TTL == 0 {
		c.TTL = defaultTTL
		if longest := c.Config.MaxTTL; longest > 0 {
			c.TTL = min(c.TTL, longest)
		}
	}
	if c.Queue == 0 {
		c.Queue = defaultQueue
	}
	if c.Retries == nil {
		c.Retries = defaultRetries
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.MailTimeout == 0 {
		c.MailTimeout = defaultMailTimeout
	}
	if c.ClientAddress == nil {
		c.ClientAddress = connectionAddress
	}
	if c.Config.Now == nil {
		c.Config.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = c.Config.Logger
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Page.NewLinkURL == "" {
		c.Page.NewLinkURL = RequestPath
	}
	c.Limits = c.Limits.withDefaults()
}

// connectionAddress is the address of the other end of the connection.
func connectionAddress(r *http.Request) netip.Addr { return network.OfConnection(r.RemoteAddr) }
