package magiclink

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	supersedeBatch = 100

	// sameMoment is how long two calls may take to see each other's links. A link that is there and seems to be issued later than that
	// comes from a machine whose clock is ahead: it is an older one.
	sameMoment = time.Second
)

// requireLister demands a store that can list the links of an address.
func (e *ConfigErrors) requireLister(store Store) {
	if _, ok := StoreAs[Lister](store); !ok {
		e.add("Supersede", "needs a Store that is a Lister, as the stores of this project are")
		return
	}
	if checker, ok := StoreAs[ListChecker](store); ok {
		if err := checker.CheckList(Subject{Email: "anybody@example.com"}); err != nil {
			e.add("Supersede", "needs a Store that lists the links of an address: "+err.Error())
		}
	}
}

// supersede ends the older unused links of the subject of a link that was just stored. It is called after the new link was stored. Of links that are
// issued at once the one with the largest id stays: each of the others is ended by a call that finds a larger id, if need be by its own.
//
// A link is ended in two steps: it is consumed, which fails if its person was faster, and then revoked. Revoking alone
// would also end the session of a person who uses the older link at this moment.
func (i *Issuer) supersede(ctx context.Context, newer Record, now time.Time) (ended int, _ error) {
	if !i.settings.Supersede || newer.Email == "" {
		return 0, nil
	}
	query := ListQuery{Subject: newer.Subject, State: StateLive, At: now, Limit: supersedeBatch}
	for {
		records, err := i.settings.listRecords(ctx, query)
		if err != nil {
			return ended, fmt.Errorf("end the older links: %w", err)
		}
		for _, found := range records { // the largest id first
			query.Before = found.ID
			if found.Subject != newer.Subject || found.ID == newer.ID { // an empty field of a query matches every record
				continue
			}
			older := found
			if found.ID > newer.ID && !found.CreatedAt.After(newer.CreatedAt.Add(sameMoment)) {
				older, newer = newer, found
			}
			switch done, err := i.end(ctx, older, newer.ID, now); {
			case err != nil:
				return ended, fmt.Errorf("end the older links: %w", err)
			case done:
				ended++
			}
		}
		if len(records) < query.Limit {
			return ended, nil
		}
	}
}

// end reports false for a link that somebody has used, revoked or ended at the same moment, or that has expired.
func (i *Issuer) end(ctx context.Context, older Record, newerID string, now time.Time) (bool, error) {
	_, err := i.settings.Store.Consume(ctx, older.ID, now, superseding+newerID)
	for _, outcome := range []error{ErrNotFound, ErrRevoked, ErrConsumed, ErrExpired} {
		if errors.Is(err, outcome) {
			return false, nil
		}
	}
	if err == nil {
		err = i.settings.Store.Revoke(ctx, older.ID, now)
	}
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return err == nil, err
}

// tellSuperseded reports what a new link has ended, if anything.
func (i *Issuer) tellSuperseded(ctx context.Context, newer Record, ended int, now time.Time, err error) {
	if ended == 0 && err == nil {
		return
	}
	event := eventOf(OpSupersede, now, newer.Subject, newer.ID, err)
	event.Count = ended
	i.settings.observer.tell(ctx, event, i.settings.observer.began())
}
