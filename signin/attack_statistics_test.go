package signin_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// mannWhitney returns the two-sided p of the Mann–Whitney test in its normal approximation, corrected for ties.
func mannWhitney(a, b []float64) float64 {
	type value struct {
		v     float64
		first bool
	}
	all := make([]value, 0, len(a)+len(b))
	for _, v := range a {
		all = append(all, value{v, true})
	}
	for _, v := range b {
		all = append(all, value{v, false})
	}
	slices.SortFunc(all, func(x, y value) int {
		switch {
		case x.v < y.v:
			return -1
		case x.v > y.v:
			return 1
		}
		return 0
	})
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		for k := i; k < j; k++ {
			if all[k].first {
				ranks += float64(i+j+1) / 2
			}
		}
		n := float64(j - i)
		ties += n*n*n - n
		i = j
	}
	n, m := float64(len(a)), float64(len(b))
	sum := n + m
	u := ranks - n*(n+1)/2
	deviation := math.Sqrt(n * m / 12 * (sum + 1 - ties/(sum*(sum-1))))
	if deviation == 0 {
		return 1
	}
	return math.Erfc(math.Abs(u-n*m/2) / deviation / math.Sqrt2)
}

func TestMannWhitney(t *testing.T) {
	require.InDelta(t, 0.0027, mannWhitney([]float64{1, 2, 3, 4, 5, 6}, []float64{6.5, 7, 8, 9, 10, 11, 12}), 0.0001, "U is 0, z is 3")
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(shift float64) []float64 {
		values := make([]float64, 500)
		for i := range values {
			values[i] = math.Round(100*(random.ExpFloat64()+shift)) / 100 // with ties
		}
		return values
	}
	low := 0
	for range 1000 {
		if mannWhitney(draw(0), draw(0)) < 0.05 {
			low++
		}
		require.Less(t, mannWhitney(draw(0), draw(0.5)), 1e-6)
	}
	require.InDelta(t, 50, low, 30, "without a difference p is below 0.05 in one of twenty")
	require.InDelta(t, 1, mannWhitney([]float64{1, 1}, []float64{1, 1}), 0)
}
