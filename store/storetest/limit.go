package storetest

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/magiclink-go/magiclink"
)

// fiveAMinute grants five at once and then one in each 12 seconds.
var fiveAMinute = magiclink.Rate{Burst: 5, Every: 12 * time.Second}

func mustTake(t tester, l magiclink.Limiter, key string, rate magiclink.Rate, at time.Time) (retryAfter time.Duration) {
	t.Helper()
	retryAfter, err := l.Take(t.Context(), key, rate, at)
	if err != nil {
		t.Fatalf("Take must succeed; got %v", err)
	}
	return retryAfter
}

// granted takes n times at one moment and returns how many were granted.
func granted(t tester, l magiclink.Limiter, key string, rate magiclink.Rate, at time.Time, n int) (granted int) {
	t.Helper()
	for range n {
		if mustTake(t, l, key, rate, at) == 0 {
			granted++
		}
	}
	return granted
}

func wantGranted(t tester, l magiclink.Limiter, key string, at time.Time, want int, rule string) {
	t.Helper()
	if got := granted(t, l, key, fiveAMinute, at, 20); got != want {
		t.Errorf("%s: of 20 takes %d must be granted; %d were", rule, want, got)
	}
}

func limitBurst(t tester, _ magiclink.Store, l magiclink.Limiter) {
	const rule = "a key grants Burst at once, and then one in each period"
	at := now()
	wantGranted(t, l, "key", at, 5, rule)
	for range 50 { // to ask again takes nothing
		if wait := mustTake(t, l, "key", fiveAMinute, at); wait != fiveAMinute.Every {
			t.Fatalf("%s: after the burst retryAfter must be %v; got %v", rule, fiveAMinute.Every, wait)
		}
	}
	early := at.Add(fiveAMinute.Every - time.Millisecond)
	if wait := mustTake(t, l, "key", fiveAMinute, early); wait != time.Millisecond {
		t.Errorf("%s: a millisecond before the period is over retryAfter must be 1ms; got %v", rule, wait)
	}
	for i := range 3 {
		wantGranted(t, l, "key", at.Add(time.Duration(1+i)*fiveAMinute.Every), 1, rule)
	}
}

func limitIdle(t tester, _ magiclink.Store, l magiclink.Limiter) {
	at := now()
	wantGranted(t, l, "key", at, 5, "a new key has its whole burst")
	at = at.Add(2*fiveAMinute.Every + fiveAMinute.Every/2)
	wantGranted(t, l, "key", at, 2, "a key that was idle for two and a half periods grants two")
	at = at.Add(fiveAMinute.Every / 2)
	wantGranted(t, l, "key", at, 1, "the half of a period counts")
	at = at.Add(100 * fiveAMinute.Every)
	wantGranted(t, l, "key", at, 5, "a key that was idle for long has its burst and no more")
	at = at.Add(5 * fiveAMinute.Every)
	wantGranted(t, l, "key", at, 5, "a key has its whole burst again after Burst periods")
}

