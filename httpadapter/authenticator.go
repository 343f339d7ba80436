package httpadapter

import (
	"errors"
	"net/http"
	"slices"

	"github.com/magiclink-go/magiclink"
)

// The scopes of this package. They are compared exactly: none includes another.
const (
	ScopeCreate = "auth:create" // to issue links
	ScopeRead   = "auth:read"   // to see links, sessions and limits
	ScopeRevoke = "auth:revoke" // to revoke links, to end sessions and to reset limits
)

var (
	// ErrNoCredentials says that a request carries no credentials that the [Authenticator] knows how to read.
	ErrNoCredentials = errors.New("magiclink: no credentials")
	// ErrInvalidCredentials says that the credentials are malformed, unknown, expired or meant for another service.
	ErrInvalidCredentials = errors.New("magiclink: invalid credentials")
)

// Principal is the caller that an [Authenticator] has found.
type Principal struct {
	TenantID   string   // whose businesses the caller may name
	BusinessID string   // the one business that the caller is confined to; empty means any of the tenant's
	ClientID   string   // which program calls
	Scopes     []string // what the caller may do; compared exactly
}

func (p Principal) may(scope string) bool { return slices.Contains(p.Scopes, scope) }

func (p Principal) caller() magiclink.Caller {
	return magiclink.Caller{TenantID: p.TenantID, BusinessID: p.BusinessID}
}

// Authenticator finds out who calls. It reads the request's header and leaves the body alone. The request's context ends at
// the handler's timeout.
//
// It returns [ErrNoCredentials] or [ErrInvalidCredentials], both answered with 401; every other error is an outage and
// answered with 503. It is called from any number of goroutines.
type Authenticator interface {
	Authenticate(r *http.Request) (Principal, error)
}
