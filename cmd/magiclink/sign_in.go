package main

import (
	"context"
	"flag"
	"net/http"
	"slices"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

// modeFlag is which browser may use a link that was mailed.
type modeFlag struct{ mode signin.Mode }

func (f *modeFlag) declare(set *flag.FlagSet) {
	f.mode = signin.ModePrefer
	set.Var(f, "sign-in", "which browser may use a link that was mailed to a person who asked: prefer, where another `browser` than the one that asked needs the code from the mail, too; "+
		"require, where only the one that asked may; or off, where a click is enough, for mail scanners that press buttons as well")
}

// String implements [flag.Value].
func (f *modeFlag) String() string { return string(f.mode) }

// Set implements [flag.Value].
func (f *modeFlag) Set(text string) error {
	mode := signin.Mode(text)
	if !slices.Contains([]signin.Mode{signin.ModeOff, signin.ModePrefer, signin.ModeRequire}, mode) {
		return usagef("%s is no mode", plain(text))
	}
	f.mode = mode
	return nil
}

// makeFlow makes the flow from an address to a session. It is there even while nobody may sign in: it also decides who may use the links
// that it has mailed before.
func (s *server) makeFlow(core magiclink.Config) (*signin.Flow, error) {
	flow, err := signin.New(signin.Config{
		Config: core, Mailer: s.outbox, Resolve: s.config.resolve, Mode: s.flags.mode.mode, // and the address of a connection is the client's: see followProxies
		Limits: signin.Limits{PerTenant: s.flags.mails.orWidest()},
		App:    s.flags.appName, Page: httpadapter.PageConfig{NewLinkURL: s.flags.newLinkURL}, Note: s.outbox.note(),
	})
	return flow, configFault(err)
}

// resolve says for whom the link is that a person has asked for.
func (l *liveConfig) resolve(_ context.Context, address string) (magiclink.MagicLinkCreate, error) {
	entry := l.signIn()
	if entry == nil || !entry.admits(address) {
		return magiclink.MagicLinkCreate{}, signin.ErrUnknownAddress
	}
	return magiclink.MagicLinkCreate{
		Caller: magiclink.Caller{TenantID: entry.Tenant}, ExternalBusinessID: entry.ExternalBusinessID, Email: address,
	}, nil
}

// signIn returns who may sign in by mail, or nil.
func (l *liveConfig) signIn() *signInEntry { return l.now.Load().signIn }

// service is what serve answers: one service with the sign-in by mail, and one without for as long as the configuration has none.
type service struct {
	config        *liveConfig
	paths         []string // of the flow
	with, without http.Handler
}

func (s *server) makeServices(core magiclink.Config, landing *landing) (*service, *httpadapter.Page, error) {
	flow, err := s.makeFlow(core)
	if err != nil {
		return nil, nil, err
	}
	s.flow = flow
	config := httpadapter.ServiceConfig{
		Config: core, Clients: &s.config, SignIn: flow, SessionsPath: httpadapter.SessionsPath,
		Health: true, Ready: s.ready, NotFound: landing,
	}
	with, err := httpadapter.NewService(config)
	if err != nil {
		return nil, nil, configFault(err)
	}
	config.SignIn, config.App, config.NewLinkURL = nil, s.flags.appName, s.flags.newLinkURL
	config.Page.Binding = flow
	without, err := httpadapter.NewService(config)
	if err != nil {
		return nil, nil, configFault(err)
	}
	landing.sessions(with.Sessions(), s.logger)
	return &service{config: &s.config, paths: flow.Paths(), with: with, without: without}, with.Page(), nil
}

// ServeHTTP implements [http.Handler].
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.config.signIn() != nil:
		s.with.ServeHTTP(w, r)
	case slices.Contains(s.paths, r.URL.Path):
		writeJSON(w, http.StatusNotFound, nothingHere)
	default:
		s.without.ServeHTTP(w, r)
	}
}
