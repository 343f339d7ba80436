package magiclink

import (
	"context"
	"time"
)

// RevokeAll revokes everything of a subject of the caller's tenant: links, used or not, and with them the sessions that came from them. It
// returns how many links these were. Calling it again succeeds.
//
// The TenantID of the subject is taken from the caller. Of the other fields at least one must be set; an empty one matches every link.
// A caller with a BusinessID revokes what belongs to that business alone: another one in the subject matches nothing. Links that are issued during the call may
// survive: see [SubjectRevoker], which also says what to do first. Where [Config.SessionRecheck] is set, a session may be accepted for that much longer.
//
// Errors: [ErrUnsupported] if the Store is no [SubjectRevoker]; [*CallerError]; an error for a subject that names nobody; [ErrUnavailable] if the store
// fails or the context ends: some links may be revoked then, as many as were counted or, with [ErrUnknownOutcome], more. The same call may be repeated.
func (i *Issuer) RevokeAll(ctx context.Context, caller Caller, subject Subject) (int, error) {
	if err := i.ready(); err != nil {
		return 0, err
	}
	began, now := i.settings.observer.began(), i.settings.Now()
	subject.TenantID = caller.TenantID
	n, err := i.revokeAll(ctx, caller, subject, now)
	event := eventOf(OpRevokeAll, now, subject, "", err)
	event.Count = n
	i.settings.observer.tell(ctx, event, began)
	return n, err
}

func (i *Issuer) revokeAll(ctx context.Context, caller Caller, subject Subject, now time.Time) (int, error) {
	if err := i.settings.checkCaller(caller); err != nil {
		return 0, err
	}
	if err := CheckRevokeSubject(subject, now, now); err != nil {
		return 0, err
	}
	if caller.BusinessID != "" {
		if subject.BusinessID != "" && subject.BusinessID != caller.BusinessID {
			return 0, nil
		}
		subject.BusinessID = caller.BusinessID
	}
	return i.settings.revokeSubject(ctx, subject, now)
}

// revokeSubject includes links of a machine whose clock is ahead.
func (s *settings) revokeSubject(ctx context.Context, subject Subject, now time.Time) (int, error) {
	revoker, ok := StoreAs[SubjectRevoker](s.Store)
	if !ok {
		return 0, unsupported("SubjectRevoker")
	}
	subject.Email = lowerDomain(subject.Email)
	n, err := revoker.RevokeSubject(ctx, subject, now.Add(maxLeeway), now)
	if err != nil {
		return n, refusedOrUnavailable("revoke the links", err)
	}
	return n, nil
}
