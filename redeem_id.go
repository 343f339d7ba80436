package magiclink

import (
	"context"
	"errors"
	"time"
)

// InspectID is [Redeemer.Inspect] for a link that is named by its id. An id is no secret: see [Redeemer.RedeemID]. By may be empty. For a link that
// the same by has used, and that RedeemID would return again for it, the Redemption has Repeated set and there is no error.
//
// A link that the store does not have takes as long as one that it has, but for the time in the store itself: whoever asks about ids learns
// nothing from it.
//
// Errors: those of [Redeemer.Inspect], and an error for a malformed by. A malformed or unknown id is [ErrInvalidToken].
func (r *Redeemer) InspectID(ctx context.Context, id, by string) (Redemption, error) {
	if err := r.ready(); err != nil {
		return Redemption{}, err
	}
	if malformedBy(by) {
		return Redemption{}, errMalformedBy
	}
	now := r.settings.Now()
	record, err := r.recordOf(ctx, id)
	missing := errors.Is(err, ErrNotFound)
	if missing {
		record, err = standIn(id, now), nil
	}
	seen, err := redemption("look the link up", id, record, err)
	if err != nil {
		return Redemption{}, err
	}
	seen.RedeemedAt = time.Time{} // nobody can grant a session from it
	seen.Repeated = record.usedBy(by) && record.RevokedAt.IsZero() && !r.tooLate(record, now)
	err = record.Verdict(r.judgedAt(record.ExpiresAt, now), "")
	r.refusedToLook(id, now, err)
	switch {
	case missing:
		return Redemption{}, ErrInvalidToken
	case seen.Repeated:
		return seen, nil
	case errors.Is(err, ErrConsumed):
		return seen, ErrConsumed
	case err != nil:
		return Redemption{}, err
	}
	return seen, nil
}

// standIn is judged in place of a link that is not there.
func standIn(id string, now time.Time) Record {
	return Record{ID: id, Path: "/", CreatedAt: now, ExpiresAt: now.Add(time.Minute)}
}

// RedeemID is [Redeemer.RedeemBy] for a link that is named by its id, without its token. It is for a person who proves in another way that
// the link has reached them, for example with a code from the same mail.
//
// An id is no secret: it is in lists, logs and answers of the API. Call RedeemID only when the other proof was checked, and count the attempts to
// give one.
//
// Errors: those of [Redeemer.RedeemBy]. A malformed or unknown id is [ErrInvalidToken].
func (r *Redeemer) RedeemID(ctx context.Context, id, by string) (Redemption, error) {
	if err := r.ready(); err != nil {
		return Redemption{}, err
	}
	began, now := r.settings.observer.began(), r.settings.Now()
	redeemed, err := r.redeemID(ctx, id, by, now)
	r.settings.observer.tell(ctx, eventOf(OpRedeem, now, redeemed.Subject, id, err), began)
	return redeemed, err
}

func (r *Redeemer) redeemID(ctx context.Context, id, by string, now time.Time) (redeemed Redemption, err error) {
	if malformedBy(by) {
		return Redemption{}, errMalformedBy
	}
	record, err := r.recordOf(ctx, id)
	if err == nil { // the link is in the store
		defer func() { r.settings.Refusals.put(id, now, err) }()
	}
	if err == nil && !record.usedBy(by) {
		return r.consume(ctx, id, r.judgedAt(record.ExpiresAt, now), by, record.ConsumedAt.IsZero())
	}
	redeemed, err = repeated(id, record, err)
	if err == nil && r.tooLate(record, now) {
		return Redemption{}, ErrExpired
	}
	return redeemed, err
}

// tooLate reports whether the by that has used the link no longer gets its redemption again.
func (r *Redeemer) tooLate(record Record, now time.Time) bool {
	return !now.Before(record.ExpiresAt.Add(r.settings.Leeway + repeatWindow))
}

// recordOf returns the record of a link.
func (r *Redeemer) recordOf(ctx context.Context, id string) (Record, error) {
	if !validID(prefixLink, id) {
		return Record{}, ErrNotFound
	}
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	return r.settings.Store.Get(ctx, id)
}

// judgedAt returns the time to ask the store about: now, and within the leeway the last moment of the link's life.
func (r *Redeemer) judgedAt(expires, now time.Time) time.Time {
	if !now.Before(expires) && now.Before(expires.Add(r.settings.Leeway)) {
		return expires.Add(-time.Millisecond)
	}
	return now
}
