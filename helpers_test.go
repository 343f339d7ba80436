package magiclink_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

const (
	baseURL    = "https://app.example.com/magic"
	origin     = "https://app.example.com"
	businessA  = "biz_GA6EG2qFxA97NZHtxeLPUy"
	businessB  = "biz_2kPn8QxYw2TzB4vR7sHd3e"
	idAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
)

// noon is where the clock of most tests stands. It is not a whole second on purpose.
var noon = time.Date(2026, 3, 14, 12, 0, 7, 891_234_567, time.UTC)

// seededKey is the same Ed25519 key in every run.
func seededKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("a fixed seed of thirty-two bytes"))
}

func seededKeyring(tb testing.TB) *magiclink.Keyring {
	tb.Helper()
	keys, err := magiclink.NewKeyring(seededKey())
	require.NoError(tb, err)
	return keys
}

// fullInput has every field but the Extension.
var fullInput = magiclink.MagicLinkCreate{
	Caller: caller("tenant-1", ""), BusinessID: businessA, ExternalBusinessID: "shop-7", TTL: 10, SessionTimeout: 3600,
	Email: "jane@example.com", Path: "/reports?y=1#top",
}

func caller(tenantID, businessID string) magiclink.Caller {
	return magiclink.Caller{TenantID: tenantID, BusinessID: businessID}
}

// fixture is an Issuer, a Redeemer and Sessions of one Config, with what stands behind them.
type fixture struct {
	*magiclink.Issuer
	*magiclink.Redeemer
	sessions *magiclink.Sessions
	config   magiclink.Config
	store    *tapStore
	clock    *clock
	told     *recorder
	log      *lockedBuffer
}

// newFixture makes a fixture on a new memory store. Change may alter its Config.
func newFixture(tb testing.TB, change ...func(*magiclink.Config)) fixture {
	tb.Helper()
	return newFixtureOn(tb, memory.New(), change...)
}

func newFixtureOn(tb testing.TB, store magiclink.Store, change ...func(*magiclink.Config)) fixture {
	tb.Helper()
	f := fixture{
		store: &tapStore{Store: store}, clock: &clock{now: noon}, told: new(recorder), log: new(lockedBuffer),
	}
	f.config = magiclink.Config{
		BaseURL:    baseURL,
		Keys:       seededKeyring(tb),
		Store:      f.store,
		Businesses: magiclink.AnyBusiness,
		Now:        f.clock.Now,
		Logger:     slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnEvent:    f.told.take,
	}
	for _, c := range change {
		c(&f.config)
	}
	var err error
	f.Issuer, err = magiclink.New(f.config)
	require.NoError(tb, err)
	f.Redeemer, err = magiclink.NewRedeemer(f.config)
	require.NoError(tb, err)
	f.sessions, err = magiclink.NewSessions(f.config)
	require.NoError(tb, err)
	return f
}

// link issues a link and returns its token and its id.
func (f fixture) link(tb testing.TB, in magiclink.MagicLinkCreate) (token, id string) {
	tb.Helper()
	response, err := f.Issue(tb.Context(), in)
	require.NoError(tb, err)
	return tokenOf(tb, response.MagicLink), response.MagicLinkID
}

// redeemed issues a link with every field and redeems it.
func (f fixture) redeemed(tb testing.TB) magiclink.Redemption {
	tb.Helper()
	token, _ := f.link(tb, fullInput)
	redeemed, err := f.Redeem(tb.Context(), token)
	require.NoError(tb, err)
	return redeemed
}

// granted issues a link, redeems it and grants the session.
func (f fixture) granted(tb testing.TB) (token string, session magiclink.Session) {
	tb.Helper()
	token, session, err := f.sessions.Grant(tb.Context(), f.redeemed(tb))
	require.NoError(tb, err)
	return token, session
}

// record returns what the store has of a link.
func (f fixture) record(tb testing.TB, id string) magiclink.Record {
	tb.Helper()
	record, err := f.store.Store.Get(tb.Context(), id)
	require.NoError(tb, err)
	return record
}

// clock is a clock that stands still unless it has a step.
type clock struct {
	mu   sync.Mutex
	now  time.Time
	step time.Duration // added at each reading
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now
	c.now = now.Add(c.step)
	return now
}

func (c *clock) set(moment time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = moment
}

// recorder keeps the events that it is told, with Took apart: that one depends on the machine.
type recorder struct {
	mu     sync.Mutex
	events []magiclink.Event
	took   []time.Duration
}

func (r *recorder) take(_ context.Context, event magiclink.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, event.Took)
	event.Took = 0
	r.events = append(r.events, event)
}

// last returns the newest event.
func (r *recorder) last(tb testing.TB) magiclink.Event {
	tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.NotEmpty(tb, r.events)
	return r.events[len(r.events)-1]
}

// fieldsOf returns "field:rule" of each fault of an error that must be FieldErrors.
func fieldsOf(tb testing.TB, err error) []string {
	tb.Helper()
	var faults magiclink.FieldErrors
	require.ErrorAs(tb, err, &faults)
	require.NotEmpty(tb, faults)
	var list []string
	for _, fault := range faults {
		require.NotEmpty(tb, fault.Message)
		list = append(list, fault.Field+":"+fault.Rule)
	}
	return list
}

// tokenOf cuts the token out of a link.
func tokenOf(tb testing.TB, link string) string {
	tb.Helper()
	_, token, ok := strings.Cut(link, "token=")
	require.True(tb, ok, "the link has a token")
	token, _, _ = strings.Cut(token, "#")
	return token
}

// part decodes one part of a compact token as a JSON object.
func part(tb testing.TB, token string, n int) map[string]any {
	tb.Helper()
	parts := strings.Split(token, ".")
	require.Len(tb, parts, 3)
	text, err := base64.RawURLEncoding.DecodeString(parts[n])
	require.NoError(tb, err)
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var members map[string]any
	require.NoError(tb, decoder.Decode(&members))
	return members
}

// craft makes a compact token of any header and payload, signed with the key.
func craft(key ed25519.PrivateKey, header, payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(payload))
	return signed + "." + encode(ed25519.Sign(key, []byte(signed)))
}
