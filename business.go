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
	// ErrBusinessForbidden says that the caller may issue links for another business alone.
	ErrBusinessForbidden = errors.New("magiclink: not allowed for this business")
)

// Business is one business of a tenant.
type Business struct {
	ID         string // the platform's id: "biz_" and 22 characters
	ExternalID string // the tenant's own id; empty if it has none
}

// BusinessRef names a business by exactly one of its ids; the other field is empty.
type BusinessRef struct {
	ID         string
	ExternalID string
}

// BusinessDirectory knows which businesses a tenant has.
//
// FindBusiness returns the tenant's business of this name, or an error that matches [ErrBusinessNotFound]; a business of
// another tenant is not found. Every other error is an outage and makes Issue fail with [ErrUnavailable]. It is called
// from any number of goroutines and should return when the context ends.
type BusinessDirectory interface {
	FindBusiness(ctx context.Context, tenantID string, ref BusinessRef) (Business, error)
}

// business finds out which business the input is about. The order of the checks is that of the HTTP contract: first
// whether both names agree, then whether the caller may, then whether there is such a business.
func (i *Issuer) business(ctx context.Context, in *MagicLinkCreate) (Business, error) {
	named := Business{ID: in.BusinessID, ExternalID: in.ExternalBusinessID}
	if scope := in.ScopedBusinessID; scope != "" && in.ExternalBusinessID == "" && in.BusinessID != scope {
		return Business{}, ErrBusinessForbidden // whatever the directory would say, or whether it can
	}
	found, err := i.lookUp(ctx, in)
	if err != nil && !errors.Is(err, ErrBusinessNotFound) {
		return Business{}, err
	}
	if err == nil {
		named = found
	}
	// Without a directory an external id alone names no business that could be compared: that is refused, too.
	unknown := err != nil && named.ID == ""
	if scope := in.ScopedBusinessID; scope != "" && named.ID != scope && !unknown {
		return Business{}, ErrBusinessForbidden
	}
	return found, err
}

func (i *Issuer) lookUp(ctx context.Context, in *MagicLinkCreate) (Business, error) {
	if i.businesses == nil {
		return Business{ID: in.BusinessID, ExternalID: in.ExternalBusinessID}, nil
	}
	if in.ExternalBusinessID == "" {
		return i.find(ctx, in.TenantID, BusinessRef{ID: in.BusinessID})
	}
	byExternal, errExternal := i.find(ctx, in.TenantID, BusinessRef{ExternalID: in.ExternalBusinessID})
	if in.BusinessID == "" || isOutage(errExternal) {
		return byExternal, errExternal
	}
	byID, errID := i.find(ctx, in.TenantID, BusinessRef{ID: in.BusinessID})
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

// find asks the directory and fills in what it left open about the business that was named.
func (i *Issuer) find(ctx context.Context, tenantID string, ref BusinessRef) (Business, error) {
	found, err := i.businesses.FindBusiness(ctx, tenantID, ref)
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
