package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/trustedfile"
	"github.com/magiclink-go/magiclink/signin"
)

// Timeouts against slow clients, and for the end.
const (
	headerTimeout   = 5 * time.Second
	readTimeout     = 10 * time.Second
	writeTimeout    = 20 * time.Second
	idleTimeout     = 2 * time.Minute
	maxHeaderBytes  = 16 << 10
	requestsTimeout = 2 * time.Second        // after it the contexts of running requests end, and the requests are answered 503
	shutdownTimeout = 3 * time.Second        // for these answers, which net/http notices within 0.55 s, and for mails under way
	revokeTimeout   = 500 * time.Millisecond // for revoking the links of mails that were not sent
	closeTimeout    = time.Second            // for the store, which is closed last
	purgeInterval   = time.Minute
	rotateInterval  = time.Minute
)

// server is everything that serve runs.
type server struct {
	flags          *serveFlags
	handler        http.Handler
	keys           *magiclink.Keyring
	config         liveConfig
	store          magiclink.Store
	close          func() error
	follower       *follower
	client         *credentials // of a first start; else nil
	maxConnections int
	logger         *slog.Logger
	trail          *auditTrail
	outbox         *outbox
	flow           *signin.Flow
	draining       atomic.Bool // the end has been asked for
}

// assemble makes the handler and what follows the files.
func (s *server) assemble(config *configFile) error {
	if err := s.config.put(config); err != nil {
		return err
	}
	s.follower = newFollower(s.logger,
		&watched{name: "keys.json", path: s.flags.data.keysPath(), read: trustedfile.ReadSecret, apply: s.applyKeys},
		&watched{name: "config.json", path: s.flags.data.configPath(), read: trustedfile.Read, apply: s.applyConfig})
	core := magiclink.Config{
		BaseURL: s.flags.address.baseURL, Keys: s.keys, Store: s.store, Businesses: &s.config, Logger: s.logger,
		Now: now, OnEvent: s.trail.onEvent(),
		Limits: s.flags.rates.limits(), MaxTTL: time.Duration(s.flags.maxTTL) * time.Minute, Supersede: s.flags.supersede,
	}
	service, page, err := s.makeServices(core, &landing{flags: s.flags, config: &s.config, note: s.outbox.note()})
	if err != nil {
		return err
	}
	routes := routeNames{page: page, base: core.BaseURL}
	others := &foreignKeys{store: s.store, logger: s.logger}
	handler, err := s.limitRedemptions(page, followUnknownKeys(s.keys, s.follower, others, service))
	if err != nil {
		return err
	}
	trusted, err := s.flags.proxies.networks()
	if err != nil {
		return err
	}
	s.handler = followProxies(trusted, observe(s.logger, routes, s.endConnections(handler)))
	return s.outbox.check(config.SignIn)
}

// limitRedemptions puts the limit of -limit-redeem in front of the handler.
func (s *server) limitRedemptions(page *httpadapter.Page, next http.Handler) (http.Handler, error) {
	rate := s.flags.rates.redeem.rate
	if rate == (magiclink.Rate{}) {
		return next, nil
	}
	limiter, ok := magiclink.StoreAs[magiclink.Limiter](s.store)
	if !ok {
		return nil, usagef("this -store cannot count for -limit-redeem: write -limit-redeem off, or take another store")
	}
	return &redeemLimit{rate: rate, limiter: limiter, page: page, logger: s.logger, next: next}, nil
}

// applyKeys takes the very text that was read: the file may be another one by now.
func (s *server) applyKeys(text []byte) error { return s.keys.ReloadJWKS(text) }

func (s *server) applyConfig(text []byte) error {
	config, err := parseConfig(text)
	if err != nil {
		return err
	}
	return s.put(config)
}

// put puts a configuration in force, if this server can do what it says.
func (s *server) put(config *configFile) error {
	if err := s.outbox.check(config.SignIn); err != nil {
		return err
	}
	return s.config.put(config)
}

