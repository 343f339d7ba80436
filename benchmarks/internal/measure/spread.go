// Package measure turns slices of work into ratios that a noisy machine does not blur.
package measure

import (
	"cmp"
	"slices"
)

// Spread is what repeated runs came to: their values in order, their median and their extremes.
type Spread struct {
	Values            []float64
	Low, Median, High float64
}

// SpreadOf returns the spread of the values, and the zero Spread of none.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	last := len(sorted) - 1
	return Spread{
		Values: values, Low: sorted[0], Median: (sorted[last/2] + sorted[len(sorted)/2]) / 2, High: sorted[last],
	}
}

// Exactly is the spread of a value that was measured once, or that does not vary.
func Exactly(value float64) Spread { return SpreadOf([]float64{value}) }

// Quantile returns the value below which the share of the sorted values lies, by the nearest rank; zero of none.
func Quantile[T cmp.Ordered](sorted []T, share float64) T {
	if len(sorted) == 0 {
		return *new(T)
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}
