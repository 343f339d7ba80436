package magiclink

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/magiclink-go/magiclink/internal/jose"
	"github.com/magiclink-go/magiclink/internal/strictjson"
)

// maxTime is the latest time in Unix seconds that a verifier reads: twelve digits.
const maxTime = 999_999_999_999

// maxLeeway bounds how far clocks may differ.
const maxLeeway = time.Minute

// claims are the members of a token's payload that we know. Their names are fixed here; callers never choose one.
type claims struct {
	issuer   string
	audience []string
	id       string
	issued   int64 // Unix seconds, like expires and notBefore
	expires  int64

	hasIssued, hasExpires bool
	notBefore             int64

	subject, clientID, scope string // access tokens alone
	tenant, business         string // access tokens and sessions
	externalBusiness, email  string // sessions alone
}

var errClaim = errors.New("claim of the wrong type")

func parseClaims(text []byte) (*claims, error) {
	c := new(claims)
	err := strictjson.Object(text, func(name []byte, value strictjson.Value) error {
		if !c.set(string(name), value) {
			return errClaim
		}
		return nil
	})
	return c, err
}

// set stores one member and reports whether it has the right type. It ignores unknown members, so that a later version may
// add one.
func (c *claims) set(name string, value strictjson.Value) (ok bool) {
	switch name {
	case "iss":
		return setText(&c.issuer, value)
	case "aud":
		return c.setAudience(value)
	case "jti":
		return setText(&c.id, value)
	case "iat":
		c.issued, ok = value.UnixTime()
		c.hasIssued = ok
		return ok
	case "exp":
		c.expires, ok = value.UnixTime()
		c.hasExpires = ok
		return ok
	case "nbf":
		c.notBefore, ok = value.UnixTime()
		return ok
	case "sub":
		return setText(&c.subject, value)
	case "client_id":
		return setText(&c.clientID, value)
	case "scope":
		return setText(&c.scope, value)
	case "tenant_id":
		return setText(&c.tenant, value)
	case "business_id":
		return setText(&c.business, value)
	case "external_business_id":
		return setText(&c.externalBusiness, value)
	case "email":
		return setText(&c.email, value)
	}
	return true
}

func setText(to *string, value strictjson.Value) bool {
	*to = value.Text()
	return value.Kind == strictjson.String
}

// setAudience accepts one audience or a list of audiences (RFC 7519 section 4.1.3).
func (c *claims) setAudience(value strictjson.Value) bool {
	if value.Kind == strictjson.String {
		c.audience = []string{value.Text()}
		return true
	}
	texts := true
	list := value.Elements(func(element strictjson.Value) bool {
		c.audience = append(c.audience, element.Text())
		texts = texts && element.Kind == strictjson.String
		return texts
	})
	return list && texts
}

// expectation is what a verifier demands of every token.
type expectation struct {
	kind             jose.Kind
	issuer, audience string
	now              time.Time
	leeway           time.Duration
}

// verify checks signature, kind, issuer, audience and times, and returns the claims. A token is expired from the second
// of its exp on (RFC 7519 section 4.1.4). The time of issue may be ahead of our clock: it grants nothing, and the clocks of
// two machines always differ a little.
//
// It returns ErrExpired and the claims for a token that is valid but for its age, and ErrInvalidToken for every other token
// that is not valid now.
func (k *Keyring) verify(token string, want expectation) (*claims, error) {
	c, err := k.load().claims(token, want.kind)
	if err != nil || !c.meets(want) {
		return nil, ErrInvalidToken
	}
	if !want.now.Add(-want.leeway).Before(time.Unix(c.expires, 0)) {
		return c, ErrExpired
	}
	return c, nil
}

// claims returns the claims of a token of the kind that a key of the ring has signed. The caller must not change them.
func (r *ring) claims(token string, kind jose.Kind) (*claims, error) {
	if kind == jose.Link || len(token) > jose.MaxToken {
		return r.read(token, kind)
	}
	key := keyOf(kind, token)
	if c := r.verified.get(key); c != nil {
		return c, nil
	}
	c, err := r.read(token, kind)
	if err == nil {
		r.verified.put(key, c)
	}
	return c, err
}

func (r *ring) read(token string, kind jose.Kind) (*claims, error) {
	text, err := jose.Verify(token, kind, r.keys)
	if err != nil {
		return nil, err
	}
	return parseClaims(text)
}

func (c *claims) meets(want expectation) bool {
	return c.issuer != "" && c.issuer == want.issuer &&
		slices.Contains(c.audience, want.audience) &&
		c.id != "" && c.hasIssued && c.hasExpires && c.issued <= c.expires &&
		!want.now.Add(want.leeway).Before(time.Unix(c.notBefore, 0))
}

func appendText(buf []byte, name, text string) []byte {
	buf = append(append(append(buf, ',', '"'), name...), '"', ':')
	return strictjson.AppendString(buf, text)
}

func appendTime(buf []byte, name string, seconds int64) []byte {
	buf = append(append(append(buf, ',', '"'), name...), '"', ':')
	return strconv.AppendInt(buf, seconds, 10)
}
