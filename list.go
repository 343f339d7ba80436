package magiclink

import (
	"context"
	"errors"
	"strings"
	"time"
)

const defaultListLimit = 50

// Link is what is known of a link that was issued: its record, and its State at the time of the look. It holds no token: nobody
// can use the link with it. Printed by fmt or slog it shows no address.
//
// The history of the link is in the record: CreatedAt, ConsumedAt, RevokedAt. ConsumedAt is zero for a link that
// [Config.Supersede] has ended, since nobody has used it. Refused attempts are not recorded in the store: see [Audit].
type Link struct {
	Record
	State State

	// LastRefusal says why a Redeemer has refused the link last, where [Config.Refusals] knows it; only Get fills it in. It is also a refusal that
	// Inspect has found the link expired or revoked, as a mail scanner may have asked. That Inspect has found it used is none.
	LastRefusal Refusal
}

// Session returns the session that came from the link, whatever has become of it: State and RevokedAt say whether it was ended, and ExpiresAt
// when it is over. It reports false for a link that nobody has used.
func (l Link) Session() (session Session, used bool) {
	if l.ConsumedAt.IsZero() {
		return Session{}, false
	}
	return l.session(), true
}

// List returns links of the caller's tenant, newest first, and one page at a time: see [Lister] for the order and how to ask for the next page.
//
// The TenantID of the query is taken from the caller, and the domain of its Email is converted to lower case. A caller with a BusinessID sees the
// links of that business alone: with another business in the query the list is empty. A zero query.At means now, and a zero query.Limit means 50.
//
// Errors: [ErrUnsupported] if the Store is no [Lister]; [*CallerError]; an error for a query that [ListQuery.Canonical] refuses;
// [ErrUnavailable] if the store fails or the context ends.
func (i *Issuer) List(ctx context.Context, caller Caller, query ListQuery) ([]Link, error) {
	if err := i.ready(); err != nil {
		return nil, err
	}
	began, now := i.settings.observer.began(), i.settings.Now()
	links, err := i.list(ctx, caller, query, now)
	event := eventOf(OpList, now, Subject{TenantID: caller.TenantID, BusinessID: caller.BusinessID}, "", err)
	event.Count = len(links)
	i.settings.observer.tell(ctx, event, began)
	return links, err
}

func (i *Issuer) list(ctx context.Context, caller Caller, query ListQuery, now time.Time) ([]Link, error) {
	if err := i.settings.checkCaller(caller); err != nil {
		return nil, err
	}
	query.TenantID, query.Email = caller.TenantID, lowerDomain(query.Email)
	if query.At.IsZero() {
		query.At = now
	}
	if query.Limit == 0 {
		query.Limit = defaultListLimit
	}
	query, err := query.Canonical()
	if err != nil {
		return nil, err
	}
	if caller.BusinessID != "" {
		if query.BusinessID != "" && query.BusinessID != caller.BusinessID {
			return []Link{}, nil
		}
		query.BusinessID = caller.BusinessID
	}
	records, err := i.settings.listRecords(ctx, query)
	if err != nil {
		return nil, err
	}
	links := make([]Link, len(records))
	for n, record := range records {
		links[n] = linkOf(record, query.At)
	}
	return links, nil
}

func (s *settings) listRecords(ctx context.Context, query ListQuery) ([]Record, error) {
	lister, err := optional[Lister](s, "Lister")
	if err != nil {
		return nil, err
	}
	records, err := lister.List(ctx, query)
	if err != nil {
		return nil, refusedOrUnavailable("list the links", err)
	}
	return records, nil
}

// refusedOrUnavailable keeps what a store refuses apart from its outages.
func refusedOrUnavailable(doing string, err error) error {
	if _, refused := errors.AsType[inputError](err); refused || errors.Is(err, ErrUnsupported) {
		return err
	}
	return unavailable(doing, err)
}

// linkOf shows a superseded link as a revoked one, also when the process has died between the two steps of superseding.
func linkOf(record Record, at time.Time) Link {
	if record.isSuperseded() {
		if record.RevokedAt.IsZero() {
			record.RevokedAt = record.ConsumedAt
		}
		record.ConsumedAt, record.ConsumedBy = time.Time{}, ""
	}
	return Link{Record: record, State: record.State(at)}
}

// Get returns one link of the caller by its id, "mlk_" and 22 characters.
//
// Errors: [ErrNotFound] for a malformed id, for a link that the store does not have or has forgotten after its [Record.End], and for a link that the caller may not
// see: all three look the same; [*CallerError]; [ErrUnavailable] if the store fails or the context ends.
func (i *Issuer) Get(ctx context.Context, caller Caller, id string) (Link, error) {
	if err := i.ready(); err != nil {
		return Link{}, err
	}
	began, now := i.settings.observer.began(), i.settings.Now()
	link, err := i.get(ctx, caller, id, now)
	subject := link.Subject
	if err != nil {
		subject = Subject{TenantID: caller.TenantID}
	}
	i.settings.observer.tell(ctx, eventOf(OpGet, now, subject, link.ID, err), began)
	return link, err
}

func (i *Issuer) get(ctx context.Context, caller Caller, id string, now time.Time) (Link, error) {
	if err := i.settings.checkCaller(caller); err != nil {
		return Link{}, err
	}
	if !validID(prefixLink, id) {
		return Link{}, ErrNotFound
	}
	record, err := i.settings.Store.Get(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return Link{}, ErrNotFound
	case err != nil:
		return Link{}, unavailable("look the link up", err)
	case record.ID != id:
		return Link{}, unavailable("look the link up", errOtherRecord)
	case record.TenantID != caller.TenantID || caller.BusinessID != "" && record.BusinessID != caller.BusinessID:
		return Link{}, ErrNotFound
	}
	link := linkOf(record, now)
	link.LastRefusal = i.settings.Refusals.last(id)
	return link, nil
}

// superseding begins the ConsumedBy of a record that a newer link has ended. The id of the newer link follows.
const superseding = "superseded by "

func (r *Record) isSuperseded() bool { return strings.HasPrefix(r.ConsumedBy, superseding) }
