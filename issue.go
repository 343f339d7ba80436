package magiclink

import (
	"context"
	"errors"
	"time"
)

// Revoke takes a link of the tenant back: from now on it cannot be redeemed. Revoking again succeeds.
//
// It returns [ErrNotFound] for an id that the tenant does not have (also when another tenant has it, or when the store
// has forgotten an expired link), and [ErrUnavailable] when the store fails.
func (i *Issuer) Revoke(ctx context.Context, tenantID, id string) error {
	if !i.ready() {
		return errNotNew
	}
	now := i.now()
	record, err := i.revoke(ctx, tenantID, id, now)
	event := Event{Kind: EventRevoked, At: now, TenantID: tenantID, BusinessID: record.BusinessID, LinkID: record.ID}
	if err != nil {
		event.Kind, event.Reason = EventRefused, reasonOf(err)
	}
	i.observer.tell(ctx, event)
	return err
}

func (i *Issuer) revoke(ctx context.Context, tenantID, id string, now time.Time) (Record, error) {
	if !validID(prefixLink, id) {
		return Record{}, ErrNotFound
	}
	record, err := i.store.Get(ctx, id)
	if err == nil && record.TenantID != tenantID {
		return Record{}, ErrNotFound
	}
	if err == nil {
		err = i.store.Revoke(ctx, id, now)
	}
	switch {
	case err == nil:
		return record, nil
	case errors.Is(err, ErrNotFound):
		return Record{}, ErrNotFound
	}
	return Record{}, unavailable("revoke the link", err)
}
