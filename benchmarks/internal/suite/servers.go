package suite

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

// callers is how many there are at the same time.
var callers = []int{1, 8, crowd}

// beside is a benchmark of a store that measures a call, in calls/s, beside the bare statement, in bare/s.
type beside struct {
	benchmark, against string
	alone, together    float64 // the goals of a lone caller and of a crowd; 0 for none
}

func (s *Suite) postgres(ctx context.Context) ([]measure.Result, error) {
	return s.storeBeside(ctx, "../store/postgres", []beside{
		{"Create", "a bare INSERT of one row", 0.95, 3},
		{"Consume", "a bare UPDATE of one row", 0.95, 3},
		{"Get", "a bare SELECT of one row", 0, 0},
	})
}

func (s *Suite) redis(ctx context.Context) ([]measure.Result, error) {
	return s.storeBeside(ctx, "../store/redis", []beside{
		{"Create", "a bare SET", 0.95, 1.2},
		{"Consume", "a bare SET", 0.95, 0},
		{"Get", "a bare GET", 0, 0},
	})
}

// storeBeside takes the signature out of Issue and Redeem: what is left are Create and Consume.
func (s *Suite) storeBeside(ctx context.Context, directory string, benchmarks []beside) ([]measure.Result, error) {
	var results []measure.Result
	for _, b := range benchmarks {
		found, err := goBench(ctx, directory, "^Benchmark"+b.benchmark+"$", s.Runs)
		if err != nil {
			return nil, err
		}
		for _, n := range callers {
			of := found[b.benchmark+"/"+strconv.Itoa(n)]
			name := fmt.Sprintf("%s, %d callers", b.benchmark, n)
			var goal *measure.Goal
			switch n {
			case 1:
				name = b.benchmark + ", a lone caller"
				goal = atLeast(b.alone)
			case crowd:
				goal = atLeast(b.together)
			}
			results = append(results, perSecond(name, of["calls/s"], of["bare/s"], b.against, goal))
			if automatic := ratesOf(of, "x-auto"); automatic != nil && n > 1 {
				results = append(results, perSecond(name+", beside automatic pipelines", of["calls/s"], automatic, b.against+" in go-redis's pipelines", nil))
			}
			if returning := ratesOf(of, "x-returning"); returning != nil && n == 1 {
				results = append(results, perSecond(name+", beside one that returns the row", of["calls/s"], returning, b.against+" with RETURNING", nil))
			}
			if script := ratesOf(of, "x-script"); script != nil {
				results = append(results, perSecond(name+", beside a script", of["calls/s"], script, "a script that does nothing but a SET", nil))
			}
		}
	}
	return results, nil
}

// ratesOf returns the rates of a second floor, which a benchmark gives as a ratio.
func ratesOf(of map[string]measure.Rates, unit string) (rates measure.Rates) {
	for run, ratio := range of[unit] {
		rates = append(rates, of["calls/s"][run]/ratio)
	}
	return rates
}

func atLeast(bound float64) *measure.Goal {
	if bound == 0 {
		return nil
	}
	return new(measure.AtLeast(bound))
}

// enough is how many processors three replicas, PostgreSQL and the clients need to show more than one replica does.
const enough = 8

// replicas compares one "magiclink serve" with three on one PostgreSQL, and says what used the processors.
func (s *Suite) replicas(ctx context.Context) ([]measure.Result, error) {
	found, err := goBench(ctx, "../e2e/replicas", "^BenchmarkIssue$", s.Runs, "-benchtime", "3x")
	if err != nil {
		return nil, err
	}
	of := found["Issue"]
	var goal *measure.Goal
	if runtime.NumCPU() >= enough {
		goal = atLeast(2)
	}
	results := []measure.Result{
		perSecond("Issue over HTTP, three replicas on one PostgreSQL, 64 connections", of["three/s"], of["one/s"], "one replica", goal),
	}
	for _, user := range []struct{ unit, shown string }{
		{"cpu-one", "one replica alone"},
		{"cpu-replicas", "three replicas"},
		{"cpu-postgres", "PostgreSQL under three replicas"},
		{"cpu-clients", "the clients of three replicas"},
	} {
		name := fmt.Sprintf("Processors that %s used, of %d", user.shown, runtime.NumCPU())
		results = append(results, measure.Figure(name, "", of[user.unit].Spread(), nil))
	}
	return results, nil
}

// postgresScale compares ten thousand live links with many.
func (s *Suite) postgresScale(ctx context.Context) ([]measure.Result, error) {
	if err := os.Setenv("MAGICLINK_LIVE_LINKS", strconv.Itoa(s.Records)); err != nil {
		return nil, err
	}
	runs := min(s.Runs, 3)
	turns := strconv.Itoa(few/runs) + "x" // each of few links can be used once, in all runs together
	found, err := goBench(ctx, "../store/postgres", "^BenchmarkLiveLinks$", runs, "-benchtime", turns)
	if err != nil {
		return nil, err
	}
	var results []measure.Result
	for _, each := range []struct {
		name, shown string
		goal        *measure.Goal
	}{
		{"Create", "Create", new(measure.AtMost(1.2))},
		{"ConsumeNew", "Consume of a new link", new(measure.AtMost(1.2))},
		{"ConsumeSpread", "Consume of any link", new(measure.AtMost(1.2))},
		{"Get", "Get of any link", nil},
		{"BareGet", "A bare SELECT of any link (a floor)", nil},
	} {
		of := found["LiveLinks/"+each.name]
		name := fmt.Sprintf("%s, 64 callers, %s live links", each.shown, inWords(s.Records))
		results = append(results, costs(name, of["large/s"].Costs(), of["small/s"].Costs(), inWords(few)+" live links", each.goal))
	}
	return results, nil
}
