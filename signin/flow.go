package signin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/webform"
	"github.com/magiclink-go/magiclink/internal/webpage"
)

// The paths of the pages and of the JSON routes, on the origin of the links.
const (
	RequestPath     = "/sign-in"
	CheckPath       = "/sign-in/check"
	ResendPath      = "/sign-in/resend"
	RequestJSONPath = "/v0/auth/sign-in"
	CodeJSONPath    = "/v0/auth/sign-in/code"
)

// Flow leads a person from an e-mail address to a session. It answers
//
//	GET  /sign-in?next=/path     the request page
//	POST /sign-in                303 to /sign-in/check, always
//	GET  /sign-in/check          the waiting page
//	POST /sign-in/check          signs in by the code from the mail
//	POST /sign-in/resend         another mail
//	POST /v0/auth/sign-in        {"email": "…", "next": "/path"}: 202 with the flow, for single-page and native apps
//	POST /v0/auth/sign-in/code   {"flow": "…", "code": "…"}: 200 with the session token
//
// and every other request with 404. The paths are those at the root of the BaseURL's origin, whatever the path of the BaseURL is: a Flow cannot be
// mounted below a prefix, since its pages and redirects lead to these paths. Applications below a prefix use a Flow at the root: see
// [httpadapter.RequireOptions.SignIn]. As [httpadapter.Binding] it also decides, on the redemption page and on the JSON route that redeems, who may
// use its links. An [httpadapter.Service] does all of that when the flow is its SignIn. Without a Service mount the flow at its Paths and
// [Flow.Page] at the BaseURL.
//
// Make one with [New], and end it with [Flow.Close]. The zero value answers 503 and binds every link to a browser that does not exist. A Flow is safe for
// concurrent use. Several Flows, in one process or in many, may share a Store: whatever one of them began every other one can finish.
type Flow struct {
	config   Config
	issuer   *magiclink.Issuer
	redeemer *magiclink.Redeemer
	sessions *magiclink.Sessions
	limiter  magiclink.Limiter
	page     *httpadapter.Page

	look    webpage.Look
	app     string
	origin  string
	cookies webform.Cookies
	queue   *queue
	repeats *repeats
	alarm   alarm // of tenants whose mails are used up
	logger  *slog.Logger
}

// New makes a Flow. It reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func New(config Config) (*Flow, error) {
	var found faults
	config.check(&found)
	f := new(Flow)
	f.makeCore(&found, config.Config)
	config.fillIn()
	f.config, f.logger = config, config.Logger
	if len(found) == 0 {
		f.makePages(&found)
	}
	if len(found) > 0 {
		return nil, magiclink.ConfigErrors(found)
	}
	f.limiter, _ = magiclink.StoreAs[magiclink.Limiter](config.Config.Store)
	f.queue, f.repeats = newQueue(config.Queue), new(repeats)
	return f, nil
}

// makeCore makes what the flow works with. All three constructors read one Config, so each fault is reported once.
func (f *Flow) makeCore(found *faults, config magiclink.Config) {
	var err error
	f.issuer, err = magiclink.New(config)
	found.take(err, "Config.")
	f.redeemer, err = magiclink.NewRedeemer(config)
	found.take(err, "Config.")
	f.sessions, err = magiclink.NewSessions(config)
	found.take(err, "Config.")
	if err == nil && !f.sessions.CanGrant() {
		found.add("Config.SessionKeys", "has no key that can sign: load the keyring with its private keys")
	}
}

// makePages makes the redemption page, and the look that the pages of the flow share with it.
func (f *Flow) makePages(found *faults) {
	page := f.config.Page
	page.Redeemer, page.Sessions, page.App, page.Binding = f.redeemer, f.sessions, f.config.App, f
	page.Timeout, page.Now, page.Logger = f.config.Timeout, f.config.Config.Now, f.logger
	var err error
	f.page, err = httpadapter.NewPage(page)
	found.take(err, "Page.")
	base := f.redeemer.BaseURL()
	f.checkPaths(found)
	f.origin, f.cookies = webform.OriginOf(base), webform.CookiesOf(base)
	f.app = webpage.Plain(f.config.App)
	if f.app == "" {
		f.app = hostOf(base)
	}
	f.look = webpage.NewLook(func(string, string) {}, webpage.LookConfig{ // NewPage has reported its faults
		Origin: f.origin, Home: homeOf(base), App: f.app, Logo: page.Logo, Language: page.Language,
		Colors: webpage.Colors(page.Colors), DarkColors: webpage.Colors(page.DarkColors),
	})
}

