package magiclink

import (
	"context"
	"errors"
	"time"
)

// Issue checks the input, mints a link, persists it, and returns it when the store has acknowledged it.
//
// Errors: [FieldErrors] with every field that breaks its rule; [*CallerError] for a Caller that is malformed or that this
// Issuer cannot serve; [ErrBusinessForbidden]; [ErrBusinessNotFound]; [*LimitedError], which matches [ErrLimited], beyond
// [Config.Limits]; [ErrIdempotencyMismatch]; [ErrUnavailable] when the store, the directory or the key fails or the context ends. After an
// error nobody has seen the link.
func (i *Issuer) Issue(ctx context.Context, in MagicLinkCreate) (MagicLinkResponse, error) {
	if err := i.ready(); err != nil {
		return MagicLinkResponse{}, err
	}
	return i.issueAndTell(ctx, &in, i.settings.observer.began())
}

// IssueJSON issues the link that a request body asks for, read as [MagicLinkCreate.UnmarshalJSON] reads it, on behalf of
// the caller.
//
// Errors: [*SyntaxError], and those of [Issuer.Issue].
func (i *Issuer) IssueJSON(ctx context.Context, caller Caller, body []byte) (MagicLinkResponse, error) {
	return i.IssueJSONOnce(ctx, caller, "", body)
}

// IssueJSONOnce is IssueJSON with a [MagicLinkCreate.IdempotencyKey].
//
// Errors: those of [Issuer.IssueJSON], and [ErrIdempotencyMismatch].
func (i *Issuer) IssueJSONOnce(ctx context.Context, caller Caller, key string, body []byte) (MagicLinkResponse, error) {
	if err := i.ready(); err != nil {
		return MagicLinkResponse{}, err
	}
	began := i.settings.observer.began()
	r, err := readCreate(body)
	if err == nil && len(r.faults) > 0 {
		err = r.complete(i.settings.bounds())
	}
	if err != nil {
		event := eventOf(OpIssue, i.settings.Now(), Subject{TenantID: caller.TenantID}, "", err)
		i.settings.observer.tell(ctx, event, began)
		return MagicLinkResponse{}, err
	}
	r.in.Caller, r.in.IdempotencyKey = caller, key
	return i.issueAndTell(ctx, &r.in, began)
}

func (i *Issuer) issueAndTell(ctx context.Context, in *MagicLinkCreate, began time.Time) (MagicLinkResponse, error) {
	now := i.settings.Now()
	record, response, err := i.issue(ctx, in, now)
	if err != nil {
		record.Subject = Subject{TenantID: in.Caller.TenantID}
	}
	i.settings.observer.tell(ctx, eventOf(OpIssue, now, record.Subject, record.ID, err), began)
	return response, err
}

// issue leaves out of the record what was not stored.
func (i *Issuer) issue(ctx context.Context, in *MagicLinkCreate, now time.Time) (Record, MagicLinkResponse, error) {
	if err := i.settings.checkCaller(in.Caller); err != nil {
		return Record{}, MagicLinkResponse{}, err
	}
	if faults := check(in, i.settings.bounds()); faults != nil {
		return Record{}, MagicLinkResponse{}, faults
	}
	if err := ctx.Err(); err != nil {
		return Record{}, MagicLinkResponse{}, unavailable("issue", err)
	}
	business, err := i.settings.business(ctx, in)
	if err != nil {
		return Record{}, MagicLinkResponse{}, err
	}
	record := i.record(in, business, now)
	repeated, err := i.reserve(ctx, in, &record, now)
	switch {
	case err != nil:
		return Record{}, MagicLinkResponse{}, err
	case repeated.Repeated:
		return record, repeated, nil
	}
	if err := i.settings.take(ctx, record.Subject, now); err != nil {
		return Record{}, MagicLinkResponse{}, err
	}
	return i.store(ctx, in, record, now)
}

