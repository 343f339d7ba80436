package magiclink_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// Where several verdicts hold, the first of revoked, consumed, expired is given; and the same by is never told "consumed".
func TestVerdict(t *testing.T) {
	end := noon.Add(time.Minute)
	for name, test := range map[string]struct {
		consumedBy    string // "-": not consumed
		revoked       bool
		at            time.Time
		by            string
		want, another error // another is the verdict for another by
	}{
		"live":                        {"-", false, noon, "a", nil, nil},
		"live, empty by":              {"-", false, noon, "", nil, nil},
		"the last moment":             {"-", false, end.Add(-1), "a", nil, nil},
		"expired":                     {"-", false, end, "a", magiclink.ErrExpired, magiclink.ErrExpired},
		"expired, empty by":           {"-", false, end.Add(1), "", magiclink.ErrExpired, magiclink.ErrExpired},
		"consumed, same by":           {"a", false, noon, "a", nil, magiclink.ErrConsumed},
		"same by at the end":          {"a", false, end, "a", nil, magiclink.ErrConsumed},
		"same by long after the end":  {"a", false, end.AddDate(1, 0, 0), "a", nil, magiclink.ErrConsumed},
		"consumed by nobody, empty":   {"", false, noon, "", magiclink.ErrConsumed, magiclink.ErrConsumed},
		"consumed by a, empty":        {"a", false, noon, "", magiclink.ErrConsumed, magiclink.ErrConsumed},
		"consumed by a, upper case":   {"a", false, noon, "A", magiclink.ErrConsumed, magiclink.ErrConsumed},
		"consumed by a, longer":       {"a", false, noon, "a\x00", magiclink.ErrConsumed, magiclink.ErrConsumed},
		"consumed and expired":        {"a", false, end, "", magiclink.ErrConsumed, magiclink.ErrConsumed},
		"revoked":                     {"-", true, noon, "a", magiclink.ErrRevoked, magiclink.ErrRevoked},
		"revoked and expired":         {"-", true, end, "a", magiclink.ErrRevoked, magiclink.ErrRevoked},
		"revoked, same by":            {"a", true, noon, "a", magiclink.ErrRevoked, magiclink.ErrRevoked},
		"revoked, consumed, expired":  {"a", true, end, "", magiclink.ErrRevoked, magiclink.ErrRevoked},
		"revoked before its creation": {"-", true, noon.Add(-time.Hour), "", magiclink.ErrRevoked, magiclink.ErrRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			record := magiclink.Record{ExpiresAt: end}
			if test.consumedBy != "-" {
				record.ConsumedAt, record.ConsumedBy = noon, test.consumedBy
			}
			if test.revoked {
				record.RevokedAt = noon
			}
			require.Equal(t, test.want, record.Verdict(test.at, test.by), "the bare error")
			require.Equal(t, test.another, record.Verdict(test.at, "somebody else"))
		})
	}
}

// A by alone does not make a record consumed.
func TestVerdictOfARecordThatWasNotConsumed(t *testing.T) {
	record := magiclink.Record{ExpiresAt: noon, ConsumedBy: "a"}
	require.Equal(t, magiclink.ErrExpired, record.Verdict(noon, "a"))
	require.NoError(t, record.Verdict(noon.Add(-1), "a"))
}

func TestCanonical(t *testing.T) {
	far := time.FixedZone("far", 13*60*60)
	for name, test := range map[string]struct{ time, want time.Time }{
		"zero":             {time.Time{}, time.Time{}},
		"zero elsewhere":   {time.Time{}.In(far), time.Time{}},
		"whole":            {noon.Truncate(time.Millisecond), noon.Truncate(time.Millisecond)},
		"finer":            {noon, time.Date(2026, 3, 14, 12, 0, 7, 891_000_000, time.UTC)},
		"the last instant": {time.Date(2026, 3, 14, 12, 0, 7, 999_999_999, far), time.Date(2026, 3, 13, 23, 0, 7, 999_000_000, time.UTC)},
		"before 1970":      {time.Unix(-1, 999_999), time.Unix(-1, 0).UTC()}, // towards the past, not towards 1970
		"1970":             {time.Unix(0, 1), time.Unix(0, 0).UTC()},
		"after the zero":   {time.Time{}.Add(time.Millisecond - 1), time.Time{}}, // which means "not set" then
	} {
		t.Run(name, func(t *testing.T) {
			got := magiclink.Record{CreatedAt: test.time, ExpiresAt: test.time, ConsumedAt: test.time, RevokedAt: test.time}.Canonical()
			for _, moment := range []time.Time{got.CreatedAt, got.ExpiresAt, got.ConsumedAt, got.RevokedAt} {
				require.Equal(t, map[time.Time]bool{test.want: true}, map[time.Time]bool{moment: true}, "equal by ==, as keys are")
			}
		})
	}
	for timeout, want := range map[time.Duration]time.Duration{
		0: 0, 1: 0, time.Second - 1: 0, time.Second: time.Second, 90*time.Second + 1: 90 * time.Second,
	} {
		require.Equal(t, want, magiclink.Record{SessionTimeout: timeout}.Canonical().SessionTimeout)
	}
}

