package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// Timeouts against slow clients, and for the end.
const (
	headerTimeout   = 5 * time.Second
	readTimeout     = 10 * time.Second
	writeTimeout    = 20 * time.Second
	idleTimeout     = 2 * time.Minute
	maxHeaderBytes  = 16 << 10
	shutdownTimeout = 3500 * time.Millisecond // for requests that run
	closeTimeout    = time.Second             // for the store, after them
)

// serveFlags are the flags of the serve command.
type serveFlags struct {
	data    dataDir
	address address
	store   string
	log     string
}

func (f *serveFlags) declare(set *flag.FlagSet) {
	f.address.declare(set)
	f.data.declare(set)
	set.StringVar(&f.store, "store", "sqlite", "where links are `kept`: sqlite, or memory, which forgets them at the end")
	set.StringVar(&f.log, "log", "text", "the `format` of the log on standard error: text or json")
}

func serveCommand() *command {
	return &command{
		name:    "serve",
		args:    "[flags]",
		summary: "serves the API, the redemption page and a landing page",
		long: "Serves the token endpoint, the magic-link API and the page that links lead to. A first start makes the data directory with a signing key, a\n" +
			"client and a business, and prints lines for curl that issue a link. With MAGICLINK_CLIENT_ID and\n" +
			"MAGICLINK_CLIENT_SECRET set it makes that client instead of one with a random secret.\n" +
			"SIGTERM and SIGINT end it: what runs is finished, and the exit code is 0.",
		example: "magiclink serve -addr 127.0.0.1:8080 -base-url https://app.example.com/magic",
		flags:   new(serveFlags).declare,
		run:     runServe,
	}
}

func runServe(ctx context.Context, p *program, args []string) error {
	var f serveFlags
	if err := p.parseAll("serve", f.declare, args); err != nil {
		return err
	}
	logger, err := newLogger(f.log, p.stderr)
	if err != nil {
		return err
	}
	if f.store != "sqlite" && f.store != "memory" {
		return usagef("-store must be sqlite or memory, not %q", f.store)
	}
	// Before anything is made: a start that cannot listen leaves nothing behind.
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", f.address.addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", f.address.addr, err)
	}
	defer listener.Close() //nolint:errcheck // closed already where serving has begun
	origin := "http://" + listener.Addr().String()
	if err := f.address.resolve(listener.Addr().String()); err != nil {
		return err
	}
	s, err := f.setUp(p, logger)
	if err != nil {
		return err
	}
	if s.client != nil {
		printFirstSteps(p.stdout, origin, s.client)
	}
	printServing(p.stdout, origin, f.address)
	return errors.Join(s.serve(ctx, listener), s.closeStore())
}

func newLogger(format string, w io.Writer) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, nil)), nil
	}
	return nil, usagef("-log must be text or json, not %q", format)
}

// server is everything that serve runs.
type server struct {
	handler http.Handler
	keys    *magiclink.Keyring
	store   magiclink.Store
	close   func() error
	data    dataDir
	client  *credentials // of a first start; else nil
	logger  *slog.Logger
}

// setUp makes what is missing in the data directory and puts the server together. The configuration comes last: it holds
// a secret that is shown only when everything else has succeeded.
func (f *serveFlags) setUp(p *program, logger *slog.Logger) (_ *server, err error) {
	if err := f.data.make(); err != nil {
		return nil, err
	}
	unlock, err := f.data.lock()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	s := &server{data: f.data, logger: logger}
	if s.keys, err = f.data.prepareKeys(); err != nil {
		return nil, err
	}
	if s.store, s.close, err = f.openStore(); err != nil {
		return nil, err
	}
	var config *configFile
	config, s.client, err = f.data.prepareConfig(p.getenv)
	if err == nil {
		s.handler, err = s.routes(config, f.address)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (f *serveFlags) openStore() (magiclink.Store, func() error, error) {
	if f.store == "memory" {
		return memory.New(), func() error { return nil }, nil
	}
	store, err := sqlite.Open(f.data.databasePath())
	if err != nil {
		return nil, nil, err
	}
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(400) // a heap of a few megabytes would be collected many times a second
	}
	return store, store.Close, nil
}

// closeStore waits no longer than a supervisor does for a disk that does not answer. What was acknowledged is safe without it.
func (s *server) closeStore() error {
	closed := make(chan error, 1)
	go func() { closed <- s.close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(closeTimeout):
		s.logger.Warn("the disk does not answer: the store is left open")
		return nil
	}
}

// serve answers until the context ends, and then finishes what runs.
func (s *server) serve(ctx context.Context, listener net.Listener) error {
	watching, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.followKeys(watching)
	}()
	defer func() {
		stop()
		<-watched
	}()
	httpServer := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- httpServer.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.logger.Info("stopping")
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := httpServer.Shutdown(ending); err != nil {
		s.logger.Warn("some requests were cut off", "error", err)
		return httpServer.Close()
	}
	return nil
}
