package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
)

var (
	_ magiclink.Limiter     = (*Store)(nil)
	_ magiclink.LimitPeeker = (*Store)(nil)
)

// limitTolerance is the difference of clocks that [magiclink.Rate.Take] takes for a difference of machines.
const limitTolerance = int64(time.Minute / time.Millisecond)

var (
	errNoLimit = errors.New("the key of a limit holds something else: give the store a prefix of its own by Options.Prefix")
	errRefused = errors.New("the script refuses a take that the rule grants: report this as a bug")
)

// takeScript is [magiclink.Rate.Take]. It returns 1 if it has granted the take, and otherwise the number that it found. The numbers can be
// larger than a number of Lua holds exactly: so the script compares decimals, and leaves it to the server to add. ARGV: the time; the
// number of a key whose burst is used up, and the one before that; the number of a key from which one take was taken; the largest number
// that counts; and the period.
var takeScript = newScript(strings.ReplaceAll(`#!lua
local now, whole, last, first, largest, every = unpack(ARGV)
local function less(a, b) return #a < #b or #a == #b and a < b end
local arrival = redis.call('GET', KEYS[1]) or '0'
if not string.match(arrival, '^%d+$') then return redis.error_reply('ERR magiclink: not a limit') end
if not less(largest, arrival) and less(last, arrival) then return arrival end

local function last_for(next) return string.format('%.0f', next - now + MARGIN) end
if less(largest, arrival) then
	redis.call('SET', KEYS[1], whole, 'PX', last_for(whole))
elseif less(arrival, now) then
	redis.call('SET', KEYS[1], first, 'PX', last_for(first))
else
	redis.call('PEXPIRE', KEYS[1], last_for(redis.call('INCRBY', KEYS[1], every)))
end
return 1
`, "MARGIN", strconv.FormatInt(Margin.Milliseconds(), 10)))

// Take takes one from what the rate grants the key. It returns zero if that was granted, and otherwise how long to wait. Each key is one
// number of the server, and each Take one atomic script, so any number of Stores share the count. Takes share pipelines, as other calls do.
//
// A Take that is granted is as durable as a Create. One whose connection broke is not sent again, since it could take twice: the error
// matches [magiclink.ErrUnknownOutcome]. The server forgets an idle key by itself, [Margin] after the key grants a whole burst again.
func (s *Store) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (retryAfter time.Duration, err error) {
	if !s.usable() {
		return 0, failed("take", errNoStore)
	}
	if err := rate.Check(key, at); err != nil {
		return 0, failed("take", err)
	}
	var wait time.Duration
	c := &call{key: s.limitKey(key), operation: &operation{
		once: true,
		command: func(c *call, full bool) []any {
			return takeScript.call(c.key, full, takeArguments(rate, at)...)
		},
		settle: func(c *call, reply any) { wait, c.verdict = settleTake(reply, rate, at) },
	}}
	if err := s.do(ctx, "take", c); err != nil {
		return 0, err
	}
	return wait, nil
}

// limitKey returns a key that no record has.
func (s *Store) limitKey(key string) string { return s.options.Prefix + apartFromIDs + "limit:" + key }

func takeArguments(rate magiclink.Rate, at time.Time) []any {
	now, every := at.UnixMilli(), rate.Every.Milliseconds()
	whole := now + every*int64(rate.Burst)
	return []any{now, whole, whole - every, now + every, whole + limitTolerance, every}
}

// settleTake leaves it to the rule how long to wait.
func settleTake(reply any, rate magiclink.Rate, at time.Time) (wait time.Duration, err error) {
	if reply == int64(1) {
		return 0, nil
	}
	text, _ := reply.(string)
	arrival, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errNoLimit
	}
	if _, wait = rate.Take(arrival, at); wait == 0 {
		return 0, errRefused
	}
	return wait, nil
}

// Peek returns the number that is kept for the key, for [magiclink.Rate.Peek]. It is zero for an unknown key. The command is a GET.
func (s *Store) Peek(ctx context.Context, key string) (arrival int64, err error) {
	if !s.usable() {
		return 0, failed("peek", errNoStore)
	}
	if err := magiclink.CheckLimitKey(key); err != nil {
		return 0, failed("peek", err)
	}
	err = s.do(ctx, "peek", &call{key: s.limitKey(key), operation: &operation{
		reads:   true,
		command: func(c *call, _ bool) []any { return []any{"get", c.key} },
		settle:  func(c *call, reply any) { arrival, c.verdict = settlePeek(reply) },
	}})
	if err != nil {
		return 0, err
	}
	return arrival, nil
}

func settlePeek(reply any) (arrival int64, err error) {
	if reply == nil {
		return 0, nil
	}
	text, _ := reply.(string)
	if arrival, err = strconv.ParseInt(text, 10, 64); err != nil || arrival < 0 {
		return 0, errNoLimit
	}
	return arrival, nil
}

// Reset forgets the key: the next Take finds a whole burst. Resetting an unknown key succeeds.
func (s *Store) Reset(ctx context.Context, key string) error {
	if !s.usable() {
		return failed("reset", errNoStore)
	}
	if err := magiclink.CheckLimitKey(key); err != nil {
		return failed("reset", err)
	}
	return s.do(ctx, "reset", &call{key: s.limitKey(key), operation: &operation{
		command: func(c *call, _ bool) []any { return []any{"del", c.key} },
		settle:  func(*call, any) {},
	}})
}
