package measure

import "time"

// Subject is something to measure. Slice works for about the given time and says how many operations it has done and how
// long they took.
type Subject struct {
	Name  string
	Slice func(d time.Duration) (operations int, took time.Duration, err error)
}

// Plan says how long to measure: some runs, each of some rounds, and in each round a slice of every subject.
type Plan struct {
	Runs, Rounds int
	Slice        time.Duration
}

// Rates are operations per second: one value per run, the median of its rounds.
type Rates []float64

// Interleave measures the subjects in turn, slice by slice, so that what disturbs one disturbs all. Every second round goes
// backwards. One slice of each comes before all and is not counted.
func Interleave(plan Plan, subjects ...Subject) ([]Rates, error) {
	if _, err := round(subjects, plan.Slice, false); err != nil {
		return nil, err
	}
	rates := make([]Rates, len(subjects))
	for range plan.Runs {
		slices := make([][]float64, len(subjects))
		for n := range plan.Rounds {
			values, err := round(subjects, plan.Slice, n%2 == 1)
			if err != nil {
				return nil, err
			}
			for i, value := range values {
				slices[i] = append(slices[i], value)
			}
		}
		for i := range subjects {
			rates[i] = append(rates[i], SpreadOf(slices[i]).Median)
		}
	}
	return rates, nil
}

func round(subjects []Subject, d time.Duration, backwards bool) ([]float64, error) {
	values := make([]float64, len(subjects))
	for n := range subjects {
		if backwards {
			n = len(subjects) - 1 - n
		}
		operations, took, err := subjects[n].Slice(d)
		if err != nil {
			return nil, err
		}
		values[n] = float64(operations) / took.Seconds()
	}
	return values, nil
}

// Over returns run by run what these rates are by others.
func (r Rates) Over(floor Rates) Spread {
	ratios := make([]float64, 0, len(r))
	for run := range r {
		ratios = append(ratios, r[run]/floor[run])
	}
	return SpreadOf(ratios)
}

// Costs turns operations per second into microseconds per operation.
func (r Rates) Costs() Rates {
	costs := make(Rates, 0, len(r))
	for _, rate := range r {
		costs = append(costs, 1e6/rate)
	}
	return costs
}

// Spread returns the spread of the runs.
func (r Rates) Spread() Spread { return SpreadOf(r) }
