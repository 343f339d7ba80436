package measure_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/magiclink-go/magiclink/benchmarks/internal/measure"
)

func TestSpread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   measure.Spread
	}{
		{[]float64{3, 1, 2}, measure.Spread{Values: []float64{3, 1, 2}, Low: 1, Median: 2, High: 3}},
		{nil, measure.Spread{}},
	} {
		if got := measure.SpreadOf(c.values); !reflect.DeepEqual(got, c.want) {
			t.Errorf("got %v, want %v", got, c.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	hundred := make([]int, 100)
	for n := range hundred {
		hundred[n] = n
	}
	for share, want := range map[float64]int{0: 0, 0.5: 50, 0.99: 99, 1: 99} {
		if got := measure.Quantile(hundred, share); got != want {
			t.Errorf("%v: got %d, want %d", share, got, want)
		}
	}
}

func TestGoal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		goal  measure.Goal
		value float64
		want  bool
	}{
		{measure.AtMost(1.1), 1.1, true},
		{measure.AtMost(1.1), 1.2, false},
		{measure.AtLeast(10), 10, true},
		{measure.AtLeast(10), 9.9, false},
	} {
		if got := c.goal.Reached(c.value); got != c.want {
			t.Errorf("%v of %v: got %v", c.value, c.goal, got)
		}
	}
}

// A subject that is disturbed in one round of three keeps its rate.
func TestInterleaveTakesMedians(t *testing.T) {
	t.Parallel()
	calls := 0
	disturbed := measure.Subject{Slice: func(time.Duration) (int, time.Duration, error) {
		calls++
		if calls%3 == 0 {
			return 1, time.Second, nil
		}
		return 200, time.Second, nil
	}}
	steady := measure.Subject{Slice: func(time.Duration) (int, time.Duration, error) { return 100, time.Second, nil }}
	rates, err := measure.Interleave(measure.Plan{Runs: 2, Rounds: 3}, disturbed, steady)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rates[0].Over(rates[1]), measure.SpreadOf([]float64{2, 2}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