// For any record: the canonical form is a form of its own, == compares it, and everything that is no time stays.
func TestCanonicalProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	moment := func() time.Time {
		switch random.IntN(4) {
		case 0:
			return time.Time{}
		case 1:
			return time.Now().Add(time.Duration(random.Int64N(1e18)) - 5e17) // with a reading of the monotonic clock
		}
		zone := time.FixedZone("zone", random.IntN(86400)-43200)
		return time.Unix(random.Int64N(4e9)-2e9, random.Int64N(1e9)).In(zone)
	}
	for range 5000 {
		record := magiclink.Record{
			ID: "mlk_x", Subject: magiclink.Subject{TenantID: "t", BusinessID: "b", ExternalBusinessID: "e", Email: "m"},
			Path: "/p", SessionTimeout: time.Duration(random.Int64N(1e15)), Extension: "\xff\x00", ConsumedBy: "by",
			CreatedAt: moment(), ExpiresAt: moment(), ConsumedAt: moment(), RevokedAt: moment(),
		}
		canonical := record.Canonical()
		require.True(t, canonical == canonical.Canonical(), "idempotent, with ==")
		elsewhere := record
		for _, at := range []*time.Time{&elsewhere.CreatedAt, &elsewhere.ExpiresAt, &elsewhere.ConsumedAt, &elsewhere.RevokedAt} {
			*at = at.Round(0).In(time.FixedZone("elsewhere", 3600)) // Round strips the monotonic reading
		}
		require.True(t, canonical == elsewhere.Canonical(), "two records of the same moments are ==")

		for i, pair := range [][2]time.Time{
			{record.CreatedAt, canonical.CreatedAt},
			{record.ExpiresAt, canonical.ExpiresAt},
			{record.ConsumedAt, canonical.ConsumedAt},
			{record.RevokedAt, canonical.RevokedAt},
		} {
			lost := pair[0].Sub(pair[1])
			require.True(t, 0 <= lost && lost < time.Millisecond, "time %d: %v became %v", i, pair[0], pair[1])
			require.Equal(t, pair[0].IsZero(), pair[1].IsZero())
			require.Zero(t, pair[1].Nanosecond()%1e6)
			require.Equal(t, time.UTC, pair[1].Location())
		}
		require.Zero(t, canonical.SessionTimeout%time.Second)
		require.Less(t, record.SessionTimeout-canonical.SessionTimeout, time.Second)

		record.CreatedAt, record.ExpiresAt, record.ConsumedAt, record.RevokedAt, record.SessionTimeout = canonical.CreatedAt,
			canonical.ExpiresAt, canonical.ConsumedAt, canonical.RevokedAt, canonical.SessionTimeout
		require.True(t, record == canonical, "all else is as it was")
	}
}

func TestEnd(t *testing.T) {
	base := magiclink.Record{ExpiresAt: noon, SessionTimeout: time.Hour}
	used := base
	used.ConsumedAt = noon.Add(-time.Second)
	revoked := base
	revoked.RevokedAt = noon.Add(-time.Minute)
	ended := used
	ended.RevokedAt = noon.Add(time.Minute)
	short := used
	short.SessionTimeout = 0
	for name, test := range map[string]struct {
		record magiclink.Record
		want   time.Time
	}{
		"unused":                 {base, noon},
		"consumed":               {used, noon.Add(-time.Second).Add(time.Hour)},
		"revoked":                {revoked, noon},
		"consumed, then revoked": {ended, noon},
		"zero":                   {magiclink.Record{}, time.Time{}},
		"no session":             {short, noon.Add(-time.Second)},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, test.record.End()) })
	}
}
