package storetest_test

import (
	"context"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

// limitFlaws says which cases must notice each flaw of the optional interface Limiter.
var limitFlaws = map[flaw][]string{
	"Take reads, then writes":                  {"Race/Limit"},
	"Take grants one too many":                 {"Limit/Burst", "Limit/Idle", "Race/Limit"},
	"Take grants everything":                   {"Limit/Burst"},
	"Take refuses everything after the first":  {"Limit/Burst"},
	"a refused take counts":                    {"Limit/Burst"},
	"retryAfter is a whole period":             {"Limit/Burst"},
	"an idle key saves up":                     {"Limit/Idle"},
	"the part of a period is lost":             {"Limit/Idle"},
	"all keys are one":                         {"Limit/Keys"},
	"keys are text":                            {"Limit/Keys"},
	"keys end at a NUL":                        {"Limit/Keys"},
	"keys match without regard to case":        {"Limit/Keys"},
	"keys have at most 255 bytes":              {"Limit/Keys"},
	"Take goes by its own clock":               {"Limit/Idle", "Limit/Rule"},
	"a clock that is set back locks out":       {"Limit/ClockSetBack", "Limit/Rule"},
	"a clock that is set back opens":           {"Limit/ClockSetBack", "Limit/Rule"},
	"clocks that differ open":                  {"Limit/ClocksThatDiffer"},
	"Purge forgets every key":                  {"Limit/Purge"},
	"Purge forgets keys that are idle for one": {"Limit/Purge"},
	"Purge counts keys":                        {"Limit/Purge"},
	"Reset forgets every key":                  {"Limit/Reset"},
	"Reset forgets nothing":                    {"Limit/Reset"},
	"Take takes any rate":                      {"Limit/Refusals"},
	"a refused key counts":                     {"Limit/Refusals"},
	"Take ignores an ended context":            {"Limit/Context"},
	"Reset ignores an ended context":           {"Limit/Context"},
	"Peek takes":                               {"Limit/Peek"},
	"Peek knows no key":                        {"Limit/Peek"},
	"Peek takes any key":                       {"Limit/PeekRefusals"},
	"Peek ignores an ended context":            {"Limit/PeekRefusals"},
}

func (s *flawed) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (time.Duration, error) {
	if err := s.ended(ctx, "Take"); err != nil {
		return 0, err
	}
	if err := rate.Check(key, at); err != nil && !s.has("Take takes any rate") {
		if s.has("a refused key counts") {
			s.arrivals["key"] = time.Now().UnixMilli() + 30_000
		}
		return 0, err
	}
	if s.has("Take goes by its own clock") {
		at = time.Now()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key = s.limitKey(key)
	next, wait := s.step(s.arrivals[key], rate, at)
	if s.has("Take reads, then writes") {
		s.pause()
	}
	s.arrivals[key] = next
	return wait, nil
}

func (s *flawed) Peek(ctx context.Context, key string) (int64, error) {
	if err := s.ended(ctx, "Peek"); err != nil {
		return 0, err
	}
	if err := magiclink.CheckLimitKey(key); err != nil && !s.has("Peek takes any key") {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key = s.limitKey(key)
	arrival := s.arrivals[key]
	if s.has("Peek takes") {
		s.arrivals[key] += fiveSeconds
	}
	if s.has("Peek knows no key") {
		arrival = 0
	}
	return arrival, nil
}

const fiveSeconds = 5000 // in milliseconds

func (s *flawed) limitKey(key string) string {
	switch s.flaw {
	case "all keys are one":
		return "key"
	case "keys are text":
		return strings.ToValidUTF8(key, "\uFFFD")
	case "keys end at a NUL":
		key, _, _ = strings.Cut(key, "\x00")
	case "keys match without regard to case":
		return strings.ToLower(key)
	case "keys have at most 255 bytes":
		return key[:min(len(key), 255)]
	}
	return key
}

// step is Rate.Take with a flaw.
func (s *flawed) step(arrival int64, rate magiclink.Rate, at time.Time) (next int64, wait time.Duration) {
	now, every := at.UnixMilli(), rate.Every.Milliseconds()
	full := every * int64(rate.Burst)
	switch s.flaw {
	case "Take grants one too many":
		rate.Burst++
	case "Take grants everything":
		return arrival, 0
	case "Take refuses everything after the first":
		rate.Burst = 1
	case "an idle key saves up":
		if wait := arrival - (now + full - every); wait > 0 {
			return arrival, time.Duration(wait) * time.Millisecond
		}
		if arrival == 0 {
			arrival = now
		}
		return arrival + every, 0
	case "the part of a period is lost":
		if ahead := arrival - now; ahead > 0 {
			arrival += (every - ahead%every) % every
		}
	case "a clock that is set back locks out":
		if wait := arrival - (now + full - every); wait > 0 {
			return arrival, time.Duration(wait) * time.Millisecond
		}
	case "a clock that is set back opens":
		if arrival > now+full+60_000 {
			arrival = now
		}
	case "clocks that differ open":
		if arrival > now+full {
			arrival = now + full - every
		}
	}
	next, wait = rate.Take(arrival, at)
	switch {
	case wait > 0 && s.has("a refused take counts"):
		next += every
	case wait > 0 && s.has("retryAfter is a whole period"):
		wait = rate.Every
	}
	return next, wait
}

func (s *flawed) Reset(ctx context.Context, key string) error {
	if err := s.ended(ctx, "Reset"); err != nil {
		return err
	}
	if err := magiclink.CheckLimitKey(key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.flaw {
	case "Reset forgets every key":
		clear(s.arrivals)
	case "Reset forgets nothing":
	default:
		delete(s.arrivals, key)
	}
	return nil
}

// forgetKeys returns how many keys a purge adds to its result.
func (s *flawed) forgetKeys(before time.Time) (counted int) {
	for key, arrival := range s.arrivals {
		idle := arrival <= before.UnixMilli()
		switch {
		case s.has("Purge counts keys"):
			counted++
		case s.has("Purge forgets every key"), s.has("Purge forgets keys that are idle for one") && arrival-36_000 <= before.UnixMilli():
			idle = true
		}
		if idle {
			delete(s.arrivals, key)
		}
	}
	return counted
}
