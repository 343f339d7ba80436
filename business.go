package magiclink

import (
	"context"
	"errors"
	"unicode/utf8"
)

var (
	// ErrBusinessNotFound says that the tenant has no such business. It is the same for a business that nobody has and for
	// one that another tenant has.
	ErrBusinessNotFound = errors.New("magiclink: the tenant has no such business")
	// ErrBusinessForbidden says that the Caller may issue links only for a business other than the named one. With
	// [AnyBusiness] it also says that nobody can tell whether an external id is that of the Caller's business.
	ErrBusinessForbidden = errors.New("magiclink: not allowed for this business")
)

// Business is one business of a tenant.
type Business struct {
	ID         string // the platform's id: "biz_" and 22 characters
	ExternalID string // the tenant's own id; empty if it has none
}

// BusinessRef names a business by exactly one of its ids. The other field is empty.
type BusinessRef struct {
	ID         string
	ExternalID string
}

// BusinessDirectory knows which businesses a tenant has.
//
// FindBusiness gets exactly one of ref.ID and ref.ExternalID, and the TenantID of the [Caller], which may be empty. It returns
// the tenant's business, or an error that matches [ErrBusinessNotFound]; a business of another tenant is not found. The
// returned ID has the form of [ValidBusinessID] and equals ref.ID where that is set; the ExternalID is empty or has at most 255
// characters without control characters. Every other answer is an outage and makes Issue fail with [ErrUnavailable]. It is
// called from any number of goroutines and should return when the context ends.
type BusinessDirectory interface {
	FindBusiness(ctx context.Context, tenantID string, ref BusinessRef) (Business, error)
}

// AnyBusiness is a [BusinessDirectory] that takes every well-formed id of every tenant as it is. It is right where the
// code that calls [Issuer.Issue] has looked the business up before. Nothing checks that two ids name the same business, so
// a [Caller] that is confined to one business may name that business by its BusinessID alone.
var AnyBusiness BusinessDirectory = anyBusiness{}

type anyBusiness struct{}

// FindBusiness returns the ids that it was given.
func (anyBusiness) FindBusiness(_ context.Context, _ string, ref BusinessRef) (Business, error) {
	return Business(ref), nil
}

// CallerError says that a [Caller] is malformed or cannot be served. It is a fault of the application or of its
// configuration, never of the input.
type CallerError struct {
	Reason string // what is wrong, and what to do
}

// Error implements the error interface.
func (e *CallerError) Error() string { return "magiclink: invalid caller: " + e.Reason }

func (s *settings) checkCaller(caller Caller) error {
	switch {
	case caller == Caller{}:
		return nil
	case !ValidTenantID(caller.TenantID):
		return &CallerError{"TenantID must be at most 255 characters without control characters"}
	case caller.BusinessID != "" && !ValidBusinessID(caller.BusinessID):
		return &CallerError{`BusinessID must be empty or a business id: "biz_" and 22 characters`}
	case s.Businesses == nil:
		return &CallerError{"a tenant or a business is named, and nobody knows whose businesses are whose: set Config.Businesses"}
	}
	return nil
}

// business finds out which business the input is about. The order of the checks is that of the HTTP contract: whether both
// ids agree, whether the caller may, whether there is such a business.
func (s *settings) business(ctx context.Context, in *MagicLinkCreate) (Business, error) {
	named := Business{ID: in.BusinessID, ExternalID: in.ExternalBusinessID}
	own := in.Caller.BusinessID
	if own != "" && in.ExternalBusinessID == "" && in.BusinessID != own {
		return Business{}, ErrBusinessForbidden // whatever the directory would say, or whether it can
	}
	if _, unchecked := s.Businesses.(anyBusiness); unchecked || s.Businesses == nil {
		if own != "" && in.ExternalBusinessID != "" {
			return Business{}, ErrBusinessForbidden // the external id may be that of any business
		}
		return named, nil
	}
	found, err := s.lookUp(ctx, in)
	if own != "" && (err == nil && found.ID != own || errors.Is(err, ErrBusinessNotFound) && in.BusinessID != "" && in.BusinessID != own) {
		return Business{}, ErrBusinessForbidden
	}
	return found, err
}

func (s *settings) lookUp(ctx context.Context, in *MagicLinkCreate) (Business, error) {
	tenant := in.Caller.TenantID
	if in.ExternalBusinessID == "" {
		return s.find(ctx, tenant, BusinessRef{ID: in.BusinessID})
	}
	byExternal, errExternal := s.find(ctx, tenant, BusinessRef{ExternalID: in.ExternalBusinessID})
	if in.BusinessID == "" || isOutage(errExternal) {
		return byExternal, errExternal
	}
	byID, errID := s.find(ctx, tenant, BusinessRef{ID: in.BusinessID})
	if isOutage(errID) {
		return Business{}, errID
	}
	if byID.ID != byExternal.ID { // also when only one of them was found
		return Business{}, FieldErrors{{
			Field: "external_business_id", Rule: "same_business", Message: "must name the same business as business_id",
		}}
	}
	return byExternal, errExternal
}

func isOutage(err error) bool { return err != nil && !errors.Is(err, ErrBusinessNotFound) }

// find asks the directory and fills in the external id that the directory left out.
func (s *settings) find(ctx context.Context, tenantID string, ref BusinessRef) (Business, error) {
	found, err := s.Businesses.FindBusiness(ctx, tenantID, ref)
	switch {
	case errors.Is(err, ErrBusinessNotFound):
		return Business{}, ErrBusinessNotFound
	case err != nil:
		return Business{}, unavailable("find the business", err)
	case ref.ID != "" && found.ID != ref.ID:
		return Business{}, unavailable("find the business", errors.New("the directory answered with another business"))
	case !validID(prefixBusiness, found.ID):
		return Business{}, unavailable("find the business", errors.New("the directory answered with a malformed id"))
	case !plainText(found.ExternalID) || utf8.RuneCountInString(found.ExternalID) > maxName:
		return Business{}, unavailable("find the business", errors.New("the directory answered with a malformed external id"))
	}
	if found.ExternalID == "" {
		found.ExternalID = ref.ExternalID
	}
	return found, nil
}
