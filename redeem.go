package magiclink

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/magiclink-go/magiclink/internal/nilvalue"
)

const (
	maxBy        = 64          // bytes of a "by"
	repeatWindow = time.Minute // how long after a link's expiry the same "by" can complete its redemption
)

// Redeemer turns the token of a link into a [Redemption], exactly once. Make one with [NewRedeemer]; the zero value
// returns errors. It needs no private key, so it can run where links must not be issued. It is safe for concurrent use.
type Redeemer struct {
	settings settings
	tokens   linkTokens
}

const errMalformedBy = inputError("magiclink: redeem: by must be at most 64 bytes of UTF-8 without control characters")

// NewRedeemer makes a Redeemer. It needs the Store that the Issuer writes to; public keys are enough. It reports every
// fault of the configuration at once, as [ConfigErrors].
func NewRedeemer(config Config) (*Redeemer, error) {
	set, faults := config.check()
	faults.requireStore(config.Store)
	if err := faults.err(); err != nil {
		return nil, err
	}
	return &Redeemer{settings: set, tokens: newLinkTokens(set.Keys, set.Issuer, set.Audience)}, nil
}

// WithStore returns a Redeemer that is the same but for its store, for example a store that is bound to a transaction of
// the caller, so that an account is made only if its link was used. The receiver is unchanged. With a nil store every call
// of the new Redeemer returns an error that says so.
func (r *Redeemer) WithStore(store Store) *Redeemer {
	if r == nil {
		return new(Redeemer)
	}
	other := *r
	other.settings.Store = store
	if nilvalue.Is(store) {
		other.settings.Store = nil
	}
	return &other
}

// Inspect says what a link stands for and whether it can be redeemed now. It changes nothing, however often it is called,
// and reports no event. Use it to answer a GET: mail scanners follow links.
//
// Errors: those of [Redeemer.Redeem]. With [ErrConsumed] the Redemption is returned as well, so that the person whose
// session came from this link can be sent on; it signs nobody in. For an expired link Inspect asks the store, too, and returns
// ErrRevoked or ErrConsumed where they apply, and ErrExpired if the store fails.
func (r *Redeemer) Inspect(ctx context.Context, token string) (Redemption, error) {
	if err := r.ready(); err != nil {
		return Redemption{}, err
	}
	now := r.settings.Now()
	found, expired := r.verify(ctx, token, now)
	if expired != nil && !errors.Is(expired, ErrExpired) {
		return Redemption{}, expired
	}
	seen, err := r.inspect(ctx, found, expired)
	r.refusedToLook(found.id, now, err)
	return seen, err
}

func (r *Redeemer) inspect(ctx context.Context, found verifiedLink, expired error) (Redemption, error) {
	record, err := r.settings.Store.Get(ctx, found.id)
	seen, err := redemption("look the link up", found.id, record, err)
	if err != nil {
		return Redemption{}, cmp.Or(expired, err) // an expired link is expired, also when the store fails or has forgotten it
	}
	seen.RedeemedAt = time.Time{} // nobody can grant a session from it
	switch err = cmp.Or(record.Verdict(found.at, ""), expired); {
	case errors.Is(err, ErrConsumed):
		return seen, ErrConsumed
	case err != nil:
		return Redemption{}, err
	}
	return seen, nil
}

// Redeem uses a link up and says what it stands for. Of any number of racing calls with one link exactly one succeeds.
// The use is then as durable as the store makes it: start the session after Redeem has returned, never before.
//
// Errors: [ErrExpired]; [ErrRevoked]; [ErrConsumed] if the link was used before; [ErrInvalidToken] for a token that is not
// one of our links, and for a link that the store does not have; [ErrUnavailable] if the store fails or the context ends.
// With ErrUnavailable the link is still usable. Exception: if the error also matches [ErrUnknownOutcome], the link may be used
// up; then only RedeemBy with the same by can finish the sign-in. For an expired token Redeem returns ErrExpired without a call
// to the store, also for a used or revoked link. Tell people outside only that the link cannot be used.
func (r *Redeemer) Redeem(ctx context.Context, token string) (Redemption, error) {
	// A fresh "by" lets a driver repeat a call whose answer was lost.
	return r.redeem(ctx, token, rand.Text(), true)
}

// RedeemBy is Redeem for a caller who may have to repeat the call: because the answer was lost, because the outcome is
// unknown, or because a browser sent a form twice. The call that uses the link stores by with it. Every later call with the
// same by succeeds, changes nothing and returns the same Redemption with Repeated set; for every other caller the link is
// used. A repeated call succeeds until one minute after the link's expiry.
//
// By must be unguessable: a secret of the caller or the digest of one, at most 64 bytes of UTF-8 without control characters.
// With an empty by no call succeeds twice, and no device is kept. The HTTP adapter honours a repetition for one minute only.
//
// Errors: those of [Redeemer.Redeem], and an error for a malformed by, which changes nothing.
func (r *Redeemer) RedeemBy(ctx context.Context, token, by string) (Redemption, error) {
	return r.redeem(ctx, token, by, false)
}

