package suite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/magiclink-go/magiclink/benchmarks/internal/load"
	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

var errUnpurged = errors.New("fewer records were purged than have expired")

// purging is a database full of links, some of them expired, into which 64 callers issue more.
type purging struct {
	*library
	issued    atomic.Int64
	expired   int
	dead      time.Time // before this the expired ones have died
	largest   int64     // size of the log, in bytes
	ratios    []float64
	quiet     []float64 // p99 in milliseconds
	disturbed []float64
	perSecond []float64
}

func (s *Suite) purge(ctx context.Context) ([]measure.Result, error) {
	dir, remove, err := s.folder("purge")
	if err != nil {
		return nil, err
	}
	defer remove()
	p := &purging{expired: s.Expired, dead: time.Now().Add(-time.Minute)}
	path := filepath.Join(dir, "purge.db")
	if err := fill(ctx, path, s.Records, s.Records+s.Expired, p.dead.Add(-time.Hour)); err != nil {
		return nil, err
	}
	if p.library, err = newLibrary(ctx, path, s.Records); err != nil {
		return nil, err
	}
	defer p.store.Close() //nolint:errcheck // it has been measured
	if err := p.measure(ctx, s.Runs); err != nil {
		return nil, err
	}
	return p.results(ctx)
}

func (p *purging) measure(ctx context.Context, runs int) error {
	watching, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.watch(watching)
	}()
	defer func() {
		stop()
		<-watched
	}()
	if _, err := p.load(ctx, time.Second/2, nil); err != nil { // to warm up
		return err
	}
	for range runs {
		before, err := p.load(ctx, time.Second, nil)
		if err != nil {
			return err
		}
		during, err := p.whilePurging(ctx, p.expired/runs)
		if err != nil {
			return err
		}
		p.quiet, p.disturbed = append(p.quiet, before), append(p.disturbed, during)
		p.ratios = append(p.ratios, during/before)
	}
	return nil
}

// load issues links and returns the p99 of an Issue in milliseconds. It ends after the time, or when until is closed.
func (p *purging) load(ctx context.Context, d time.Duration, until <-chan struct{}) (p99 float64, err error) {
	issue := issueCall(ctx, p.pair)
	done, err := load.Callers(crowd, d, func(int) error {
		select {
		case <-until:
			return load.ErrStop
		default:
		}
		if err := issue(); err != nil {
			return err
		}
		p.issued.Add(1)
		return nil
	})
	return float64(measure.Quantile(done.Latencies, 0.99)) / float64(time.Millisecond), err
}

func (p *purging) whilePurging(ctx context.Context, records int) (p99 float64, err error) {
	finished := make(chan struct{})
	var purged int
	var failed error
	begin := time.Now()
	go func() {
		defer close(finished)
		purged, failed = p.store.Purge(ctx, p.dead, records)
		p.perSecond = append(p.perSecond, float64(purged)/time.Since(begin).Seconds())
	}()
	p99, err = p.load(ctx, 5*time.Minute, finished)
	<-finished
	if failed == nil && purged != records {
		failed = errUnpurged
	}
	return p99, errors.Join(err, failed)
}

// watch notes how large the log gets.
func (p *purging) watch(ctx context.Context) {
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if info, err := os.Stat(p.path + "-wal"); err == nil {
				p.largest = max(p.largest, info.Size())
			}
		}
	}
}

func (p *purging) results(ctx context.Context) ([]measure.Result, error) {
	left, err := count(ctx, p.path)
	if err != nil {
		return nil, err
	}
	purged := p.expired / len(p.ratios) * len(p.ratios)
	lost := p.size + p.expired - purged + int(p.issued.Load()) - left
	twice, bounded, none := measure.AtMost(2), measure.AtMost(64), measure.AtMost(0)
	return []measure.Result{
		{
			Name: fmt.Sprintf("p99 of Issue, 64 callers, while %s expired links are purged", inWords(p.expired)), Unit: "ms",
			Ours: measure.SpreadOf(p.disturbed), Floor: measure.SpreadOf(p.quiet), Against: "the same load without a purge",
			Ratio: measure.SpreadOf(p.ratios), Goal: &twice,
		},
		measure.Figure("Expired links purged under that load", "/s", measure.SpreadOf(p.perSecond), nil),
		measure.Figure("Largest size of SQLite's log", "MB", measure.Exactly(float64(p.largest)/1e6), &bounded),
		measure.Figure("Live links lost", "", measure.Exactly(float64(lost)), &none),
	}, nil
}