// store signs the link, stores its record, and ends the older links. If that last step fails, the link is not handed out: older links
// may still work.
func (i *Issuer) store(ctx context.Context, in *MagicLinkCreate, record Record, now time.Time) (Record, MagicLinkResponse, error) {
	link, err := i.link(&record)
	if err != nil {
		return Record{}, MagicLinkResponse{}, unavailable("sign the token", err)
	}
	if err := i.settings.Store.Create(ctx, record); err != nil {
		if in.IdempotencyKey != "" && errors.Is(err, ErrExists) { // a call with the same key was faster
			return record, MagicLinkResponse{MagicLinkID: record.ID, ExpiresAt: record.ExpiresAt, Repeated: true}, nil
		}
		return Record{}, MagicLinkResponse{}, unavailable("store the link", err)
	}
	ended, err := i.supersede(ctx, record, now)
	i.tellSuperseded(ctx, record, ended, now, err)
	if err != nil {
		return Record{}, MagicLinkResponse{}, unavailable("issue", err)
	}
	return record, MagicLinkResponse{MagicLink: link, MagicLinkID: record.ID, ExpiresAt: record.ExpiresAt}, nil
}

// record fills in the defaults. The expiry is a whole second because a token counts in seconds; so both agree.
func (i *Issuer) record(in *MagicLinkCreate, business Business, now time.Time) Record {
	ttl, session := in.TTL, time.Duration(in.SessionTimeout)*time.Second
	if ttl == 0 {
		ttl = min(defaultTTL, i.settings.bounds().ttl)
	}
	if session == 0 {
		session = min(defaultSessionTimeout*time.Second, i.settings.MaxSessionTimeout)
	}
	now = now.UTC()
	id := in.MagicLinkID
	if id == "" {
		id = i.ids.newID(prefixLink, now)
	}
	return Record{
		ID: id,
		Subject: Subject{
			TenantID:           in.Caller.TenantID,
			BusinessID:         business.ID,
			ExternalBusinessID: business.ExternalID,
			Email:              lowerDomain(in.Email),
		},
		Path:           in.Path,
		SessionTimeout: session,
		Extension:      in.Extension,
		CreatedAt:      now.Truncate(time.Millisecond),
		ExpiresAt:      now.Truncate(time.Second).Add(time.Duration(ttl) * time.Minute),
	}
}

// Revoke takes a link of the tenant back: it cannot be redeemed any more, and a session that came from it ends. Revoking
// again succeeds.
//
// In an application without tenants tenantID is empty. Revoke returns [ErrNotFound] for a malformed id and for an id that the
// tenant does not have (also when another tenant has it, or when the store has removed the record after its end), and
// [ErrUnavailable] when the store fails. If that error matches [ErrUnknownOutcome], too, call Revoke again.
func (i *Issuer) Revoke(ctx context.Context, tenantID, id string) error {
	if err := i.ready(); err != nil {
		return err
	}
	began, now := i.settings.observer.began(), i.settings.Now()
	record, err := i.revoke(ctx, tenantID, id, now)
	if err != nil {
		record.Subject = Subject{TenantID: tenantID}
	}
	i.settings.observer.tell(ctx, eventOf(OpRevoke, now, record.Subject, record.ID, err), began)
	return err
}

func (i *Issuer) revoke(ctx context.Context, tenantID, id string, now time.Time) (Record, error) {
	if !validID(prefixLink, id) {
		return Record{}, ErrNotFound
	}
	record, err := i.settings.Store.Get(ctx, id)
	if err == nil && record.TenantID != tenantID {
		return Record{}, ErrNotFound
	}
	if err == nil {
		err = i.settings.Store.Revoke(ctx, id, now)
	}
	switch {
	case err == nil:
		return record, nil
	case errors.Is(err, ErrNotFound):
		return Record{}, ErrNotFound
	}
	return Record{}, unavailable("revoke the link", err)
}