// checkPaths reports a BaseURL whose page answers a path of the flow: nobody could reach the flow.
func (f *Flow) checkPaths(found *faults) {
	for _, path := range f.Paths() {
		if f.page.Matches(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}}) {
			found.add("Config.BaseURL", "has a path that takes the place of "+path+": choose another path, such as /magic")
			return
		}
	}
}

func (f *Flow) ready() bool { return f != nil && f.queue != nil }

func (f *Flow) now() time.Time { return f.config.Config.Now() }

// Page returns the redemption page of the flow's links.
func (f *Flow) Page() *httpadapter.Page {
	if !f.ready() {
		return nil
	}
	return f.page
}

// Paths returns the exact paths that the flow answers.
func (f *Flow) Paths() []string {
	return []string{RequestPath, CheckPath, ResendPath, RequestJSONPath, CodeJSONPath}
}

// Close lets no new mail begin and waits until those under way were sent. When the context ends before that, it gives up: the links of mails
// that were not sent are revoked, and Close returns the error of the context. Requests are answered as ever after it and send nothing; Invite
// returns [ErrQueueFull]. Close may be called again. It closes neither the Mailer nor the Store: close those after it.
func (f *Flow) Close(ctx context.Context) error {
	if !f.ready() {
		return nil
	}
	err := f.queue.close(ctx)
	if err != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.config.Timeout)
		defer cancel()
		_ = f.queue.wait(last) // for the revocations
	}
	return err
}

// Wait waits until no mail is under way, or until the context ends, whose error it returns then. It is for tests: a request that comes
// meanwhile is waited for, too.
func (f *Flow) Wait(ctx context.Context) error {
	if !f.ready() {
		return nil
	}
	return f.queue.wait(ctx)
}

// ServeHTTP implements [http.Handler].
func (f *Flow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !f.ready() {
		unavailable(w, r, slog.Default(), errNoFlow)
		return
	}
	f.queue.serving.Add(1)
	defer f.queue.serving.Add(-1)
	switch r.URL.Path {
	case RequestPath:
		f.serve(w, r, f.showRequest, f.postRequest)
	case CheckPath:
		f.serve(w, r, f.showCheck, f.postCode)
	case ResendPath:
		f.serve(w, r, nil, f.postResend)
	case RequestJSONPath:
		f.serveJSON(w, r, f.requestJSON)
	case CodeJSONPath:
		f.serveJSON(w, r, f.codeJSON)
	default:
		notFound(w)
	}
}

// serve answers the methods of a page. A panic is answered like an outage.
func (f *Flow) serve(w http.ResponseWriter, r *http.Request, get, post http.HandlerFunc) {
	defer contain(func() { f.showUnavailable(w, r, pageData{}, errPanic) })
	switch {
	case r.Method == http.MethodPost:
		post(w, r)
	case get != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		get(w, r)
	case get == nil && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		f.redirect(w, CheckPath) // a reload of what was posted
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		f.show(w, r, http.StatusMethodNotAllowed, pageData{Screen: screenRequest, Notice: noticeRefused})
	}
}

var (
	errNoFlow = errors.New("magiclink/signin: Flow is not initialized: use New")
	errPanic  = errors.New("magiclink/signin: a handler or a hook panicked")
)

// contain, deferred, ends a panic by answering instead. net/http's own way to abort an answer stays what it is.
func contain(answer func()) {
	switch recover() {
	case nil:
	case http.ErrAbortHandler:
		panic(http.ErrAbortHandler)
	default:
		answer()
	}
}
