package magiclink

import "time"

// The bounds of a Rate. Their product and any time up to the year 9999, in milliseconds, are far below the limits of int64.
const (
	maxRateBurst = 1_000_000
	maxRateEvery = 366 * 24 * time.Hour
)

// clockTolerance is the largest difference of clocks that a Rate takes for a difference of machines.
const clockTolerance = maxLeeway

// Rate is how often something may happen: Burst times at once, and then once in every period Every. {Burst: 5, Every: time.Minute}
// grants five at once, and after that one more in each minute; a key that is idle for five minutes has its whole burst again.
// Over any time d at most Burst + d/Every are granted.
//
// The zero Rate is refused. A Rate may change from one call to the next; the takes of before count.
type Rate struct {
	Burst int           // 1 to 1,000,000
	Every time.Duration // 1 ms to 366 days, truncated to the millisecond
}

// Check returns the error for what a [Limiter] refuses: a Rate outside its bounds, a key that is empty or longer than
// [MaxLimitKey], and a time before 1970 or after the year 9999, the zero time among them. Each store calls it first, so that all
// stores refuse the same.
func (r Rate) Check(key string, at time.Time) error {
	if r.Burst < 1 || r.Burst > maxRateBurst || r.Every < time.Millisecond || r.Every > maxRateEvery {
		return inputError("magiclink: the Rate is out of bounds: Burst is 1 to 1000000, Every is 1ms to 366 days")
	}
	if year := at.UTC().Year(); year < 1970 || year > 9999 {
		return inputError("magiclink: the time is not between the years 1970 and 9999: pass the current time")
	}
	return CheckLimitKey(key)
}

// CheckLimitKey returns the error for a key that a [Limiter] refuses: an empty one, and one with more than [MaxLimitKey] bytes.
func CheckLimitKey(key string) error {
	if key == "" || len(key) > MaxLimitKey {
		return inputError("magiclink: a limiter's key must have 1 to 256 bytes")
	}
	return nil
}

// Take is the rule of a [Limiter], the generic cell rate algorithm (GCRA). It keeps one number for each key: the theoretical
// arrival time, at which the key grants a whole burst again. Pass what the last granted Take of the key has returned, in
// milliseconds since 1970, and zero for an unknown key.
//
// If the take is granted, retryAfter is zero and next is the number to keep. Otherwise next is the number that was passed, and the
// same take is granted after retryAfter.
//
// Clocks of several machines differ. A machine whose clock is behind finds a number that is further ahead than its own takes could
// have brought it. Up to a minute beyond Burst × Every, Take counts it as it is, so that nobody gains by alternating between
// two machines. A number beyond that is the mark of a clock that was set back: Take then counts the burst as used up but for one,
// so that this take is granted, and the next one after Every. So a clock that is set back neither locks a key out for longer than a
// minute and a period, nor gives it more than one take.
//
// The rule needs a Rate that [Rate.Check] accepts, and an at from the same check.
func (r Rate) Take(arrival int64, at time.Time) (next int64, retryAfter time.Duration) {
	now, every := at.UnixMilli(), r.Every.Milliseconds()
	full := every * int64(r.Burst)
	counted := max(arrival, 0)
	if counted > now+full+clockTolerance.Milliseconds() {
		counted = now + full - every
	}
	if wait := counted - (now + full - every); wait > 0 {
		return arrival, time.Duration(wait) * time.Millisecond
	}
	return max(counted, now) + every, 0
}

// Peek says what [Rate.Take] would do with the number that a [LimitPeeker] has returned: how many takes are granted at this moment, and if
// none is, after which time one is. It needs what Take needs.
func (r Rate) Peek(arrival int64, at time.Time) (left int, retryAfter time.Duration) {
	next, retryAfter := r.Take(arrival, at)
	if retryAfter > 0 {
		return 0, retryAfter
	}
	now, every := at.UnixMilli(), r.Every.Milliseconds()
	return 1 + int((now+every*int64(r.Burst)-next)/every), 0
}
