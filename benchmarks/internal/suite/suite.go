// Package suite holds the measurements. Each stands beside a floor, or a rival, that is measured in the same run.
package suite

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

// Suite is what the measurements share.
type Suite struct {
	Dir       string // an empty directory on the disk that is measured
	Self      string // the path of this program, which serves in processes of its own
	Magiclink string // the path of the command
	Rival     string // the directory of the rival's program
	Profile   string // a directory for the profiles of servers; none if empty

	Runs    int // how often each measurement is repeated
	Records int // live records in the large database
	Expired int // expired records to purge
	Links   int // links in memory

	Log io.Writer // says what is going on
}

type section struct {
	key, title string
	run        func(*Suite, context.Context) ([]measure.Result, error)
}

var sections = []section{
	{"crypto", "Signatures", (*Suite).crypto},
	{"sqlite", "SQLite", (*Suite).sqlite},
	{"http", "HTTP", (*Suite).http},
	{"shares", "Where the processor time of a request goes", (*Suite).timeOfRequests},
	{"scale", "Many links in SQLite", (*Suite).scale},
	{"purge", "Purging under load", (*Suite).purge},
	{"memory", "Many links in memory", (*Suite).memory},
	{"postgres", "PostgreSQL", (*Suite).postgres},
	{"redis", "Redis", (*Suite).redis},
	{"replicas", "Three replicas", (*Suite).replicas},
	{"postgresscale", "Many links in PostgreSQL", (*Suite).postgresScale},
	{"rival", "Better Auth", (*Suite).rival},
}

// Run measures the sections that want names, or all.
func (s *Suite) Run(ctx context.Context, want func(key string) bool, profile func(key string) (stop func(), err error)) ([]measure.Result, error) {
	var results []measure.Result
	for _, part := range sections {
		if !want(part.key) {
			continue
		}
		start := time.Now()
		found, err := s.runOne(ctx, part, profile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.key, err)
		}
		for i := range found {
			found[i].Section = part.title
		}
		results = append(results, found...)
		fmt.Fprintf(s.Log, "%s: %v\n", part.key, time.Since(start).Round(time.Second))
	}
	return results, nil
}

// runOne measures one section, and how many processors were left to it before and after.
func (s *Suite) runOne(ctx context.Context, part section, profile func(key string) (stop func(), err error)) ([]measure.Result, error) {
	const probe = 300 * time.Millisecond
	free := []float64{measure.Processors(probe)}
	stop, err := profile(part.key)
	if err != nil {
		return nil, err
	}
	found, err := part.run(s, ctx)
	stop()
	if err != nil {
		return nil, err
	}
	free = append(free, measure.Processors(probe))
	name := fmt.Sprintf("Processors that other programs left to this section, of %d", runtime.NumCPU())
	return append(found, measure.Figure(name, "", measure.SpreadOf(free), nil)), nil
}

// plan is the usual one: short slices, so that a disturbance hits both sides.
func (s *Suite) plan(rounds int, slice time.Duration) measure.Plan {
	return measure.Plan{Runs: s.Runs, Rounds: rounds, Slice: slice}
}

// folder makes a directory for one section, which remove deletes: a later section should find an empty disk.
func (s *Suite) folder(name string) (path string, remove func(), err error) {
	path = filepath.Join(s.Dir, name)
	return path, func() { _ = os.RemoveAll(path) }, os.Mkdir(path, 0o700)
}
