package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/magiclink-go/magiclink"
)

// serveFlags are the flags of the serve command.
type serveFlags struct {
	data           dataDir
	address        address
	store          storeFlag
	log            string
	appName        string
	newLinkURL     string
	showIDs        bool
	rotateEvery    time.Duration
	maxConnections int
	drain          time.Duration
	rates          rateFlags
	proxies        proxiesFlag
	audit          auditFlag
	maxTTL         int // minutes
	supersede      bool
	mail           mailFlags
	mode           modeFlag
	mails          rateFlag
}

func (f *serveFlags) declare(set *flag.FlagSet) {
	f.address.declare(set)
	f.data.declare(set)
	f.store.declare(set)
	set.StringVar(&f.log, "log", "text", "the `format` of the log on standard error: text or json")
	set.StringVar(&f.appName, "app-name", "", "the `name` of the application on the pages (default: the host of the links)")
	set.StringVar(&f.newLinkURL, "new-link-url", "", "where people ask for a new link: an https `URL` or a local path")
	set.BoolVar(&f.showIDs, "show-ids", false, "show the ids of the business and the link on the landing page")
	set.DurationVar(&f.rotateEvery, "rotate-every", 0, "prepare, rotate and retire keys by itself: a key signs for this `duration`, such as 720h, and is published for 92 days more, in which what it signed may live")
	set.IntVar(&f.maxConnections, "max-connections", 1000, "the greatest `number` of connections at a time")
	set.DurationVar(&f.drain, "drain", 0, "after SIGTERM serve goes on for this `duration`, such as 5s, and /readyz is 503, so that a proxy which asks it sends no more requests before the end")
	f.rates.declare(set)
	f.proxies.declare(set)
	f.audit.declare(set)
	set.IntVar(&f.maxTTL, "max-ttl", 15, "the longest life of a link that a client may ask for, in `minutes`, 1 to 15")
	declareSupersede(set, &f.supersede)
	f.mail.declare(set)
	f.mode.declare(set)
	f.mails.rate = magiclink.Rate{Burst: 1000, Every: time.Second}
	set.Var(&f.mails, "limit-mails", "how often sign-in mails are sent for one tenant: a `rate`, or off. A fifth is kept for networks that ask little")
}

func declareSupersede(set *flag.FlagSet, to *bool) {
	set.BoolVar(to, "supersede", false, "a new link ends the older unused links of the same person, so that the link of the last mail is the one that works")
}

func serveCommand() *command {
	return &command{
		name:    "serve",
		args:    "[flags]",
		summary: "serves the sign-in by mail, the API, the redemption page and a landing page",
		long: "Serves the sign-in by mail, the token endpoint, the magic-link API and the page that links lead to. A first start makes the\n" +
			"data directory with a signing key, a client and a business, and prints lines for curl that issue a link. With MAGICLINK_CLIENT_ID and\n" +
			"MAGICLINK_CLIENT_SECRET (at least 128 random bits) set it makes that client instead of one with a random secret. The client\n" +
			"gets every scope; \"magiclink clients add\" makes others that may do less.\n" +
			"serve follows changes of the keys and the configuration, and removes expired links every minute. With -store and the URL of\n" +
			"a server, several machines serve the same links: give all of them the same -keys and -config.\n\n" +
			"Sign-in by mail: people ask for a link at /sign-in, and see where they are signed in at /sessions. The member sign_in of the\n" +
			"configuration says who may: see \"magiclink help config\". Without it these routes are 404. -smtp sends the mails; try it with\n" +
			"\"magiclink mail send\". Without -smtp, and where links begin with a loopback host, the mails are written into DATA/mail and\n" +
			"the path of each is printed. Link and code work for 10 minutes, or for -max-ttl if that is shorter. One address gets a mail after 30 s,\n" +
			"60 s and 120 s again, and 5 in an hour; one client address asks 30 times at once and then every 20 s, and tries 20 codes at\n" +
			"once and then one every 10 s; a tenant sends as many as -limit-mails says. Five wrong codes end a code.\n\n" +
			"Limits: from one address a client of the API may fail to get an access token 10 times at once and then once in 6 s, and all clients\n" +
			"together 100 times and then 10 times in 6 s, counted in this process.\n" +
			"-limit-subject, -limit-tenant, -limit-redeem and -limit-mails are counted in the store, for all machines together; who is refused gets 429\n" +
			"with Retry-After, and 503 when the store cannot count. An IPv4 address is one client, and so are the 64 bits of an IPv6 address.\n" +
			"At the sign-in by mail and for access tokens a /48 network of IPv6 has 8 times and a /56 4 times as much as one client.\n" +
			"\"magiclink limits\" shows what is left and resets it. -audit is opened anew at SIGHUP, after its file was moved away.\n\n" +
			"SIGTERM and SIGINT end it: with -drain it first serves on while /readyz is 503, then running requests are finished, and the exit code\n" +
			"is 0. A second signal ends it at once.",
		example: "magiclink serve -base-url https://app.example.com/magic -smtp smtp://app@smtp.example.com:587 -from 'Acme <login@acme.example>'",
		flags:   new(serveFlags).declare,
		run:     runServe,
	}
}

