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

// fixture is an Issuer with what stands behind it.
type fixture struct {
	*magiclink.Issuer
	store *memory.Store
	clock *clock
	told  *recorder
}

// newFixture makes an Issuer of a working configuration, which change may alter.
func newFixture(tb testing.TB, change ...func(*magiclink.Config)) fixture {
	tb.Helper()
	f := fixture{store: memory.New(), clock: &clock{now: noon}, told: new(recorder)}
	config := magiclink.Config{
		BaseURL: baseURL,
		Keys:    seededKeyring(tb),
		Store:   f.store,
		Now:     f.clock.Now,
		Logger:  slog.New(slog.DiscardHandler),
		OnEvent: f.told.take,
	}
	for _, c := range change {
		c(&config)
	}
	issuer, err := magiclink.New(config)
	require.NoError(tb, err)
	f.Issuer = issuer
	return f
}

// clock is a clock that stands still unless it is told to step.
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

// recorder keeps the events it is told.
type recorder struct {
	mu     sync.Mutex
	events []magiclink.Event
}

func (r *recorder) take(_ context.Context, event magiclink.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event)
}

// brokenStore fails every call with one error and counts them.
type brokenStore struct {
	magiclink.Store
	err   error
	calls int
}

func (s *brokenStore) Create(context.Context, magiclink.Record) error { s.calls++; return s.err }
func (s *brokenStore) Get(context.Context, string) (magiclink.Record, error) {
	s.calls++
	return magiclink.Record{}, s.err
}

// fieldsOf returns "field:rule" of each fault of an error that must be FieldErrors.
func fieldsOf(tb testing.TB, err error) []string {
	tb.Helper()
	var faults magiclink.FieldErrors
	require.ErrorAs(tb, err, &faults)
	require.NotEmpty(tb, faults)
	var list []string
	for fault := range faults.All() {
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

// craft makes a compact token by hand: whatever header and payload, signed with the key.
func craft(key ed25519.PrivateKey, header, payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(payload))
	return signed + "." + encode(ed25519.Sign(key, []byte(signed)))
}
