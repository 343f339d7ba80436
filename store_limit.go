package magiclink

import (
	"context"
	"time"
)

// MaxLimitKey is the largest number of bytes of a key of a [Limiter].
const MaxLimitKey = 256

// Limiter is an optional interface of a [Store] that counts what must not happen too often: sign-in mails to an address, failed
// log-ins of a client. The count is shared by all goroutines, processes and replicas on the same store. Find it with [StoreAs]:
//
//	limiter, ok := magiclink.StoreAs[magiclink.Limiter](store)
//	wait, err := limiter.Take(ctx, "issue:"+tenantID, magiclink.Rate{Burst: 5, Every: time.Minute}, time.Now())
//
// # Keys
//
// A key is 1 to [MaxLimitKey] bytes of any kind and is compared byte by byte. Stores keep it as it is: a caller that limits by
// an address passes a hash of the address. Keys are apart from records: a key never collides with an id.
//
// # Concurrency and time
//
// Take is one atomic step for its key: of any number of racing calls at one moment exactly as many are granted as the [Rate]
// allows. Time comes from the caller; [Rate.Take] is the whole rule, also for clocks that differ and clocks that are set back.
//
// # Durability
//
// What a store keeps of its records over a restart, it keeps of keys as well.
//
// # Forgetting
//
// A store keeps one number for each key. [Store.Purge] also forgets keys that are idle: those that grant a whole burst at the time
// that Purge is given. It does not count them in its result. Some of them may stay until a later Purge. Forgetting an idle key
// changes no answer of Take.
//
// # Errors
//
// An error means that nothing was granted: refuse the request. Take returns the error of [Rate.Check] for arguments that it
// refuses. Every other error is an outage, or that of a context that has ended. A failed call has changed nothing, unless its
// error matches [ErrUnknownOutcome]: then it may have used up one take.
type Limiter interface {
	// Take takes one from what the rate grants the key. A zero retryAfter with a nil error means that it was granted.
	// Otherwise nothing was taken, and the same call succeeds after retryAfter, if no other call takes first.
	Take(ctx context.Context, key string, rate Rate, at time.Time) (retryAfter time.Duration, err error)

	// Reset forgets the key: the next Take finds a whole burst. Resetting an unknown key succeeds.
	Reset(ctx context.Context, key string) error
}

// LimitPeeker is an optional interface of a [Limiter] that looks at a key and takes nothing, for those who help a person that was refused.
// Find it with [StoreAs]. Pass the number to [Rate.Peek].
type LimitPeeker interface {
	// Peek returns the number that the store keeps for the key: what the last granted Take has left, in milliseconds since 1970, and zero for
	// a key that is unknown, reset or forgotten. It changes nothing, and may return a number that a racing call replaces.
	// Errors: that of [CheckLimitKey]; every other error is an outage, or that of a context that has ended.
	Peek(ctx context.Context, key string) (arrival int64, err error)
}