// serve answers until the context ends, and then finishes what runs.
func (s *server) serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := s.drained(ctx)
	defer cancel()
	working, stop := context.WithCancel(ctx)
	var workers sync.WaitGroup
	workers.Go(func() { s.follower.run(working) })
	workers.Go(func() { s.outbox.ping(working, s.logger) })
	if s.trail != nil {
		workers.Go(func() { s.reopenAudit(working) })
	}
	if !s.flags.store.expires() {
		workers.Go(func() { magiclink.PurgeEvery(working, s.store, purgeInterval, s.logger) })
	}
	if s.flags.rotateEvery > 0 {
		workers.Go(func() { s.rotate(working) })
	}
	defer func() {
		stop()
		waitFor(&workers, closeTimeout/2)
	}()
	if len(s.flags.proxies.list.values) == 0 && strings.HasPrefix(s.flags.address.baseURL, "https:") { // something in front ends TLS
		s.logger.Warn("all clients may come from one proxy, and share the limits of one client: name your proxies with -trusted-proxy")
	}
	capped := capConnections(listener, s.maxConnections)
	requests, endRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer endRequests()
	ended := context.AfterFunc(ctx, func() { time.AfterFunc(requestsTimeout, endRequests) })
	defer ended()
	return s.answer(ctx, capped, &http.Server{
		Handler:           s.handler,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		ConnState:      capped.note,
		ErrorLog:       slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	})
}

func (s *server) answer(ctx context.Context, listener net.Listener, httpServer *http.Server) error {
	failed := make(chan error, 1)
	go func() { failed <- httpServer.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.logger.Info("stopping")
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := httpServer.Shutdown(ending)
	if err != nil {
		s.logger.Warn("some requests were cut off", "error", err)
		err = httpServer.Close()
	}
	s.endMails(ending)
	return err
}

// endMails lets no new mail begin, and waits for those under way until the context ends. The links of the others are revoked.
func (s *server) endMails(ctx context.Context) {
	var closing sync.WaitGroup
	closing.Go(func() {
		if err := s.flow.Close(ctx); err != nil {
			s.logger.Warn("some sign-in mails were not sent, and their links are revoked", "error", err)
		}
	})
	left := revokeTimeout
	if deadline, ok := ctx.Deadline(); ok {
		left += time.Until(deadline)
	}
	if !waitFor(&closing, left) {
		s.logger.Warn("the links of some sign-in mails were not revoked: they expire by themselves")
	}
}

// reopenAudit opens the audit log by its name at each SIGHUP, until the context ends.
func (s *server) reopenAudit(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		if err := s.trail.reopen(); err != nil {
			s.logger.ErrorContext(ctx, "the audit log goes on in the old file", "error", oneLine(err))
			continue
		}
		s.logger.InfoContext(ctx, "opened the audit log anew")
	}
}

// rotate prepares, rotates and retires keys until the context ends.
func (s *server) rotate(ctx context.Context) {
	for {
		if err := rotateKeys(&s.flags.data, s.flags.rotateEvery, s.logger); err != nil {
			s.logger.ErrorContext(ctx, "the keys were not rotated", "error", oneLine(err))
		}
		if !pause(ctx, rotateInterval) {
			return
		}
	}
}

// closeStore waits no longer than a supervisor does for a disk or a server that does not answer. What was acknowledged is safe anyway.
func (s *server) closeStore() error {
	closed := make(chan error, 1)
	go func() { closed <- s.close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(closeTimeout):
		s.logger.Warn("the store does not answer: it is left open")
		return nil
	}
}

// waitFor waits for the workers, but not for one that waits for a disk or a server that does not answer.
func waitFor(workers *sync.WaitGroup, atMost time.Duration) (ended bool) {
	done := make(chan struct{})
	go func() {
		workers.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(atMost):
		return false
	}
}
