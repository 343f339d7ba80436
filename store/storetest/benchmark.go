package storetest

import (
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magiclink-go/magiclink"
)

// Benchmark measures Create, Consume and Get, each with one caller and with 64 at the same time. One iteration is one
// call that succeeds. NewStore returns an empty store and frees with b.Cleanup what it has opened.
func Benchmark(b *testing.B, newStore func(b *testing.B) magiclink.Store) {
	b.Helper()
	for _, callers := range []int{1, 64} {
		name := strconv.Itoa(callers)
		b.Run("Create/"+name, func(b *testing.B) { benchmarkCreate(b, newStore(b), callers) })
		b.Run("Consume/"+name, func(b *testing.B) { benchmarkConsume(b, newStore(b), callers) })
		b.Run("Get/"+name, func(b *testing.B) { benchmarkGet(b, newStore(b), callers) })
	}
}

func benchmarkCreate(b *testing.B, s magiclink.Store, callers int) {
	benchmarkCalls(b, callers, func(i int) error { return s.Create(b.Context(), liveRecord(i)) })
}

func benchmarkConsume(b *testing.B, s magiclink.Store, callers int) {
	fill(b, s, b.N)
	at := now()
	benchmarkCalls(b, callers, func(i int) error {
		_, err := s.Consume(b.Context(), liveRecord(i).ID, at, firstBy)
		return err
	})
}

func benchmarkGet(b *testing.B, s magiclink.Store, callers int) {
	const records = 1000
	fill(b, s, records)
	benchmarkCalls(b, callers, func(i int) error {
		_, err := s.Get(b.Context(), liveRecord(i%records).ID)
		return err
	})
}

// benchmarkCalls makes b.N calls, numbered from 0, and reports those that fail.
func benchmarkCalls(b *testing.B, callers int, call func(i int) error) {
	b.Helper()
	var next atomic.Int64
	b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0))) // for one caller it is not used
	b.ReportAllocs()
	b.ResetTimer()
	started := time.Now()
	if callers == 1 {
		for i := range b.N {
			if err := call(i); err != nil {
				b.Fatal(err)
			}
		}
	} else {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := call(int(next.Add(1) - 1)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.ReportMetric(float64(b.N)/time.Since(started).Seconds(), "calls/s")
}

func fill(b *testing.B, s magiclink.Store, n int) {
	b.Helper()
	const callers = 64
	errs := make([]error, callers)
	race(callers, func(caller int) {
		for i := caller; i < n && errs[caller] == nil; i += callers {
			errs[caller] = s.Create(b.Context(), liveRecord(i))
		}
	})
	for _, err := range errs {
		if err != nil {
			b.Fatal(err)
		}
	}
}
