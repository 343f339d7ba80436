package magiclink

import (
	"context"
	"time"
)

// List returns the live sessions of a person, newest first, at most [MaxListLimit] of them. The Email of the subject is required. Every other
// field is compared as well, except BusinessID and ExternalBusinessID where they are empty: these then match every business.
//
// The sessions are the redeemed links. List does not know the sessions that an application keeps by itself.
//
// Errors: [ErrNoStore]; [ErrUnsupported] if the Store is no [Lister]; an error for a subject without an Email;
// [ErrUnavailable] if the store fails or the context ends.
func (s *Sessions) List(ctx context.Context, subject Subject) ([]Session, error) {
	if !s.ready() {
		return nil, errNoSessions
	}
	began, now := s.settings.observer.began(), s.settings.Now()
	sessions, err := s.list(ctx, subject, now)
	event := eventOf(OpList, now, subject, "", err)
	event.Count = len(sessions)
	s.settings.observer.tell(ctx, event, began)
	return sessions, err
}

func (s *Sessions) list(ctx context.Context, subject Subject, now time.Time) ([]Session, error) {
	if err := s.checkPerson(subject); err != nil {
		return nil, err
	}
	subject.Email = lowerDomain(subject.Email)
	query, err := ListQuery{Subject: subject, State: StateSession, At: now, Limit: MaxListLimit}.Canonical()
	if err != nil {
		return nil, err
	}
	records, err := s.settings.listRecords(ctx, query)
	if err != nil {
		return nil, err
	}
	sessions := make([]Session, 0, len(records))
	for _, record := range records {
		session := record.session()
		if !record.isSuperseded() && now.Before(session.ExpiresAt) {
			sessions = append(sessions, session)
		}
	}
	return sessions, nil
}

// EndAll ends all sessions of a person, and revokes the unused links of the person, so that none of them starts another session. It returns how many links and sessions these were. The subject is that of [Sessions.List]. Calling it again
// succeeds. A link that is issued during the call may survive: see [SubjectRevoker]. Where [Config.SessionRecheck] is set, other Sessions values may accept a
// session for that much longer.
//
// Errors: [ErrNoStore]; [ErrUnsupported] if the Store is no [SubjectRevoker]; an error for a subject without an Email; [ErrUnavailable] if the
// store fails or the context ends: some sessions may be over then, as many as were counted or, with [ErrUnknownOutcome], more.
func (s *Sessions) EndAll(ctx context.Context, subject Subject) (int, error) {
	if !s.ready() {
		return 0, errNoSessions
	}
	began, now := s.settings.observer.began(), s.settings.Now()
	n, err := s.endAll(ctx, subject, now)
	event := eventOf(OpEndAll, now, subject, "", err)
	event.Count = n
	s.settings.observer.tell(ctx, event, began)
	return n, err
}

func (s *Sessions) endAll(ctx context.Context, subject Subject, now time.Time) (int, error) {
	if err := s.checkPerson(subject); err != nil {
		return 0, err
	}
	if err := CheckRevokeSubject(subject, now, now); err != nil {
		return 0, err
	}
	defer s.recent.dropAll()
	return s.settings.revokeSubject(ctx, subject, now)
}

// checkPerson refuses a subject without an address: it would stand for everybody of a business.
func (s *Sessions) checkPerson(subject Subject) error {
	switch {
	case s.settings.Store == nil:
		return ErrNoStore
	case subject.Email == "":
		return inputError("magiclink: the Subject names no person: set Email")
	}
	return nil
}
