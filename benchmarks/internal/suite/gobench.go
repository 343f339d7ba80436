package suite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

// metrics are what Go benchmarks have reported: by the name of the benchmark and the unit, one value of each run.
type metrics map[string]map[string]measure.Rates

// goBench runs benchmarks of the package in a directory. Those of the stores on servers start the servers by themselves, and measure each
// call beside its floor in turns.
func goBench(ctx context.Context, directory, pattern string, runs int, more ...string) (metrics, error) {
	args := append([]string{"test", "-run", "^$", "-timeout", "2h", "-bench", pattern, "-count", strconv.Itoa(runs)}, more...)
	cmd := exec.CommandContext(ctx, "go", args...)                //nolint:gosec // G204: the arguments are ours
	cmd.Dir, cmd.Env = directory, append(os.Environ(), "CI=true") // a missing server is an error
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go %s in %s: %w\n%s", strings.Join(args, " "), directory, err, out)
	}
	found := readMetrics(out)
	if len(found) == 0 {
		return nil, fmt.Errorf("go %s in %s measured nothing:\n%s", strings.Join(args, " "), directory, out)
	}
	return found, nil
}

// processors is how go test ends the name of a benchmark.
var processors = regexp.MustCompile(`-\d+$`)

// readMetrics reads lines such as "BenchmarkCreate/64-2 10000 16000 ns/op 61000 calls/s".
func readMetrics(out []byte) metrics {
	found := metrics{}
	for line := range bytes.Lines(out) {
		words := strings.Fields(string(line))
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		name := processors.ReplaceAllString(strings.TrimPrefix(words[0], "Benchmark"), "")
		if found[name] == nil {
			found[name] = map[string]measure.Rates{}
		}
		for n := 2; n+1 < len(words); n += 2 {
			if value, err := strconv.ParseFloat(words[n], 64); err == nil {
				found[name][words[n+1]] = append(found[name][words[n+1]], value)
			}
		}
	}
	return found
}
