package magiclink

import (
	"time"

	"github.com/magiclink-go/magiclink/internal/jose"
	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// linkTokens mints and verifies the tokens of links. Such a token says which record it stands for, who made it, for
// what and until when; whom it signs in stays in the store, so a link that leaks names nobody.
type linkTokens struct {
	keys     *Keyring
	issuer   string
	audience string
	prefix   []byte // the claims up to the id, which are the same in all tokens
}

// linkAudience is the audience of links below that of the configuration. Each kind of token has its own. The fragment
// keeps it apart from every audience of an access token, since a resource indicator has none (RFC 8707 section 2).
func linkAudience(audience string) string { return audience + "#magic-link" }

func newLinkTokens(keys *Keyring, issuer, audience string) linkTokens {
	t := linkTokens{keys: keys, issuer: issuer, audience: linkAudience(audience)}
	t.prefix = strictjson.AppendString([]byte(`{"iss":`), t.issuer)
	t.prefix = appendText(t.prefix, "aud", t.audience)
	return t
}

// verify returns the id of the record that a token stands for, and when it expires. With ErrExpired it returns them, too.
func (t *linkTokens) verify(token string, now time.Time, leeway time.Duration) (id string, expires time.Time, err error) {
	c, err := t.keys.verify(token, expectation{
		kind: jose.Link, issuer: t.issuer, audience: t.audience, now: now, leeway: leeway,
	})
	if c == nil || !validID(prefixLink, c.id) {
		return "", time.Time{}, ErrInvalid
	}
	return c.id, time.Unix(c.expires, 0), err
}

// appendClaims appends what a token says. Ids are of our alphabet and need no escaping.
func (t *linkTokens) appendClaims(buf []byte, record *Record) []byte {
	buf = append(buf, t.prefix...)
	buf = append(append(append(buf, `,"jti":"`...), record.ID...), '"')
	buf = appendTime(buf, "iat", record.CreatedAt.Unix())
	buf = appendTime(buf, "exp", record.ExpiresAt.Unix())
	return append(buf, '}')
}
