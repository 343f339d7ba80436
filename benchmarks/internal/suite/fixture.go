package suite

import (
	"crypto/ed25519"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/jose"
)

const (
	baseURL  = "https://app.example.com/magic"
	origin   = "https://app.example.com"
	business = "biz_GA6EG2qFxA97NZHtxeLPUy"
)

func seededKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("a fixed seed of thirty-two bytes"))
}

func input() magiclink.MagicLinkCreate {
	return magiclink.MagicLinkCreate{
		Caller: magiclink.Caller{TenantID: "t1"}, BusinessID: business, ExternalBusinessID: "acme", TTL: 15, SessionTimeout: 3600,
		Email: "jane@example.com", Path: "/reports?year=2026",
	}
}

// pair is an issuer and a redeemer on one store.
type pair struct {
	issuer   *magiclink.Issuer
	redeemer *magiclink.Redeemer
}

func newPair(store magiclink.Store) (p pair, err error) {
	keys, err := magiclink.NewKeyring(seededKey())
	if err != nil {
		return p, err
	}
	config := magiclink.Config{BaseURL: baseURL, Keys: keys, Store: store, Businesses: magiclink.AnyBusiness}
	if p.issuer, err = magiclink.New(config); err != nil {
		return p, err
	}
	p.redeemer, err = magiclink.NewRedeemer(config)
	return p, err
}

// minter mints tokens for records that nobody has issued, as an Issuer does.
type minter struct{ key *jose.Key }

func newMinter() (minter, error) {
	key, err := jose.NewKey("", seededKey())
	return minter{key}, err
}

func (m minter) claims(id string, now time.Time) []byte {
	return fmt.Appendf(nil, `{"iss":"%s","aud":"%s#magic-link","jti":"%s","iat":%d,"exp":%d}`,
		origin, origin, id, now.Unix(), now.Add(15*time.Minute).Unix())
}

func (m minter) mint(id string, now time.Time) (string, error) {
	token, err := m.key.AppendSigned(nil, jose.Link, m.claims(id, now))
	return string(token), err
}

// filledID is the id of the nth record that fill has made: its octal digits in the alphabet of ids.
func filledID(n int) string {
	digits := strconv.FormatInt(int64(n), 8)
	digits = strings.Repeat("0", 22-len(digits)) + digits
	return "mlk_" + strings.Map(func(digit rune) rune { return digit + 2 }, digits)
}

// tokenOf cuts the token out of a link, or out of an answer that holds one.
func tokenOf(text string) string {
	_, token, _ := strings.Cut(text, "token=")
	token, _, _ = strings.Cut(token, `"`)
	return token
}
