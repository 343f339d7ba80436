package magiclink

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/magiclink-go/magiclink/internal/jose"
	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// Sessions grants sessions, recognises them again and ends them. Make one with [NewSessions]; the zero value recognises
// nothing. It is safe for concurrent use.
//
// A session is a signed token. It stems from exactly one link, and the redeemed [Record] of that link is the session's
// record: with a [Config.Store], Verify accepts a token only while the record is there and not revoked, and End revokes
// the record. Nothing else is stored for a session. Without a Store a session lasts until it expires.
type Sessions struct {
	settings settings
	audience string
	recent   recentLooks
}

// Session is what a redemption grants.
type Session struct {
	ID          string // "ses_" and the last 22 characters of MagicLinkID
	MagicLinkID string // the link that the session came from
	Subject            // who is signed in

	CreatedAt time.Time // the RedeemedAt of the link; UTC, a whole second
	ExpiresAt time.Time // the first second at which the session is over

	// Device says on which device the link was redeemed, such as "Firefox on Windows": see WithDevice. It is empty where that is not known: always
	// in what Verify returns without a Store. It is what the client has said of itself, and decides nothing.
	Device string
}

// NewSessions makes Sessions. With a Store sessions can be ended; to verify sessions public keys are enough. It reports
// every fault of the configuration at once, as [ConfigErrors].
func NewSessions(config Config) (*Sessions, error) {
	set, faults := config.check()
	if len(faults) == 0 && len(set.Issuer)+len(set.Audience) > maxSessionNames {
		faults.add("Issuer", "and Audience must be at most 240 bytes together, so that every session fits into a cookie")
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	return &Sessions{settings: set, audience: sessionAudience(set.Audience), recent: recentLooks{valid: set.SessionRecheck}}, nil
}

// maxSessionNames leaves room in the 4096 bytes of a cookie for the longest names that a session can have.
const maxSessionNames = 240

// BaseURL returns the magic link route, without a slash at its end. It is empty for Sessions that NewSessions has not made.
func (s *Sessions) BaseURL() string {
	if !s.ready() {
		return ""
	}
	return s.settings.route.url
}

// CanGrant reports whether there is a key that signs, so that Grant can succeed.
func (s *Sessions) CanGrant() bool { return s.ready() && s.settings.SessionKeys.CanSign() }

func (s *Sessions) ready() bool { return s != nil && s.settings.Now != nil }

// sessionAudience is to sessions what linkAudience is to links.
func sessionAudience(audience string) string { return audience + "#session" }

// Grant returns the session that a redemption stands for, with its token. The session begins when the link was redeemed
// and lasts for the SessionTimeout in whole seconds, so that granting twice gives the same session. The token is a
// credential: put it into a cookie that scripts cannot read, and do not log it.
//
// Grant calls no store, and a context that has ended does not stop it.
//
// Errors: [ErrNoSigningKey] if the keys are public; [ErrUnavailable] if a [crypto.Signer] fails; [ErrExpired] if the session would be
// over already; [ErrTokenTooLong];
// and an error for a Redemption with a zero RedeemedAt, such as one of Inspect, a malformed MagicLinkID, or a SessionTimeout
// outside 1 s to 7948800 s. Grant trusts its argument: pass only what Redeem or RedeemBy has returned.
func (s *Sessions) Grant(ctx context.Context, redeemed Redemption) (token string, session Session, err error) {
	if !s.ready() {
		return "", Session{}, errNoSessions
	}
	began, now := s.settings.observer.began(), s.settings.Now()
	token, session, err = s.grant(redeemed, now)
	s.settings.observer.tell(ctx, eventOf(OpGrant, now, redeemed.Subject, redeemed.MagicLinkID, err), began)
	return token, session, err
}

func (s *Sessions) grant(redeemed Redemption, now time.Time) (token string, session Session, err error) {
	if err := grantable(redeemed); err != nil {
		return "", Session{}, err
	}
	session = sessionOf(redeemed.MagicLinkID, redeemed.Subject, redeemed.RedeemedAt, redeemed.SessionTimeout)
	session.Device = redeemed.Device
	if !now.Before(session.ExpiresAt.Add(s.settings.Leeway)) { // within the Leeway Verify accepts it
		return "", Session{}, ErrExpired
	}
	token, err = s.settings.SessionKeys.sign(jose.Session, s.claims(session))
	switch {
	case errors.Is(err, ErrNoSigningKey):
		return "", Session{}, err
	case err != nil:
		return "", Session{}, unavailable("sign the session", err)
	case len(token) > jose.MaxToken:
		return "", Session{}, ErrTokenTooLong
	}
	return token, session, nil
}

// sessionOf returns the session that comes from a link: it is decided by the record alone.
func sessionOf(linkID string, subject Subject, redeemedAt time.Time, timeout time.Duration) Session {
	created := redeemedAt.UTC().Truncate(time.Second)
	return Session{
		ID: sessionID(linkID), MagicLinkID: linkID, Subject: subject,
		CreatedAt: created, ExpiresAt: created.Add(timeout.Truncate(time.Second)),
	}
}

func sessionID(linkID string) string { return prefixSession + strings.TrimPrefix(linkID, prefixLink) }

func grantable(redeemed Redemption) error {
	if !validID(prefixLink, redeemed.MagicLinkID) || redeemed.RedeemedAt.IsZero() {
		return inputError("magiclink: grant a session: the link was not redeemed: pass what Redeem has returned")
	}
	for _, text := range []string{redeemed.TenantID, redeemed.BusinessID, redeemed.ExternalBusinessID, redeemed.Email} {
		if !utf8.ValidString(text) {
			return inputError("magiclink: grant a session: the redemption holds text that is not UTF-8")
		}
	}
	if redeemed.SessionTimeout < time.Second || redeemed.SessionTimeout > maxSessionTimeout*time.Second {
		return inputError("magiclink: grant a session: the redemption's SessionTimeout is not between 1 and 7948800 seconds")
	}
	return nil
}

func (s *Sessions) claims(session Session) []byte {
	buf := strictjson.AppendString([]byte(`{"iss":`), s.settings.Issuer)
	buf = appendText(buf, "aud", s.audience)
	buf = appendText(buf, "jti", session.ID)
	buf = appendTime(buf, "iat", session.CreatedAt.Unix())
	buf = appendTime(buf, "exp", session.ExpiresAt.Unix())
	for _, claim := range [][2]string{
		{"sub", subjectName(session.Subject)},
		{"tenant_id", session.TenantID},
		{"business_id", session.BusinessID},
		{"external_business_id", session.ExternalBusinessID},
		{"email", session.Email},
	} {
		if claim[1] != "" {
			buf = appendText(buf, claim[0], claim[1])
		}
	}
	return append(buf, '}')
}

// subjectName is the "sub" of a session (RFC 7519 section 4.1.2): the same for each session of a subject, and another for
// every other subject. It is a digest because it stands in a cookie beside the subject itself, which can be long.
func subjectName(s Subject) string {
	digest := digestOf(s.TenantID, s.BusinessID, s.ExternalBusinessID, s.Email)
	return base64.RawURLEncoding.EncodeToString(digest[:16])
}

// Verify recognises a session by its token. With a Store it looks whether the session has ended, at most once in
// [Config.SessionRecheck] for each session.
//
// For a token without a current session Verify returns [ErrInvalidToken], whatever the reason. It
// returns [ErrUnavailable] if the store fails or the context ends: nobody knows then whether the session lasts, so let
// nobody in.
func (s *Sessions) Verify(ctx context.Context, token string) (Session, error) {
	if !s.ready() {
		return Session{}, errNoSessions
	}
	now := s.settings.Now()
	c, err := s.settings.SessionKeys.verify(token, expectation{
		kind: jose.Session, issuer: s.settings.Issuer, audience: s.audience, now: now, leeway: s.settings.Leeway,
	})
	if err != nil || !validID(prefixSession, c.id) {
		return Session{}, ErrInvalidToken
	}
	session := Session{
		ID: c.id, MagicLinkID: prefixLink + strings.TrimPrefix(c.id, prefixSession),
		Subject: Subject{
			TenantID: c.tenant, BusinessID: c.business, ExternalBusinessID: c.externalBusiness, Email: c.email,
		},
		CreatedAt: time.Unix(c.issued, 0).UTC(), ExpiresAt: time.Unix(c.expires, 0).UTC(),
	}
	if session.Device, err = s.lasts(ctx, session, now); err != nil {
		return Session{}, err
	}
	return session, nil
}

// lasts looks whether the session's record is there, used and not revoked, and returns its device.
func (s *Sessions) lasts(ctx context.Context, session Session, now time.Time) (device string, _ error) {
	if s.settings.Store == nil {
		return "", nil
	}
	device, recent, ends := s.recent.has(session.ID, now)
	if recent {
		return device, nil
	}
	if err := ctx.Err(); err != nil {
		return "", unavailable("look the session up", err)
	}
	record, err := s.settings.Store.Get(ctx, session.MagicLinkID)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", ErrInvalidToken
	case err != nil:
		return "", unavailable("look the session up", err)
	case record.ID != session.MagicLinkID || record.ConsumedAt.IsZero() || !record.RevokedAt.IsZero():
		return "", ErrInvalidToken
	}
	device = record.device()
	s.recent.put(session.ID, device, now, ends)
	return device, nil
}