func limitKeys(t tester, s magiclink.Store, l magiclink.Limiter) {
	const rule = "keys are opaque bytes, compared as a whole; each has its own burst"
	at := now()
	mustCreate(t, s, liveRecord(1))
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, key := range []string{
		"a", "A", "a\x00", "a\x00b", "\x00", "\xff", "\xff\xfe", "é", "e\u0301", `a\`, "'; DROP TABLE limits; --", "%", " ", "a ",
		string(every), strings.Repeat("k", 256), strings.Repeat("k", 255), string(bytes.Repeat([]byte{0xff}, 256)), liveRecord(1).ID, "NULL", "1",
	} {
		wantGranted(t, l, key, at, 5, rule)
	}
	wantStored(t, s, liveRecordAs(t, s, 1), "a key that is the id of a record has nothing to do with the record")
}

// limitRule compares a store with the pure rule, over clocks that go on, stand and jump, and rates that change.
func limitRule(t tester, _ magiclink.Store, l magiclink.Limiter) {
	random := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // the same each time
	rates := []magiclink.Rate{
		{Burst: 1, Every: time.Minute},
		{Burst: 4, Every: 90 * time.Second},
		{Burst: 10, Every: 61_003 * time.Millisecond},
		{Burst: 1_000_000, Every: 366 * 24 * time.Hour},
		{Burst: 3, Every: time.Minute + 999*time.Microsecond},
	}
	steps := []time.Duration{
		0, 0, time.Millisecond, time.Second, time.Minute, 10 * time.Minute, time.Hour, -time.Millisecond, -time.Second, -time.Minute,
		-2 * time.Minute, -30 * time.Minute,
	}
	for _, key := range []string{"one", "two", "three"} {
		at, rate, arrival, refused := now(), rates[0], int64(0), 0
		for range 200 {
			if random.IntN(10) == 0 {
				rate = rates[random.IntN(len(rates))]
			}
			at = at.Add(steps[random.IntN(len(steps))]).Add(time.Duration(random.IntN(1000)) * time.Microsecond)
			next, want := rate.Take(arrival, at)
			arrival = next
			if got := mustTake(t, l, key, rate, at); got != want {
				t.Fatalf("Take does as Rate.Take says: retryAfter must be %v; got %v", want, got)
			}
			if want > 0 {
				refused++
			}
		}
		if refused < 20 || refused > 180 {
			t.Errorf("the takes show nothing: %d of 200 were refused", refused)
		}
	}
}

func limitClockSetBack(t tester, _ magiclink.Store, l magiclink.Limiter) {
	const rule = "a clock that is set back neither locks a key out nor gives it a new burst"
	at := now()
	wantGranted(t, l, "key", at, 5, "a new key has its whole burst")
	at = at.Add(-time.Hour)
	wantGranted(t, l, "key", at, 1, rule)
	if wait := mustTake(t, l, "key", fiveAMinute, at); wait != fiveAMinute.Every {
		t.Errorf("%s: then retryAfter must be %v; got %v", rule, fiveAMinute.Every, wait)
	}
	wantGranted(t, l, "key", at.Add(fiveAMinute.Every), 1, rule)
	wantGranted(t, l, "key", at.Add(6*fiveAMinute.Every), 5, rule+": it goes on by the new time")
}

// limitClocksThatDiffer is a person who asks two machines by turns.
func limitClocksThatDiffer(t tester, _ magiclink.Store, l magiclink.Limiter) {
	const rule = "two machines whose clocks differ by less than a minute grant no more together than one alone"
	at, sum := now(), 0
	rate := magiclink.Rate{Burst: 2, Every: 10 * time.Second}
	for range 100 {
		at = at.Add(time.Second)
		sum += granted(t, l, "key", rate, at.Add(50*time.Second), 2)
		sum += granted(t, l, "key", rate, at, 2)
	}
	if most := 2 + 10; sum > most || sum < most-2 {
		t.Errorf("%s: in 100 seconds about %d may be granted; %d were", rule, most, sum)
	}
}

func limitPurge(t tester, s magiclink.Store, l magiclink.Limiter) {
	const rule = "Purge forgets a key only when the key grants its whole burst again, and counts no key"
	at := now()
	record := liveRecord(1)
	mustCreate(t, s, record)
	wantGranted(t, l, "key", at, 5, rule)
	whole := at.Add(5 * fiveAMinute.Every)
	for _, before := range []time.Time{at.Add(-time.Hour), at, at.Add(fiveAMinute.Every), whole.Add(-time.Millisecond)} {
		if n := mustPurge(t, s, before, everything); n != 0 {
			t.Errorf("%s: there is no record to remove; it returned %d", rule, n)
		}
		wantGranted(t, l, "key", at, 0, rule)
	}
	mustPurge(t, s, whole, everything)
	wantGranted(t, l, "key", whole, 5, rule)
	wantStored(t, s, record, rule)
}

func limitReset(t tester, _ magiclink.Store, l magiclink.Limiter) {
	const rule = "Reset forgets the key, and no other"
	at := now()
	if err := l.Reset(t.Context(), "key"); err != nil {
		t.Errorf("Reset of an unknown key must succeed; got %v", err)
	}
	wantGranted(t, l, "key", at, 5, rule)
	wantGranted(t, l, "other", at, 5, rule)
	if err := l.Reset(t.Context(), "key"); err != nil {
		t.Errorf("Reset must succeed; got %v", err)
	}
	wantGranted(t, l, "other", at, 0, rule)
	wantGranted(t, l, "key", at, 5, rule)
}

func limitRefusals(t tester, _ magiclink.Store, l magiclink.Limiter) {
	at := now()
	for name, call := range map[string]struct {
		key  string
		rate magiclink.Rate
		at   time.Time
	}{
		"an empty key":            {"", fiveAMinute, at},
		"a key of 257 bytes":      {strings.Repeat("k", magiclink.MaxLimitKey+1), fiveAMinute, at},
		"the zero Rate":           {"key", magiclink.Rate{}, at},
		"a Burst of 0":            {"key", magiclink.Rate{Every: time.Second}, at},
		"a Burst of 1,000,001":    {"key", magiclink.Rate{Burst: 1_000_001, Every: time.Second}, at},
		"an Every below 1 ms":     {"key", magiclink.Rate{Burst: 1, Every: time.Millisecond - 1}, at},
		"an Every above 366 days": {"key", magiclink.Rate{Burst: 1, Every: 366*24*time.Hour + 1}, at},
		"the zero time":           {"key", fiveAMinute, time.Time{}},
		"the year 1969":           {"key", fiveAMinute, time.Unix(-1, 0)},
		"the year 10000":          {"key", fiveAMinute, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if wait, err := l.Take(t.Context(), call.key, call.rate, call.at); err == nil {
			t.Errorf("Take refuses %s: want an error; got %v", name, wait)
		}
	}
	for _, key := range []string{"", strings.Repeat("k", magiclink.MaxLimitKey+1)} {
		if err := l.Reset(t.Context(), key); err == nil {
			t.Errorf("Reset refuses a key of %d bytes", len(key))
		}
	}
	wantGranted(t, l, "key", at, 5, "a Take that is refused takes nothing")
	for name, call := range map[string]struct {
		rate magiclink.Rate
		at   time.Time
	}{
		"the smallest": {magiclink.Rate{Burst: 1, Every: time.Millisecond}, time.Unix(0, 0)},
		"the largest": {
			magiclink.Rate{Burst: 1_000_000, Every: 366 * 24 * time.Hour}, time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		},
	} {
		if n := granted(t, l, name, call.rate, call.at, 3); n != min(3, call.rate.Burst) {
			t.Errorf("Take accepts %s values: %d of 3 were granted", name, n)
		}
	}
}

func limitContext(t tester, _ magiclink.Store, l magiclink.Limiter) {
	at := now()
	for range 10 {
		for _, e := range endedContexts(t) {
			_, err := l.Take(e.ctx, "key", fiveAMinute, at)
			e.wantEnded(t, "Take", err)
		}
	}
	wantGranted(t, l, "key", at, 5, "a Take whose context ended before it began takes nothing")
	for _, e := range endedContexts(t) {
		e.wantEnded(t, "Reset", l.Reset(e.ctx, "key"))
	}
	wantGranted(t, l, "key", at, 0, "a Reset whose context ended before it began changes nothing")
}

func raceLimit(t tester, _ magiclink.Store, l magiclink.Limiter) {
	const rule = "of racing Takes at one moment exactly Burst are granted"
	for round := range 5 {
		at := now()
		var passed, failed atomic.Int64
		race(100, func(int) {
			switch wait, err := l.Take(t.Context(), string(rune('a'+round)), fiveAMinute, at); {
			case err != nil:
				failed.Add(1)
				t.Errorf("%s: Take must succeed; got %v", rule, err)
			case wait == 0:
				passed.Add(1)
			}
		})
		if passed.Load() != 5 {
			t.Fatalf("%s: %d of 100 were granted instead of 5 (%d failed)", rule, passed.Load(), failed.Load())
		}
	}
}
