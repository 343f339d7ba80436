package httpadapter

import (
	"net/http"
	"reflect"

	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

// SignIn is a flow from an e-mail address to a session, for [ServiceConfig.SignIn]: a *signin.Flow.
type SignIn interface {
	Binding
	http.Handler // answers the Paths

	// Paths returns the exact paths that the flow answers.
	Paths() []string

	// Page returns the redemption page of the flow's links, with this flow as its Binding.
	Page() *Page
}

// checkSignIn reports what the page of a flow brings along and must not be set twice.
func (c *ServiceConfig) checkSignIn(found *faults) {
	if c.SignIn == nil {
		return
	}
	if nilvalue.Is(c.SignIn) {
		found.add("SignIn", "is a nil value in an interface: set a flow, or nothing")
		c.SignIn = nil
		return
	}
	for _, field := range []struct {
		name  string
		value any
	}{{"App", c.App}, {"NewLinkURL", c.NewLinkURL}, {"Page", c.Page}} {
		if !reflect.ValueOf(field.value).IsZero() {
			found.add(field.name, "must not be set beside SignIn: set it in the configuration of the flow, whose page this is")
		}
	}
}

// takePage takes over the page of the flow, and returns its configuration.
func (s *Service) takePage(found *faults, flow SignIn) PageConfig {
	s.page = flow.Page()
	if s.page == nil || s.page.config.Redeemer == nil {
		found.add("SignIn", "is not initialized: make one with signin.New")
		s.page = new(Page)
	} else if s.page.route.baseURL != s.redeemer.BaseURL() {
		found.add("SignIn", "has another BaseURL than Config: make both from one magiclink.Config")
	}
	return s.page.config
}

// routeSignIn puts the flow on its paths.
func (s *Service) routeSignIn(flow SignIn) {
	if flow == nil {
		return
	}
	for _, path := range flow.Paths() {
		s.routes[path] = flow
	}
}
