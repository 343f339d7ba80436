package magiclink_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// Over any time d a key grants at most Burst + d/Every, and a caller that never asks too early is never refused.
func TestRateGrantsWhatItSays(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rate := magiclink.Rate{Burst: 1 + random.IntN(20), Every: time.Duration(1+random.IntN(5000)) * time.Millisecond}
		start := time.UnixMilli(1_800_000_000_000)
		arrival, granted, at := int64(0), 0, start
		for range 500 {
			next, wait := rate.Take(arrival, at)
			if wait == 0 {
				granted++
			} else {
				require.Equal(t, arrival, next, "a take that was refused changes nothing")
				_, early := rate.Take(arrival, at.Add(wait-time.Millisecond))
				require.Equal(t, time.Millisecond, early)
				_, again := rate.Take(arrival, at.Add(wait))
				require.Zero(t, again, "granted after retryAfter")
			}
			arrival = next
			require.LessOrEqual(t, granted, rate.Burst+int(at.Sub(start)/rate.Every))
			at = at.Add(time.Duration(random.IntN(int(2*rate.Every.Milliseconds()))) * time.Millisecond)
		}
		steady := int64(0)
		for i := range 100 {
			next, wait := rate.Take(steady, start.Add(time.Duration(i)*rate.Every))
			require.Zero(t, wait)
			steady = next
		}
	}
}

// A clock that is set back by any time leaves a key with one take at most, and locks it out for a minute and a period at most.
func TestRateWhenTheClockIsSetBack(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		rate := magiclink.Rate{Burst: 1 + random.IntN(10), Every: time.Duration(1+random.IntN(100_000)) * time.Millisecond}
		at, arrival := time.UnixMilli(1_800_000_000_000), int64(0)
		for range rate.Burst {
			arrival, _ = rate.Take(arrival, at)
		}
		at = at.Add(-time.Duration(random.Int64N(10_000_000)) * time.Millisecond)
		granted := 0
		for range rate.Burst + 2 {
			next, wait := rate.Take(arrival, at)
			if arrival = next; wait == 0 {
				granted++
			}
			require.LessOrEqual(t, wait, time.Minute+rate.Every)
		}
		require.LessOrEqual(t, granted, 1)
	}
}

// Peek says how many takes in a row are granted at one moment, and after which time the next one is.
func TestRatePeek(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		rate := magiclink.Rate{Burst: 1 + random.IntN(10), Every: time.Duration(1+random.IntN(5000)) * time.Millisecond}
		at := time.UnixMilli(1_800_000_000_000)
		arrival := at.UnixMilli() + random.Int64N(3*rate.Every.Milliseconds()*int64(rate.Burst)) - rate.Every.Milliseconds()
		left, retryAfter := rate.Peek(arrival, at)
		granted := 0
		for {
			next, wait := rate.Take(arrival, at)
			if wait > 0 {
				if granted == 0 {
					require.Equal(t, wait, retryAfter)
				}
				break
			}
			arrival = next
			granted++
		}
		require.Equal(t, granted, left)
		require.Equal(t, granted == 0, retryAfter > 0)
	}
	left, _ := magiclink.Rate{Burst: 7, Every: time.Second}.Peek(0, time.Now())
	require.Equal(t, 7, left, "an unknown key")
}

// No value that Check lets pass, and no number that a store may hold, overflows.
func TestRateAtItsBounds(t *testing.T) {
	largest := magiclink.Rate{Burst: 1_000_000, Every: 366 * 24 * time.Hour}
	last := time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	for _, rate := range []magiclink.Rate{largest, {Burst: 1, Every: time.Millisecond}, {Burst: 1_000_000, Every: time.Millisecond}, {Burst: 1, Every: largest.Every}} {
		for _, at := range []time.Time{time.Unix(0, 0), last} {
			require.NoError(t, rate.Check("key", at))
			for _, arrival := range []int64{math.MinInt64, -1, 0, 1, at.UnixMilli(), math.MaxInt64 - 1, math.MaxInt64} {
				next, wait := rate.Take(arrival, at)
				require.GreaterOrEqual(t, wait, time.Duration(0))
				require.LessOrEqual(t, wait, time.Minute+rate.Every)
				if wait == 0 {
					require.Greater(t, next, at.UnixMilli())
					require.LessOrEqual(t, next-at.UnixMilli(), rate.Every.Milliseconds()*int64(rate.Burst)+60_000+rate.Every.Milliseconds())
				}
			}
		}
	}
}
