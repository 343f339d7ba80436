package suite

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
	"github.com/magiclink-go/magiclink/store/memory"
)

// memory measures what links weigh in the memory store, and how long a purge holds a Create up.
func (s *Suite) memory(ctx context.Context) ([]measure.Result, error) {
	before := heap()
	store := memory.New()
	if err := keep(ctx, store, s.Links); err != nil {
		return nil, err
	}
	weight := float64(heap()-before) / float64(s.Links)
	quiet, err := pauses(ctx, store, s.Links, func() error { time.Sleep(time.Second); return nil })
	if err != nil {
		return nil, err
	}
	purging, err := pauses(ctx, store, 100*s.Links, func() error {
		_, err := store.Purge(ctx, time.Now().Add(24*time.Hour), s.Links/2)
		return err
	})
	if err != nil {
		return nil, err
	}
	goal := measure.AtMost(400)
	links := inWords(s.Links)
	return []measure.Result{
		measure.Figure("Memory of a link, "+links+" links", "B", measure.Exactly(weight), &goal),
		measure.Figure("Longest Create beside "+links+" links", "ms", measure.Exactly(quiet), nil),
		measure.Figure("Longest Create while half of them are purged", "ms", measure.Exactly(purging), nil),
	}, nil
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// keep stores links as they come out of requests: each has strings of its own, but for the tenant, which comes from an
// access token.
func keep(ctx context.Context, store magiclink.Store, n int) error {
	now := time.Now()
	for i := range n {
		if err := store.Create(ctx, record(i, now)); err != nil {
			return err
		}
	}
	return nil
}

func record(i int, now time.Time) magiclink.Record {
	return magiclink.Record{
		ID: filledID(i), Subject: magiclink.Subject{
			TenantID: "t1", BusinessID: strings.Clone(business), ExternalBusinessID: strings.Clone("acme"),
			Email: fmt.Sprintf("user%d@example.com", i),
		},
		Path:           strings.Clone("/reports?year=2026"),
		SessionTimeout: time.Hour, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
}

// pauses calls Create, with ids from the number on, while work goes on, and returns the longest call in milliseconds.
func pauses(ctx context.Context, store magiclink.Store, from int, work func() error) (float64, error) {
	var failed error
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		failed = work()
	}()
	var took []time.Duration
	now := time.Now()
	for i := from; ; i++ {
		select {
		case <-finished:
			return float64(slices.Max(took)) / float64(time.Millisecond), failed
		default:
		}
		r := record(i, now)
		before := time.Now()
		if err := store.Create(ctx, r); err != nil {
			return 0, err
		}
		took = append(took, time.Since(before))
	}
}