// redeem looks first whether the same by has used the link already, unless by is new.
func (r *Redeemer) redeem(ctx context.Context, token, by string, isNew bool) (Redemption, error) {
	if err := r.ready(); err != nil {
		return Redemption{}, err
	}
	began, now := r.settings.observer.began(), r.settings.Now()
	if malformedBy(by) {
		r.settings.observer.tell(ctx, eventOf(OpRedeem, now, Subject{}, "", errMalformedBy), began)
		return Redemption{}, errMalformedBy
	}
	found, err := r.verify(ctx, token, now)
	var redeemed Redemption
	unused := false
	if by != "" && !isNew && (err == nil || errors.Is(err, ErrExpired) && now.Before(found.ends.Add(repeatWindow))) {
		var failure error
		if redeemed, unused, failure = r.repeat(ctx, found.id, by); failure != nil {
			err = failure
		} else if redeemed.Repeated {
			err = nil
		}
	}
	if err == nil && !redeemed.Repeated {
		redeemed, err = r.consume(ctx, found.id, found.at, by, unused)
	}
	r.settings.Refusals.put(found.id, now, err) // an id that is not authentic is ErrInvalidToken, which is passed over
	r.settings.observer.tell(ctx, eventOf(OpRedeem, now, redeemed.Subject, found.id, err), began)
	return redeemed, err
}

func malformedBy(by string) bool { return len(by) > maxBy || !plainText(by) }

// repeat returns the redemption that the same by has made before, or the zero Redemption if there is none. Unused reports that nobody has used the
// link.
func (r *Redeemer) repeat(ctx context.Context, id, by string) (_ Redemption, unused bool, _ error) {
	record, err := r.settings.Store.Get(ctx, id)
	if err == nil && !record.usedBy(by) {
		return Redemption{}, record.ConsumedAt.IsZero(), nil
	}
	redeemed, err := repeated(id, record, err)
	return redeemed, false, err
}

// repeated returns the redemption that a record was used for before, unless the record is revoked.
func repeated(id string, record Record, err error) (Redemption, error) {
	if err == nil {
		err = record.Verdict(record.ConsumedAt, record.ConsumedBy)
	}
	redeemed, err := redemption("look the link up", id, record, err)
	redeemed.Repeated = err == nil
	return redeemed, err
}

// consume uses the link up. WasUnused says that a look at the record has just found it unused: then a link that is used may have been used by
// a call with the same by and another device, which counts as the same. The store compares the device, too, and refuses that.
func (r *Redeemer) consume(ctx context.Context, id string, at time.Time, by string, wasUnused bool) (Redemption, error) {
	record, err := r.settings.Store.Consume(ctx, id, at, withDevice(ctx, by))
	if wasUnused && errors.Is(err, ErrConsumed) {
		again, _, failure := r.repeat(ctx, id, by)
		if failure != nil || again.Repeated {
			return again, failure
		}
	}
	redeemed, err := redemption("use the link up", id, record, err)
	redeemed.Repeated = err == nil && !redeemed.RedeemedAt.Equal(canonicalTime(at))
	return redeemed, err
}

// BaseURL returns the magic link route, without a slash at its end. It is empty for a Redeemer that NewRedeemer has not
// made, or that has a nil store.
func (r *Redeemer) BaseURL() string {
	if r.ready() != nil {
		return ""
	}
	return r.settings.route.url
}

// Destination returns where the user goes after a redemption: the link's path, or "/", on the origin of the links, as a
// valid URI: characters that RFC 3986 does not allow are percent-encoded. A
// Redeemer that NewRedeemer has not made knows no origin and returns the path alone.
func (r *Redeemer) Destination(redeemed Redemption) string {
	path := redeemed.Path
	if !localPath(path) { // a Redemption that the caller has made
		path = "/"
	}
	if r.ready() != nil {
		return path
	}
	return r.settings.route.origin + string(appendURI(nil, path))
}

// ready returns an error for a Redeemer that cannot work.
func (r *Redeemer) ready() error {
	switch {
	case r == nil || r.settings.Now == nil:
		return errNoRedeemer
	case r.settings.Store == nil:
		return errNilStore
	}
	return nil
}

// verifiedLink is what a token says whose signature is right.
type verifiedLink struct {
	id   string    // of the record
	at   time.Time // the time to ask the store about: now, and within the leeway the last moment of the link's life
	ends time.Time // when the token is dead, leeway included
}

// verify checks a token. With ErrExpired it returns what the token says, too. It calls no store.
func (r *Redeemer) verify(ctx context.Context, token string, now time.Time) (verifiedLink, error) {
	id, expires, err := r.tokens.verify(token, now, r.settings.Leeway)
	if err == nil && ctx.Err() != nil {
		err = unavailable("redeem", ctx.Err())
	}
	found := verifiedLink{id: id, at: now, ends: expires.Add(r.settings.Leeway)}
	if !now.Before(expires) {
		found.at = expires.Add(-time.Millisecond)
	}
	return found, err
}
