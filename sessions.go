package magiclink

import (
	"errors"
	"time"
	"unicode/utf8"

	"github.com/magiclink-go/magiclink/internal/jose"
	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// SessionsConfig is what [Sessions] are made from.
type SessionsConfig struct {
	BaseURL          string           // the magic link route, the same as in the Config of the issuer. Required
	Keys             *Keyring         // signs and verifies sessions; to verify, public keys are enough. Required
	Issuer, Audience string           // empty means the origin of BaseURL
	Leeway           time.Duration    // how far clocks may differ, from 0 to one minute
	Now              func() time.Time // the clock; nil means time.Now
}

// Sessions grants sessions and recognises them again. A session is a signed token that says everything about itself: no
// store is asked, and it lasts until it expires. Whoever has to end sessions earlier keeps them in a store of their own
// and takes the [Redemption] instead. It is safe for concurrent use; the zero value recognises nothing.
type Sessions struct {
	keys             *Keyring
	issuer, audience string
	leeway           time.Duration
	now              func() time.Time
}

// Session is what a redemption grants.
type Session struct {
	ID                 string // "ses_" and 22 characters; new for each session
	MagicLinkID        string // the link that it came from
	TenantID           string
	BusinessID         string
	ExternalBusinessID string
	Email              string
	CreatedAt          time.Time // UTC, a whole second
	ExpiresAt          time.Time // the first second at which the session is over
}

// NewSessions reports every fault of the configuration at once, as [ConfigErrors].
func NewSessions(config SessionsConfig) (*Sessions, error) {
	var faults ConfigErrors
	to := checkRoute(&faults, config.BaseURL)
	checkKeys(&faults, config.Keys)
	checkLeeway(&faults, config.Leeway)
	checkNames(&faults, config.Issuer, config.Audience)
	defaults := Config{Issuer: config.Issuer, Audience: config.Audience, Now: config.Now}.withDefaults(to)
	if len(faults) == 0 && len(defaults.Issuer)+len(defaults.Audience) > maxSessionNames {
		faults.Add("Issuer", "and Audience must be at most 240 bytes together, so that every session fits into a cookie")
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return &Sessions{
		keys: config.Keys, issuer: defaults.Issuer, audience: sessionAudience(defaults.Audience),
		leeway: config.Leeway, now: defaults.Now,
	}, nil
}

// maxSessionNames leaves room in the 4096 bytes of a cookie for the longest names that a session can have.
const maxSessionNames = 240

// CanGrant reports whether there is a key that signs, so that Grant can succeed.
func (s *Sessions) CanGrant() bool { return s != nil && s.keys.CanSign() }

// sessionAudience is to sessions what linkAudience is to links.
func sessionAudience(audience string) string { return audience + "#session" }

// Grant starts the session that a redemption stands for, now, and returns it with its token. The token is a credential:
// put it into a cookie that scripts cannot read, and do not log it. SessionTimeout counts in whole seconds. It returns
// [ErrNoSigningKey] if the keys are public, and an error for a Redemption that no Redeemer has made.
func (s *Sessions) Grant(redeemed Redemption) (token string, session Session, err error) {
	if s == nil || s.keys == nil {
		return "", Session{}, errNoSessions
	}
	if err := grantable(redeemed); err != nil {
		return "", Session{}, err
	}
	now := s.now().UTC()
	created := now.Truncate(time.Second)
	session = Session{
		ID: newID(prefixSession, now), MagicLinkID: redeemed.MagicLinkID, TenantID: redeemed.TenantID,
		BusinessID: redeemed.BusinessID, ExternalBusinessID: redeemed.ExternalBusinessID, Email: redeemed.Email,
		CreatedAt: created, ExpiresAt: created.Add(redeemed.SessionTimeout.Truncate(time.Second)),
	}
	token, err = s.keys.sign(jose.Session, s.claims(session))
	if err == nil && len(token) > jose.MaxToken {
		err = ErrTokenTooLong
	}
	if err != nil {
		return "", Session{}, err
	}
	return token, session, nil
}

func grantable(redeemed Redemption) error {
	for _, text := range []string{
		redeemed.MagicLinkID, redeemed.TenantID, redeemed.BusinessID, redeemed.ExternalBusinessID, redeemed.Email,
	} {
		if !utf8.ValidString(text) {
			return errors.New("magiclink: grant a session: the redemption holds text that is not UTF-8")
		}
	}
	if redeemed.SessionTimeout < time.Second || redeemed.SessionTimeout > maxSessionTimeout*time.Second {
		return errors.New("magiclink: grant a session: the redemption's SessionTimeout is not between 1 and 7948800 seconds")
	}
	return nil
}

var errNoSessions = errors.New("magiclink: these Sessions were not made by NewSessions")

func (s *Sessions) claims(session Session) []byte {
	buf := strictjson.AppendString([]byte(`{"iss":`), s.issuer)
	buf = appendText(buf, "aud", s.audience)
	buf = appendText(buf, "jti", session.ID)
	buf = appendTime(buf, "iat", session.CreatedAt.Unix())
	buf = appendTime(buf, "exp", session.ExpiresAt.Unix())
	for _, claim := range [][2]string{
		{"magic_link_id", session.MagicLinkID},
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

// Verify recognises a session by its token. For every token that is not that of a session which lasts now it returns
// [ErrInvalid], whatever the reason.
func (s *Sessions) Verify(token string) (Session, error) {
	if s == nil || s.keys == nil {
		return Session{}, ErrInvalid
	}
	c, err := s.keys.verify(token, expectation{
		kind: jose.Session, issuer: s.issuer, audience: s.audience, now: s.now(), leeway: s.leeway,
	})
	if err != nil || !validID(prefixSession, c.id) {
		return Session{}, ErrInvalid
	}
	return Session{
		ID: c.id, MagicLinkID: c.link, TenantID: c.tenant, BusinessID: c.business, ExternalBusinessID: c.externalBusiness,
		Email: c.email, CreatedAt: time.Unix(c.issued, 0).UTC(), ExpiresAt: time.Unix(c.expires, 0).UTC(),
	}, nil
}
