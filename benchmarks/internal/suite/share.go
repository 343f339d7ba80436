package suite

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/pprof/profile"

	"github.com/magiclink-go/magiclink/benchmarks/internal/load"
	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

// shares are what the processor time of a request is split into. A sample belongs to the first share that has a function on its
// stack.
var shares = []struct {
	name     string
	prefixes []string
}{
	{"the signature", []string{"crypto/ed25519."}},
	{"collecting garbage", []string{"runtime.gcBgMark", "runtime.gcAssist", "runtime.gcStart", "runtime.bgsweep", "runtime.bgscavenge"}},
	{"SQLite and the disk", []string{"github.com/magiclink-go/magiclink/store/sqlite.", "github.com/mattn/go-sqlite3."}},
	{"all else that the handler does", []string{"github.com/magiclink-go/magiclink"}},
	{"net/http and the network", []string{"net/http."}},
	{"the rest of the runtime", []string{""}},
}

// timeOfRequests profiles servers under load, each by itself, and splits up what a request has cost them.
func (s *Suite) timeOfRequests(ctx context.Context) ([]measure.Result, error) {
	dir, remove, err := s.folder("shares")
	if err != nil {
		return nil, err
	}
	defer remove()
	var results []measure.Result
	for _, server := range []struct{ store, name string }{
		{"fixed", "A fixed answer"}, {"memory", "Issue, memory store"}, {"sqlite", "Issue, SQLite"},
	} {
		cost, err := s.profiled(ctx, dir, server.store)
		if err != nil {
			return nil, err
		}
		for n, share := range shares {
			if cost[n] > 0 {
				name := fmt.Sprintf("%s: %s", server.name, share.name)
				results = append(results, measure.Figure(name, "µs", measure.Exactly(cost[n]), nil))
			}
		}
	}
	return results, nil
}

// profiled returns what a request costs a server, in microseconds of processor time, split into shares.
func (s *Suite) profiled(ctx context.Context, dir, store string) (cost []float64, err error) {
	server, err := start(ctx, dir, nil, s.Self, "-serve", store, "-dir", dir, "-profile", dir)
	if err != nil {
		return nil, err
	}
	requests, err := loadFor(4*time.Second, server.address)
	if failure := server.stop(); err == nil {
		err = failure
	}
	if err != nil {
		return nil, err
	}
	written, err := os.ReadFile(filepath.Join(dir, "http-"+store+".pprof")) //nolint:gosec // G304: our own directory
	if err != nil {
		return nil, err
	}
	read, err := profile.ParseData(written)
	if err != nil {
		return nil, err
	}
	cost = split(read)
	for n := range cost {
		cost[n] /= 1e3 * float64(requests)
	}
	return cost, nil
}

func loadFor(d time.Duration, address string) (requests int, err error) {
	conns, err := load.Dial(address, crowd)
	if err != nil {
		return 0, err
	}
	defer load.Close(conns)
	requests, _, err = posts(conns, issueRequest(), http.StatusCreated).Slice(d)
	return requests, err
}

// split adds up the nanoseconds of each share.
func split(p *profile.Profile) []float64 {
	sums := make([]float64, len(shares))
	for _, sample := range p.Sample {
		sums[shareOf(sample)] += float64(sample.Value[1]) // the first value counts samples
	}
	return sums
}

func shareOf(sample *profile.Sample) int {
	for n, share := range shares {
		for _, prefix := range share.prefixes {
			if onStack(sample, prefix) {
				return n
			}
		}
	}
	return len(shares) - 1
}

func onStack(sample *profile.Sample, prefix string) bool {
	for _, location := range sample.Location {
		for _, line := range location.Line {
			if strings.HasPrefix(line.Function.Name, prefix) {
				return true
			}
		}
	}
	return false
}
