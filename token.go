package magiclink

import (
	"time"

	"github.com/magiclink-go/magiclink/internal/jose"
	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// linkTokens mints and verifies the tokens of links. A token holds the id of its record, its issuer, its audience and its
// times. The subject stays in the store, so a link that leaks names nobody.
type linkTokens struct {
	keys     *Keyring
	issuer   string
	audience string
	prefix   []byte // the claims before the id: the same in all tokens
}

// linkAudience derives the audience of links from the audience of the configuration. Each kind of token has its own
// audience. An access token never has the audience of a link, since a resource indicator has no fragment (RFC 8707 section 2).
func linkAudience(audience string) string { return audience + "#magic-link" }

func newLinkTokens(keys *Keyring, issuer, audience string) linkTokens {
	t := linkTokens{keys: keys, issuer: issuer, audience: linkAudience(audience)}
	t.prefix = strictjson.AppendString([]byte(`{"iss":`), t.issuer)
	t.prefix = appendText(t.prefix, "aud", t.audience)
	return t
}

// verify returns the id of a token's record, and when the token expires. It returns both with ErrExpired as well.
func (t *linkTokens) verify(token string, now time.Time, leeway time.Duration) (id string, expires time.Time, err error) {
	c, err := t.keys.verify(token, expectation{
		kind: jose.Link, issuer: t.issuer, audience: t.audience, now: now, leeway: leeway,
	})
	if c == nil || !validID(prefixLink, c.id) {
		return "", time.Time{}, ErrInvalidToken
	}
	return c.id, time.Unix(c.expires, 0), err
}

// appendClaims appends the claims of a link's token. Ids are of our alphabet and need no escaping.
func (t *linkTokens) appendClaims(buf []byte, record *Record) []byte {
	buf = append(buf, t.prefix...)
	buf = append(append(append(buf, `,"jti":"`...), record.ID...), '"')
	buf = appendTime(buf, "iat", record.CreatedAt.Unix())
	buf = appendTime(buf, "exp", record.ExpiresAt.Unix())
	return append(buf, '}')
}