func (f *serveFlags) check(getenv func(string) string) error {
	switch {
	case f.rotateEvery != 0 && f.rotateEvery < minRotateEvery:
		return usagef("-rotate-every must be at least %s: verifiers fetch a new key only every minute", minRotateEvery)
	case f.maxConnections < minConnections:
		return usagef("-max-connections must be at least %d", minConnections)
	case f.drain < 0 || f.drain > maxDrain:
		return usagef("-drain must be 0s to %s", maxDrain)
	case f.maxTTL < 1 || f.maxTTL > 15:
		return usagef("-max-ttl must be 1 to 15")
	}
	if _, err := f.proxies.networks(); err != nil {
		return err
	}
	return errors.Join(f.store.check(), f.address.check(), f.mail.check(getenv))
}

func runServe(ctx context.Context, p *program, args []string) error {
	var f serveFlags
	words, err := p.parse("serve", f.declare, args)
	if err == nil {
		err = errors.Join(noWords(words), f.check(p.getenv))
	}
	if err != nil {
		return err
	}
	logger, err := newLogger(f.log, p.stderr)
	if err != nil {
		return err
	}
	for _, wrong := range mistyped(os.Environ()) {
		logger.Warn("a variable of the environment has no effect", "error", wrong)
	}
	// Before anything is made: a start that cannot listen leaves nothing behind.
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", f.address.addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w: choose another address with -addr", f.address.addr, err)
	}
	defer listener.Close() //nolint:errcheck // serving has closed it already
	if err := f.address.resolve(listener.Addr().String()); err != nil {
		return err
	}
	origin := reachable(listener.Addr())
	s, err := f.setUp(ctx, p, logger, origin)
	if err != nil && ctx.Err() != nil {
		logger.Info("stopped before it served", "error", oneLine(err))
		return nil
	}
	if err != nil {
		return err
	}
	defer s.trail.close() //nolint:errcheck // each line is written already
	printSignIn(p.stdout, f.address.origin(), &s.config, s.outbox, f.data.configPath())
	printServing(p.stdout, origin, f.address)
	if f.store.shared() && f.data.keysFile == "" {
		printSharing(p.stdout, f.data.path)
	}
	return errors.Join(s.serve(ctx, listener), s.closeStore())
}

func newLogger(format string, w io.Writer) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(requestIDHandler{slog.NewTextHandler(w, nil)}), nil
	case "json":
		return slog.New(requestIDHandler{slog.NewJSONHandler(w, nil)}), nil
	}
	return nil, usagef("-log %q is not a format: write text or json", format)
}

// setUp makes what a first start needs and puts the server together. Origin is where the server listens. The configuration is
// written last: it holds the hash of a secret that is shown only when everything else has succeeded.
func (f *serveFlags) setUp(ctx context.Context, p *program, logger *slog.Logger, origin string) (s *server, err error) {
	if f.store.shared() && f.data.filesNamed() {
		return f.setUpWith(ctx, p, logger, false, origin) // nothing is kept in the data directory
	}
	if err := f.data.make(); err != nil {
		return nil, err
	}
	unlock, err := lockBeside(f.data.markerPath())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	first, err := f.data.beginFirstStart()
	if err != nil {
		return nil, err
	}
	return f.setUpWith(ctx, p, logger, first, origin)
}

func (f *serveFlags) setUpWith(ctx context.Context, p *program, logger *slog.Logger, first bool, origin string) (s *server, err error) {
	limitMemory(f.store.where)
	s = &server{flags: f, logger: logger, maxConnections: limitConnections(f.maxConnections, logger)}
	if s.keys, err = f.data.loadKeys(first); err != nil {
		return nil, err
	}
	config, client, err := f.data.loadConfig(first, p.getenv)
	if err != nil {
		return nil, err
	}
	if s.outbox, err = f.mail.outbox(p.getenv, f.data.path, f.address.baseURL, printMail(p.stdout)); err != nil {
		return nil, err
	}
	if client != nil && s.outbox.development {
		config.SignIn = &signInEntry{Tenant: firstTenant, ExternalBusinessID: firstBusiness, Development: true}
	}
	if s.trail, err = f.audit.open(logger); err != nil { // it may lie in the data directory
		return nil, err
	}
	if err = s.openStore(ctx, first); err != nil {
		return nil, err
	}
	s.client = client
	if err = s.assemble(config); err == nil && client != nil {
		err = f.showAndWrite(p.stdout, origin, client, config)
	}
	if err == nil && first {
		err = f.data.finishFirstStart()
	}
	if err == nil {
		s.follower.begin()
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// openStore opens the store. An empty database in a directory that was set up before can be meant, or the database was lost.
func (s *server) openStore(ctx context.Context, first bool) (err error) {
	where, data := &s.flags.store, &s.flags.data
	missing := where.where == storeSQLite && !first && !data.hasDatabase()
	s.store, s.close, err = where.open(ctx, data)
	if err == nil && missing {
		s.logger.Warn("made an empty database in a directory that was set up before: every earlier link and session is unknown; "+
			"if there was a database, stop and restore it from a backup", "file", data.databasePath())
	}
	return err
}

// showAndWrite shows the secret before its hash is in the configuration: where it cannot be shown, the next start makes another one.
func (f *serveFlags) showAndWrite(stdout io.Writer, origin string, client *credentials, config *configFile) error {
	if err := printFirstSteps(stdout, origin, client); err != nil {
		return fmt.Errorf("the secret of the client, which is shown once, cannot be written to standard output: %w: "+
			"give serve one that can be written, or set %s and %s", err, clientIDVariable, clientSecretVariable)
	}
	return config.write(f.data.configPath())
}