// End ends a session for every copy of its token, by revoking the record of its link. Ending a session again succeeds.
//
// Each Sessions value remembers its own looks: where SessionRecheck is set, other values, in this process and in others, may
// accept the session for that much longer. End trusts its argument. Errors: [ErrNoStore] without
// a Store; [ErrUnavailable] if the store fails: the session still lasts then, unless the error matches
// [ErrUnknownOutcome]; and an error for a Session whose ID and MagicLinkID do not belong together.
func (s *Sessions) End(ctx context.Context, session Session) error {
	if !s.ready() {
		return errNoSessions
	}
	began, now := s.settings.observer.began(), s.settings.Now()
	err := s.end(ctx, session, now)
	s.settings.observer.tell(ctx, eventOf(OpEnd, now, session.Subject, session.MagicLinkID, err), began)
	return err
}

func (s *Sessions) end(ctx context.Context, session Session, now time.Time) error {
	if s.settings.Store == nil {
		return ErrNoStore
	}
	if !validID(prefixLink, session.MagicLinkID) || session.ID != sessionID(session.MagicLinkID) {
		return inputError("magiclink: end a session: pass what Grant or Verify has returned")
	}
	err := s.settings.Store.Revoke(ctx, session.MagicLinkID, now)
	s.recent.drop(session.ID)
	if err == nil || errors.Is(err, ErrNotFound) { // a record that is gone is no session
		return nil
	}
	return unavailable("end the session", err)
}
